use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(status)]
    Refused(u16),
    #[retryable(source)]
    Gone,
}

fn main() {}
