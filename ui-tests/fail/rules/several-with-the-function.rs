use retry_runtime::retry;

#[retry(attempts = 0, colour = "red", deadline = "0s", clone = [x], on_status = [1, 2])]
fn load(id: u32) -> u32 {
    id
}

#[retry(factor = 0.5, backoff = "fixed")]
async fn caller() -> Result<u32, String> {
    Ok(load(1))
}

fn main() {}
