//! Random delays and their source.
//!
//! Random numbers come from `fastrand`, or from a function that returns numbers in [0, 1). The function in this example is
//! seeded, so that each run has the same delays.
//!
//! `cargo run -p retry-examples --example random_source`

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Client, Response};
use retry_runtime::retry;

/// A Weyl sequence, which is good enough for delays only.
fn seeded() -> f64 {
    const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;
    static STATE: AtomicU64 = AtomicU64::new(42);
    let state = STATE.fetch_add(GOLDEN_RATIO, Ordering::Relaxed).wrapping_add(GOLDEN_RATIO);
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Waits between 100 and 300 ms each time. Jitter uses the same source.
#[retry(attempts = 4, backoff = "random", start = "100ms", max_delay = "300ms", random_source = seeded)]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let url = retry_examples::httpbin().await? + "/status/503,503,503,200";

    println!("result: {}", fetch(&Client::new(), &url).await?.status());
    Ok(())
}
