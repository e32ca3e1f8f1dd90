use retry_runtime::retry;

#[retry]
const fn load() -> Result<u32, String> {
    Ok(1)
}

fn main() {}

// https://github.com/tokio-rs/tracing/issues/2414
