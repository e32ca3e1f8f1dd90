//! An annotated function calls a service that is busy at first.
//!
//! `cargo run --example quickstart` starts a server in this process, which answers 503, 503, 200.
//! `cargo run --example quickstart -- http://example.com` calls a service of yours. For one behind `https` write
//! `cargo run --example quickstart --features reqwest/default-tls -- https://example.com`.

use std::env;
use std::error::Error;

use reqwest::{Client, Response};
use retry_runtime::{CheckStatus, retry};

/// Three attempts, with 1 s and then 2 s between them, on status 503 and on transient errors.
#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

/// A function that reads the body checks the status first. The error keeps the status and the server's `Retry-After`.
#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch_text(client: &Client, url: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    Ok(client.get(url).send().await?.check_status()?.text().await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let url = match env::args().nth(1) {
        Some(url) => url,
        None => retry_examples::serve_statuses(&[503, 503, 200]).await?,
    };

    let client = Client::new();
    let response = fetch(&client, &url).await?;
    println!("result: {}, {:.60}", response.status(), response.text().await?);
    match fetch_text(&client, &url).await {
        Ok(text) => println!("text: {text:.60}"),
        Err(error) => println!("no text: {error}"),
    }
    Ok(())
}
