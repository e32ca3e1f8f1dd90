//! Hedging: sending a second request while a slow one is still running.
//!
//! The first successful response wins, and the other request is dropped. The budget pays for second requests, so that a
//! service that is slow for everyone does not receive every request twice.
//!
//! `cargo run -p retry-examples --example hedge`

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, Response};
use retry_runtime::{Budget, retry};
use tokio::time::{Instant, sleep};

static SHOP: Budget = Budget::new();

#[retry(attempts = 2, hedge = "50ms", budget = SHOP)]
async fn price(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    // Every third response is slow.
    let shop = retry_examples::serve(|number, _| async move {
        if number % 3 == 0 {
            sleep(Duration::from_secs(2)).await;
        }
        format!("response {number}")
    })
    .await?;
    let client = Client::new();
    for _ in 0..4 {
        let start = Instant::now();
        let response = price(&client, &shop).await?.text().await?;
        println!("result: {response}, in less than a second: {}", start.elapsed() < Duration::from_secs(1));
    }
    println!("tokens left of 500: {}", SHOP.tokens());
    Ok(())
}
