//! Rate limits: 429 and `Retry-After`.
//!
//! The next attempt waits as long as the server asks, if that is longer than the computed delay. `check_status` keeps the
//! server's delay; reqwest's `error_for_status` does not.
//!
//! `cargo run -p retry-examples --example rate_limit`

use std::env;
use std::error::Error;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse;
use reqwest::Client;
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;

#[retry(backoff = "fixed", start = "10ms")]
async fn fetch(client: &Client, url: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    Ok(client.get(url).send().await?.check_status()?.text().await?)
}

/// Limits the rate at every third request.
async fn respond(number: usize) -> impl IntoResponse {
    match number % 3 {
        0 => (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response(),
        _ => "hello".into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    retry_examples::print_logs();
    let url = match env::args().nth(1) {
        Some(url) => url,
        None => retry_examples::serve(|number, _| respond(number)).await?,
    };
    let client = Client::new();

    for call in 1..=5 {
        println!("call {call}: {}", fetch(&client, &url).await?.trim());
    }
    Ok(())
}
