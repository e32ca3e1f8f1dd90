use retry_runtime::retry;

#[retry]
async fn load() -> Result<u32, String> {
    let _ = 1;
}

fn main() {}
