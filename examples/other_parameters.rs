//! Different parameters for each attempt: another server, another header.
//!
//! Bind the attempt and let it pick: the first element for attempt 1, and so on; the last one repeats. For requests without a
//! function around them, `send_first_of` takes a list of requests, and `before_attempt` changes each request before it is
//! sent.
//!
//! `cargo run -p retry-examples --example other_parameters`

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use reqwest::header::CACHE_CONTROL;
use reqwest::{Client, Response};
use retry_runtime::http::{RequestRetry, SendFirstOf};
use retry_runtime::{Policy, retry};
use serde::Deserialize;

#[retry(attempts = 4, backoff = "fixed", start = "100ms", bind = attempt)]
async fn fetch(client: &Client, mirrors: &[String]) -> reqwest::Result<Response> {
    let mirror = attempt.pick_ref(mirrors);
    let cache = attempt.pick(&["max-age=60", "no-cache"]);
    client.get(mirror).header(CACHE_CONTROL, cache).send().await
}

/// The request as httpbin received it.
#[derive(Deserialize)]
struct Echo {
    headers: HashMap<String, String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let mirrors = ["/status/503", "/status/502", "/status/500", "/anything"].map(|path| base.clone() + path);

    let client = Client::new();

    let response = fetch(&client, &mirrors).await?;
    println!("result: {} from {}", response.status(), response.url());
    println!("the server received Cache-Control: {}", response.json::<Echo>().await?.headers["Cache-Control"]);

    let policy = Policy::fixed(Duration::from_millis(100)).attempts(4);
    let numbered = RequestRetry::new(policy).before_attempt(|outgoing| {
        let number = outgoing.attempt().number().into();
        outgoing.request_mut().headers_mut().insert("x-attempt", number);
    });
    let requests = mirrors.iter().map(|mirror| client.get(mirror).build()).collect::<Result<Vec<_>, _>>()?;
    let response = client.send_first_of(&numbered, requests).await?;
    println!("result: {} from {}", response.status(), response.url());
    println!("the server received X-Attempt: {}", response.json::<Echo>().await?.headers["X-Attempt"]);
    Ok(())
}
