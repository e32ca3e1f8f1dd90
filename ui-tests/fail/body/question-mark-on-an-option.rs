use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    None?
}

fn main() {}

// https://github.com/tokio-rs/tokio/issues/6930
