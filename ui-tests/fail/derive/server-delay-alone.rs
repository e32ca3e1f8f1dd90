use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(server_delay = wait)]
    Busy { wait: std::time::Duration },
}

fn main() {}
