//! Prometheus: exporting metrics of retries.
//!
//! With the feature `metrics`, the recorder that the program installs counts every call. This example installs
//! metrics-exporter-prometheus, serves its text at `/metrics`, and scrapes it as Prometheus does.
//!
//! `cargo run -p retry-examples-integrations --example metrics`

use std::error::Error;
use std::time::Duration;

use axum::{Router, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use reqwest::{Client, Response};
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::{Policy, retry};
use tokio::net::TcpListener;

#[retry(attempts = 3, start = "50ms", jitter = "20%")]
async fn price(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

static ORDER: RequestRetry = RequestRetry::new(Policy::fixed(Duration::from_millis(20))).name("order");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Histograms with explicit buckets can be aggregated over many processes. The exporter's default, quantiles, cannot.
    let prometheus = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("retry_attempts_per_call".into()), &[1.0, 2.0, 3.0, 5.0, 10.0])?
        .set_buckets_for_metric(Matcher::Full("retry_delay_seconds".into()), &[0.01, 0.1, 1.0, 10.0])?
        .install_recorder()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let metrics = format!("http://{}/metrics", listener.local_addr()?);
    let router = Router::new().route("/metrics", get(|| async move { prometheus.render() }));
    tokio::spawn(async { axum::serve(listener, router).await });

    let client = Client::new();
    let shop = retry_examples::serve_statuses(&[200, 200, 503, 200, 503, 429, 200, 503, 503, 503, 404]).await?;
    for _ in 0..6 {
        println!("price: {}", price(&client, &shop).await?.status());
    }
    let orders = retry_examples::serve_statuses(&[201, 503, 201]).await?;
    for _ in 0..2 {
        println!("order: {}", client.put(&orders).send_with_retry(&ORDER).await?.status());
    }

    println!("\n{}", client.get(metrics).send().await?.text().await?);
    Ok(())
}
