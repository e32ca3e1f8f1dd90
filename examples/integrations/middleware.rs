//! Middleware: retrying every request of a client without changing its callers.
//!
//! The feature `reqwest-middleware` provides the middleware. Middleware that is added after it runs in every attempt. A
//! request can have its own options.
//!
//! `cargo run -p retry-examples-integrations --example middleware`

use std::error::Error;
use std::time::Duration;

use axum::http::Extensions;
use reqwest::{Client, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next, Result};
use retry_runtime::Policy;
use retry_runtime::http::RequestRetry;

const POLICY: Policy = Policy::fixed(Duration::from_millis(100)).attempts(3);

struct Signature;

#[async_trait::async_trait]
impl Middleware for Signature {
    async fn handle(&self, mut request: Request, extensions: &mut Extensions, next: Next<'_>) -> Result<Response> {
        println!("signing {} {}", request.method(), request.url().path());
        request.headers_mut().insert("x-signature", "example".parse().expect("a valid header value"));
        next.run(request, extensions).await
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let client = ClientBuilder::new(Client::new()).with(RequestRetry::new(POLICY)).with(Signature).build();

    let busy = format!("{base}/status/503");
    println!("get: {}", client.get(&busy).send().await?.status());

    let twice = RequestRetry::new(POLICY.attempts(2)).idempotent();
    println!("post: {}", client.post(&busy).with_extension(twice).send().await?.status());
    Ok(())
}
