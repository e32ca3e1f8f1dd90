//! Hand-written loops: using the engine of the attribute in your own loop.
//!
//! A hand-written loop uses the same engine as an annotated function, so both wait and report in the same way. In this
//! example a plain loop iterates over the orders, a hand-written retry loop pushes each one, and before each push an
//! annotated function requests the current version.
//!
//! `cargo run -p retry-examples --example manual_loop`

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, Response};
use retry_runtime::http::CheckStatus;
use retry_runtime::{Executor, Policy, Retryable, retry};

type Boxed = Box<dyn Error + Send + Sync>;

const POLICY: Policy = Policy::fixed(Duration::from_millis(200)).attempts(5);

/// Retries every failure that is not permanent.
#[retry(backoff = "fixed", start = "100ms")]
async fn version(client: &Client, url: &str) -> Result<String, Boxed> {
    Ok(client.get(url).send().await?.check_status()?.text().await?)
}

async fn push(client: &Client, url: &str, version: &str) -> Result<Response, Boxed> {
    Ok(client.put(url).header("if-match", version).send().await?.check_status()?)
}

/// Retries only a conflict, each time with the current version.
async fn push_order(client: &Client, versions: &str, orders: &str) -> Result<Response, Boxed> {
    let mut retry = Executor::new(&POLICY).name("push_order");
    loop {
        let version = version(client, versions).await?;
        match retry.attempt(push(client, orders, &version)).await {
            Ok(response) => break Ok(retry.succeed(response)),
            Err(error) if error.status() == Some(409) => retry.pause(error)?.await,
            Err(error) => break Err(retry.fail(error)),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let versions = format!("{base}/status/503,200");
    let orders = format!("{base}/status/409,200,200,400");
    let client = Client::new();

    for order in ["first", "second", "third"] {
        match push_order(&client, &versions, &orders).await {
            Ok(response) => println!("the {order} order was placed: {}", response.status()),
            Err(error) => println!("the {order} order was rejected: {error}"),
        }
    }
    Ok(())
}
