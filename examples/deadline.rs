//! Time limits: limiting a single attempt and the whole call.
//!
//! `attempt_timeout` stops an attempt that hangs, and `deadline` ends the whole call. An attempt that times out returns an
//! error made from `TimedOut`. `reqwest::Error` and `std::io::Error` implement this conversion, and your own type implements
//! it in one line.
//!
//! `cargo run -p retry-examples --example deadline`

use std::error::Error;

use reqwest::{Client, StatusCode};
use retry_runtime::{Retryable, TimedOut, retry};
use tokio::time::Instant;

#[derive(Debug, Retryable, thiserror::Error)]
enum ApiError {
    #[error("no response: {0}")]
    #[retryable(source)]
    TimedOut(#[from] TimedOut),

    #[error(transparent)]
    #[retryable(source)]
    Http(#[from] reqwest::Error),
}

/// Sends each attempt to the next of `urls`, and repeats the last one.
#[retry(
    attempts = "unlimited",
    backoff = "fixed",
    start = "100ms",
    attempt_timeout = "300ms",
    deadline = "1s",
    bind = attempt
)]
async fn fetch(client: &Client, urls: &[String]) -> Result<StatusCode, ApiError> {
    Ok(client.get(attempt.pick_ref(urls)).send().await?.status())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let [slow, fast] = ["/delay/1", "/delay/0"].map(|path| base.clone() + path);
    let client = Client::new();

    for urls in [vec![slow.clone(), fast], vec![slow]] {
        let start = Instant::now();
        match fetch(&client, &urls).await {
            Ok(status) => println!("result: {status}, after {:.1?}", start.elapsed()),
            Err(error) => println!("result: {error}, after {:.1?}", start.elapsed()),
        }
    }
    Ok(())
}
