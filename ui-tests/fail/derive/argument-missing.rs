use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable]
    Busy,
    #[retryable()]
    Gone,
}

fn main() {}
