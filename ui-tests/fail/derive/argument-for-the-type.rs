use retry_runtime::Retryable;

#[derive(Retryable)]
#[retryable(transient)]
enum Error {
    Busy,
}

fn main() {}
