use retry_runtime::retry;

#[retry(attempt_timeout = "5s")]
async fn load<E: std::error::Error>(error: impl Fn() -> E) -> Result<u32, E> {
    Err(error())
}

fn main() {}
