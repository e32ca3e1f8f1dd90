use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(transient, after = wait)]
    Busy { wait: std::time::Duration },
}

fn main() {}
