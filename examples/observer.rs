//! Observers: counting retries in your own metrics.
//!
//! An `Observer` receives every event of a call, in order. Any number of functions can share it.
//!
//! `cargo run -p retry-examples --example observer`

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Client, Response};
use retry_runtime::event::EventKind;
use retry_runtime::{Event, Observer, retry};

#[derive(Debug)]
struct Metrics {
    attempts: AtomicU64,
    retries: AtomicU64,
    calls_given_up: AtomicU64,
    milliseconds_waited: AtomicU64,
}

static METRICS: Metrics = Metrics {
    attempts: AtomicU64::new(0),
    retries: AtomicU64::new(0),
    calls_given_up: AtomicU64::new(0),
    milliseconds_waited: AtomicU64::new(0),
};

impl Observer for Metrics {
    fn on_event(&self, event: &Event<'_>) {
        let count = |counter: &AtomicU64, by| counter.fetch_add(by, Ordering::Relaxed);
        match event.kind {
            EventKind::AttemptStarted => {
                count(&self.attempts, 1);
            }
            EventKind::Waiting { delay, .. } => {
                count(&self.retries, 1);
                count(&self.milliseconds_waited, delay.as_millis() as u64);
            }
            EventKind::GaveUp(_) => {
                count(&self.calls_given_up, 1);
            }
            _ => {}
        }
    }
}

#[retry(backoff = "linear", start = "50ms", observer = &METRICS)]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let client = Client::new();

    for statuses in ["200", "503,200", "503", "404"] {
        let url = format!("{base}/status/{statuses}");
        println!("result: {}", fetch(&client, &url).await?.status());
    }

    println!("{METRICS:#?}");
    Ok(())
}
