use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transient, permanent)]
    Busy,
    #[retryable(source, transient)]
    Io(std::io::Error),
    #[retryable(status = 0, permanent)]
    Refused(u16),
    #[retryable(permanent, unprocessed)]
    Malformed,
}

fn main() {}
