use retry_runtime::retry;

#[retry(blocking)]
fn load() {}

fn main() {}
