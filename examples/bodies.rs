//! What becomes of the body of an answer that is tried again? And of a download that breaks off?
//!
//! The body is read to its end during the delay, up to 64 KiB, so that the next attempt has the same connection. What the
//! function has read itself, `on_ok` can judge by its size.
//!
//! `cargo run -p retry-examples --example bodies`

use std::error::Error;

use reqwest::{Client, Response};
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;

/// Nobody looks at the bodies of the first two answers, which come slowly.
#[retry(backoff = "fixed", start = "300ms")]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

const SIZE: usize = 10_000;

/// The first attempt is sent less than the whole file.
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
