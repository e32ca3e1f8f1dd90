use retry_runtime::Retryable;

#[derive(Retryable)]
union Error {
    code: u16,
}

fn main() {}
