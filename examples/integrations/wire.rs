//! What happens between the start of an attempt and its end?
//!
//! A client that is set up with `trace_connections` tells it, among the events of the call: names, connections, redirects. Here
//! the second attempt has the connection of the first, and the third is sent on twice.
//!
//! `cargo run -p retry-examples-integrations --example wire`

use std::error::Error;

use reqwest::{Client, Response};
use retry_runtime::http::connections::TraceConnections;
use retry_runtime::retry;

#[retry(backoff = "fixed", start = "100ms", bind = attempt)]
async fn fetch(client: &Client, base: &str) -> reqwest::Result<Response> {
    let path = attempt.pick(&["/status/503", "/status/503", "/redirect/2"]);
    client.get(format!("{base}{path}")).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    // A name, for there to be something to resolve.
    let base = retry_examples::httpbin().await?.replace("127.0.0.1", "localhost");
    let client = Client::builder().trace_connections().build()?;

    let response = fetch(&client, &base).await?;
    println!("result: {}, {}", response.status(), response.url().path());
    Ok(())
}
