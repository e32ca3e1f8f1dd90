//! A few calls are slow: can a second one be sent while the first goes on?
//!
//! Yes, with `hedge`: the first good answer wins, and the other call is dropped. The budget pays for second calls, so that a service
//! which is slow for everybody is not called twice by everybody.
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
    // Every third answer is late.
    let shop = retry_examples::serve(|number, _| async move {
        if number % 3 == 0 {
            sleep(Duration::from_secs(2)).await;
        }
        format!("answer {number}")
    })
    .await?;
    let client = Client::new();
    for _ in 0..4 {
        let start = Instant::now();
        let answer = price(&client, &shop).await?.text().await?;
        println!("result: {answer}, in less than a second: {}", start.elapsed() < Duration::from_secs(1));
    }
    println!("tokens left of 500: {}", SHOP.tokens());
    Ok(())
}
