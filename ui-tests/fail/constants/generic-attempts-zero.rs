use retry_runtime::retry;

#[retry(attempts = N)]
async fn load<const N: u32>() -> Result<u32, String> {
    Ok(1)
}

fn main() {
    drop(load::<3>());
    drop(load::<0>());
}
