use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transient = true)]
    Busy,
}

fn main() {}
