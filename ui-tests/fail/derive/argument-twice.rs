use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transient, transient)]
    Busy,
    #[retryable(permanent)]
    #[retryable(permanent)]
    Gone,
}

fn main() {}
