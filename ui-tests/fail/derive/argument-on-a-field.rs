use retry_runtime::Retryable;

#[derive(Retryable)]
enum Error {
    Io(#[retryable(source)] std::io::Error),
}

fn main() {}
