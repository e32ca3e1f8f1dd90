//! Custom backoff: computing the delay in a function.
//!
//! The function receives the attempt that has just failed, with its number, the time left and the failure.
//!
//! `cargo run -p retry-examples --example custom_backoff`

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, Response};
use retry_runtime::{Attempt, retry};

/// Waits 500 ms if the server limits the rate, and otherwise 50 ms longer each time.
fn delay(failed: &Attempt) -> Duration {
    match failed.last_failure().and_then(|failure| failure.status()) {
        Some(429) => Duration::from_millis(500),
        _ => Duration::from_millis(50) * failed.number(),
    }
}

#[retry(attempts = 5, backoff = delay)]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let url = retry_examples::httpbin().await? + "/status/503,429,503,200";

    println!("result: {}", fetch(&Client::new(), &url).await?.status());
    Ok(())
}
