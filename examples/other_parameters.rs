//! How does an attempt differ from the one before: another server, another header?
//!
//! Bind the attempt and let it pick: the first element for attempt 1, and so on; the last one repeats.
//!
//! `cargo run --example other_parameters`

use std::error::Error;

use reqwest::header::CACHE_CONTROL;
use reqwest::{Client, Response};
use retry_runtime::retry;

#[retry(attempts = 4, backoff = "fixed", start = "100ms", bind = attempt)]
async fn fetch(client: &Client, mirrors: &[String]) -> reqwest::Result<Response> {
    let mirror = attempt.pick(mirrors);
    let cache = attempt.pick(&["max-age=60", "no-cache"]);
    println!("attempt {} asks {mirror} for {cache}", attempt.number());
    client.get(mirror).header(CACHE_CONTROL, *cache).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mirrors = [
        retry_examples::serve_statuses(&[503]).await?,
        retry_examples::serve_statuses(&[502]).await?,
        retry_examples::serve_statuses(&[500, 200]).await?,
    ];

    let response = fetch(&Client::new(), &mirrors).await?;
    println!("result: {} from {}", response.status(), response.url());
    Ok(())
}
