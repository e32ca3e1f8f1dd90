use retry_runtime::retrying;

fn call() -> Result<u32, String> {
    retrying!(attempts = 3, || Ok(1))
}

fn main() {}
