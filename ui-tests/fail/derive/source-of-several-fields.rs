use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    #[retryable(source)]
    Io { path: String, cause: std::io::Error },
}

fn main() {}
