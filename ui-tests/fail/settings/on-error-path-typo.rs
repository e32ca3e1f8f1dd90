use retry_runtime::retry;

struct Busy;

impl Busy {
    fn is_busy(&self) -> bool {
        true
    }
}

#[retry(on_error = Busy::is_bsy)]
async fn load() -> Result<u32, Busy> {
    Ok(1)
}

fn main() {}
