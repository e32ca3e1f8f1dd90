use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(after = wait)]
    Busy { wait: std::time::Duration },
}

fn main() {}
