//! The crate `log`: receiving events in a program that does not use `tracing`.
//!
//! The feature `log` sends the events to `log` as long as `tracing` has no subscriber.
//!
//! `cargo run -p retry-examples-integrations --example log`

use std::error::Error;

use reqwest::{Client, Response};
use retry_runtime::retry;

#[retry(backoff = "fixed", start = "50ms")]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    env_logger::builder().parse_filters("retry=trace").target(env_logger::Target::Stdout).init();
    let base = retry_examples::httpbin().await?;

    println!("result: {}", fetch(&Client::new(), &format!("{base}/status/503,200")).await?.status());
    Ok(())
}
