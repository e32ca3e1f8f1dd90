//! Response bodies: draining before a retry, and retrying an incomplete download.
//!
//! The library drains the body during the delay, up to 64 KiB, so that the next attempt can reuse the connection. If the
//! function reads the body itself, `on_ok` can check its size.
//!
//! `cargo run -p retry-examples --example bodies`

use std::error::Error;

use reqwest::{Client, Response};
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;

/// Does not read the bodies of the first two responses, which arrive slowly.
#[retry(backoff = "fixed", start = "300ms")]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

const SIZE: usize = 10_000;

/// Receives only a part of the file in the first attempt.
#[retry(backoff = "fixed", start = "100ms", on_ok = |file| file.len() < SIZE, bind = attempt)]
async fn download(client: &Client, base: &str) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    let size = attempt.pick(&[4_000, SIZE]);
    let response = client.get(format!("{base}/stream-bytes/{size}")).send().await?;
    Ok(response.check_status()?.bytes().await?.into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let client = Client::new();

    let slow = format!("{base}/drip?code=503&numbytes=20&duration=0.1");
    let response = fetch(&client, &slow).await?;
    println!("result: {}, {}", response.status(), response.text().await?);
    println!("result: {} bytes", download(&client, &base).await?.len());
    Ok(())
}
