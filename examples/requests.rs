//! Single requests: retrying a request without a function around it.
//!
//! `send_with_retry` sends a request. It retries a request whose method may have side effects, such as POST, only if you mark
//! it as idempotent. `stream_with_retry` creates a streamed body for each attempt, and `send_first_of` sends another request
//! in each attempt.
//!
//! `cargo run -p retry-examples --example requests`

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::{Body, Client};
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::{Condition, Policy};

const POLICY: Policy = Policy::fixed(Duration::from_millis(100)).attempts(3);

const ORDER: RequestRetry =
    RequestRetry::new(POLICY).condition(Condition::new().on_status(&[503..=503])).idempotent().name("order");

async fn open() -> io::Result<Body> {
    Ok(Body::from("the content of a file"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let client = Client::new();
    let busy = format!("{base}/status/503");

    println!("get: {}", client.get(&busy).send_with_retry(&POLICY).await?.status());
    println!("post: {}", client.post(&busy).send_with_retry(&POLICY).await?.status());
    println!("order: {}", client.post(&busy).body("one, please").send_with_retry(&ORDER).await?.status());
    println!("upload: {}", client.put(&busy).stream_with_retry(&POLICY, open).await?.status());

    let mirrors = [client.get(&busy).build()?, client.post(format!("{base}/anything")).body("hello").build()?];
    println!("first of: {}", client.send_first_of(&POLICY, mirrors).await?.status());
    Ok(())
}
