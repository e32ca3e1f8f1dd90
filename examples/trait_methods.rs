//! Trait methods: annotating native async methods and methods under `#[async_trait]`, for `dyn`.
//!
//! Put `#[retry]` on the methods of the `impl`. A method that takes `&mut self` keeps the changes of each attempt.
//!
//! `cargo run -p retry-examples --example trait_methods`

use std::error::Error;

use async_trait::async_trait;
use reqwest::{Client, StatusCode};
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;

type Outcome = Result<StatusCode, Box<dyn Error + Send + Sync>>;

trait Fetch {
    async fn fetch(&mut self) -> Outcome;
}

#[async_trait]
trait FetchDyn: Send {
    async fn fetch_dyn(&mut self) -> Outcome;
}

struct Service {
    client: Client,
    base: String,
    requests: u32,
}

impl Service {
    /// Sends a request. The service recovers at the third one.
    async fn request(&mut self) -> Outcome {
        self.requests += 1;
        let status = if self.requests < 3 { 503 } else { 200 };
        let response = self.client.get(format!("{}/status/{status}", self.base)).send().await?;
        Ok(response.check_status()?.status())
    }
}

impl Fetch for Service {
    #[retry(backoff = "fixed", start = "50ms")]
    async fn fetch(&mut self) -> Outcome {
        self.request().await
    }
}

#[async_trait]
impl FetchDyn for Service {
    #[retry(backoff = "fixed", start = "50ms")]
    async fn fetch_dyn(&mut self) -> Outcome {
        self.request().await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let new = || Service { client: Client::new(), base: base.clone(), requests: 0 };

    let mut service = new();
    println!("native: {} after {} requests", service.fetch().await?, service.requests);

    let mut service: Box<dyn FetchDyn> = Box::new(new());
    println!("async_trait: {}", service.fetch_dyn().await?);
    Ok(())
}
