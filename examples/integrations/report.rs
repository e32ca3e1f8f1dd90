//! Report: statistics of all retries without a metrics system.
//!
//! With the feature `report`, each annotated function and each name is counted. `report()` returns the statistics as a table,
//! as JSON, and as an HTML page for a handler.
//!
//! `cargo run -p retry-examples-integrations --example report`, or with `-- stay` to view the page in a browser.

use std::error::Error;
use std::time::Duration;

use axum::response::{Html, Json};
use axum::{Router, routing::get};
use reqwest::{Client, Response};
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::stats::{CallStats, report};
use retry_runtime::{Executor, Policy, retry};
use tokio::net::TcpListener;

#[retry(attempts = 3, start = "20ms")]
async fn price(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[retry(attempts = 5, delays = ["10ms"], on_status = [409])]
async fn reserve(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.post(url).send().await
}

static ORDER: RequestRetry = RequestRetry::new(Policy::fixed(Duration::from_millis(20))).name("send order");

/// A hand-written loop that is counted at the cost of an annotated function.
async fn ship() -> Result<u32, &'static str> {
    const POLICY: Policy = Policy::fixed(Duration::from_millis(10)).attempts(2);
    static SHIP: CallStats = CallStats::new("ship");
    let mut retry = Executor::new(&POLICY).stats(&SHIP);
    loop {
        match retry.attempt_to_end(async { Err("no truck") }).await {
            Ok(truck) => return Ok(retry.succeed(truck)),
            Err(error) => retry.pause(error)?.await,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let router = Router::new()
        .route("/retries", get(|| async { Html(report().to_html()) }))
        .route("/retries.json", get(|| async { Json(report()) }));
    tokio::spawn(async { axum::serve(listener, router).await });

    call_everything().await?;

    println!("{}\n", report());
    let client = Client::new();
    println!("{}\n", client.get(format!("{base}/retries.json")).send().await?.text().await?);
    let page = client.get(format!("{base}/retries")).send().await?.text().await?;
    println!("the page at {base}/retries has {} rows", page.matches("<tr><td>").count());
    if std::env::args().nth(1).is_some_and(|argument| argument == "stay") {
        tokio::time::sleep(Duration::from_secs(3600)).await;
    }
    Ok(())
}

/// Makes calls, and some of them fail.
async fn call_everything() -> Result<(), Box<dyn Error>> {
    let client = Client::new();
    let prices = retry_examples::serve_statuses(&[503, 200, 200, 503, 503, 503, 200, 404, 200]).await?;
    let stock = retry_examples::serve_statuses(&[409, 409, 200]).await?;
    let orders = retry_examples::serve_statuses(&[201, 503, 201]).await?;
    for _ in 0..6 {
        price(&client, &prices).await?;
        reserve(&client, &stock).await?;
        client.put(&orders).send_with_retry(&ORDER).await?;
    }
    ship().await.unwrap_err();
    // This caller stops waiting before the call ends.
    tokio::time::timeout(Duration::ZERO, ship()).await.unwrap_err();
    Ok(())
}
