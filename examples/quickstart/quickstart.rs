//! Quickstart: an annotated function that calls an overloaded service.
//!
//! `cargo run --example quickstart` starts a server in this process, which returns 503, 503, 200.
//! `cargo run --example quickstart -- http://example.com` calls another service. For a service behind `https`, run
//! `cargo run --example quickstart --features reqwest/default-tls -- https://example.com`.

use std::env;
use std::error::Error;
use std::io::{self, IsTerminal};

use reqwest::{Client, Response};
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;
use retry_runtime::testing::{Reply, Server};
use tracing_subscriber::fmt::time::uptime;

/// Makes three attempts, with delays of 1 s and 2 s, and retries status 503 and transient errors.
#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

/// Checks the status before it reads the body. The error keeps the status and the server's `Retry-After`.
#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch_text(client: &Client, url: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    Ok(client.get(url).send().await?.check_status()?.text().await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_timer(uptime()).with_ansi(io::stdout().is_terminal()).init();
    let server = Server::start([Reply::status(503), Reply::status(503), Reply::ok("hello")]);
    let url = env::args().nth(1).unwrap_or_else(|| server.url().to_owned());

    let client = Client::new();
    println!("result: {}", fetch(&client, &url).await?.status());
    match fetch_text(&client, &url).await {
        Ok(text) => println!("text: {text:.60}"),
        Err(error) => println!("no text: {error}"),
    }
    Ok(())
}
