use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(status = cod)]
    Refused { code: u16 },
    #[retryable(status = 1)]
    Gone(u16),
}

fn main() {}
