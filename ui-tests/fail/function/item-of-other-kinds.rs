use retry_runtime::retry;

#[retry]
type Count = u32;

#[retry]
unsafe extern "C" {}

#[retry]
thread_local! {}

fn main() {}

// https://github.com/tokio-rs/tracing/issues/2852
