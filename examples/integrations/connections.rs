//! Connection events: name lookups, connections and redirects of each attempt.
//!
//! A client that is built with `trace_connections` emits them among the events of the call. In this example the second attempt
//! reuses the connection of the first, and the third attempt is redirected twice.
//!
//! `cargo run -p retry-examples-integrations --example connections`

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
    // Use a host name, so that the client has to resolve it.
    let base = retry_examples::httpbin().await?.replace("127.0.0.1", "localhost");
    let client = Client::builder().trace_connections().build()?;

    let response = fetch(&client, &base).await?;
    println!("result: {}, {}", response.status(), response.url().path());
    Ok(())
}
