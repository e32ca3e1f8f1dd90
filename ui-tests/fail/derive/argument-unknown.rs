use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(sometimes)]
    Busy,
}

fn main() {}
