use retry_runtime::retry;

#[retry]
async fn load() {}

fn main() {}
