use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transient, server_delay = seconds)]
    Busy { seconds: u64 },
}

fn main() {}
