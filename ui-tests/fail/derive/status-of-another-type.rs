use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(status = 0)]
    Refused(u32),
}

fn main() {}
