//! How do I bound one attempt, and all of them together?
//!
//! `attempt_timeout` cuts off an attempt that hangs, `deadline` ends the whole call. What was cut off gives an error
//! made from `TimedOut`: `reqwest::Error` and `std::io::Error` have that, a type of yours says it in one line.
//!
//! `cargo run --example deadline`

use std::error::Error;
use std::time::Duration;

use reqwest::Client;
use retry_runtime::{Retryable, TimedOut, retry};
use tokio::time::{Instant, sleep};

#[derive(Debug, Retryable, thiserror::Error)]
enum ApiError {
    #[error("no answer: {0}")]
    #[retryable(source)]
    TimedOut(#[from] TimedOut),

    #[error(transparent)]
    #[retryable(source)]
    Http(#[from] reqwest::Error),
}

#[retry(attempts = "unlimited", backoff = "fixed", start = "100ms", attempt_timeout = "300ms", deadline = "1s")]
async fn fetch(client: &Client, url: &str) -> Result<String, ApiError> {
    Ok(client.get(url).send().await?.text().await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let hangs_once = retry_examples::serve(async |number, _| {
        if number == 1 {
            sleep(Duration::from_secs(60)).await;
        }
        "here I am"
    })
    .await?;
    let hangs = retry_examples::serve(async |_, _| sleep(Duration::from_secs(60)).await).await?;

    let client = Client::new();
    for url in [hangs_once, hangs] {
        let start = Instant::now();
        match fetch(&client, &url).await {
            Ok(text) => println!("result: {text}, after {:.1?}", start.elapsed()),
            Err(error) => println!("result: {error}, after {:.1?}", start.elapsed()),
        }
    }
    Ok(())
}
