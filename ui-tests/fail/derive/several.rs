use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transiet)]
    Busy,
    #[retryable(status = 1)]
    Refused(u16),
    #[retryable(permanent, server_delay = 0)]
    Gone(std::time::Duration),
}

fn needs(_: impl Retryable) {}

fn uses(error: Error) {
    needs(error);
}

fn main() {}
