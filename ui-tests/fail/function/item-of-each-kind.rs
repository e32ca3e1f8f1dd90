use retry_runtime::retry;

#[retry]
struct Client;

#[retry]
mod inside {}

#[retry]
pub trait Load {}

#[retry]
const LIMIT: u32 = 3;

fn main() {}

// https://github.com/tokio-rs/tracing/issues/2852
