//! My program logs through `log`, not through `tracing`: do I see the events?
//!
//! Yes, with the feature `log`, as long as no subscriber of `tracing` is set.
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
