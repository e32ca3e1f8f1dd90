use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transient, after = seconds)]
    Busy { seconds: u64 },
}

fn main() {}
