use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    return 3;
}

fn main() {}
