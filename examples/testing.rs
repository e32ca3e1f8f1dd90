//! Tests of an annotated function: the test skips the delays and checks them.
//!
//! `cargo test -p retry-examples --example testing` runs the tests.
//! `cargo run -p retry-examples --example testing` runs the first test twenty times and prints how long it takes.

use std::time::Duration;

use reqwest::{Client, Response};
use retry_runtime::retry;
use retry_runtime::testing::{Server, simulate};

/// The function of the quickstart.
#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[cfg_attr(test, tokio::test)]
async fn fetch_retries_503() {
    let server = Server::start([503, 503, 200]);
    let (response, simulation) = simulate(fetch(&Client::new(), server.url())).await;
    assert_eq!(response.unwrap().status(), 200);
    simulation.assert_delays([Duration::from_secs(1), Duration::from_secs(2)]);
}

#[cfg(test)]
#[tokio::test]
async fn fetch_does_not_retry_404() {
    let server = Server::start([404]);
    let (response, simulation) = simulate(fetch(&Client::new(), server.url())).await;
    assert_eq!((response.unwrap().status().as_u16(), server.hits()), (404, 1));
    simulation.assert_events(
        "attempt 1 of 3 starts
         attempt 1 of 3 failed: status 404
         gave up after attempt 1 of 3: the failure is not worth another attempt",
    );
}

#[cfg(not(test))]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut times = Vec::new();
    for _ in 0..20 {
        let start = std::time::Instant::now();
        fetch_retries_503().await;
        times.push(start.elapsed());
    }
    let first = times[0];
    times.sort();
    println!("the first run took {first:?}, the median of twenty runs is {:?}, and the delays are 3 s", times[10]);
}
