use retry_runtime::retry;

#[retry(on_status = [503, 429, 503])]
async fn twice() -> reqwest::Result<u32> {
    Ok(1)
}

#[retry(on_status = ["5xx", 503, 408, 408..=429, 420..=430])]
async fn in_ranges() -> reqwest::Result<u32> {
    Ok(1)
}

fn main() {}
