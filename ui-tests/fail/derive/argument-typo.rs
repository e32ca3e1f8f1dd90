use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transiet)]
    Busy,
}

fn main() {}
