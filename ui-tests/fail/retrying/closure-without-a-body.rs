use retry_runtime::retrying;

fn call() -> Result<u32, String> {
    retrying!(blocking, ||)
}

fn main() {}
