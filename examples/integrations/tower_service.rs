//! tower: retrying a service.
//!
//! `TowerPolicy` is a layer. For HTTP it also considers the method: it retries a POST only if the server cannot have processed
//! it, unless an `Idempotency-Key` lets the server detect duplicates.
//!
//! `cargo run -p retry-examples-integrations --example tower_service`

use std::time::Duration;

use reqwest::{Client, Method, Request};
use retry_runtime::Policy;
use retry_runtime::tower::TowerPolicy;
use tower::timeout::TimeoutLayer;
use tower::{BoxError, ServiceBuilder, ServiceExt};

const POLICY: Policy = Policy::exponential(Duration::from_millis(100)).attempts(3);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    retry_examples::print_logs();
    let url = retry_examples::serve_statuses(&[503, 503, 200, 503, 503, 200]).await?;
    let url = reqwest::Url::parse(&url)?;

    // Each attempt has five seconds, because the timeout is below the retry layer.
    let service = ServiceBuilder::new()
        .layer(TowerPolicy::http(POLICY).name("http").cloning(Request::try_clone))
        .layer(TimeoutLayer::new(Duration::from_secs(5)))
        .service(Client::new());

    let get = Request::new(Method::GET, url.clone());
    println!("a GET: {}", service.clone().oneshot(get).await?.status());

    let mut post = Request::new(Method::POST, url);
    let copy = post.try_clone().expect("a request without a body");
    println!("a POST: {}", service.clone().oneshot(copy).await?.status());

    post.headers_mut().insert("idempotency-key", "order-7".parse()?);
    println!("a POST with a key: {}", service.oneshot(post).await?.status());
    Ok(())
}
