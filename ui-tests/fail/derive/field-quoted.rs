use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(status = "code")]
    Refused { code: u16 },
}

fn main() {}
