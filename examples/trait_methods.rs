//! Can I annotate the methods of a trait?
//!
//! Yes: native ones, and those under `#[async_trait]`, for `dyn`. Put `#[retry]` on the methods of the `impl`. A method
//! that takes `&mut self` keeps what an attempt changed.
//!
//! `cargo run --example trait_methods`

use std::error::Error;

use async_trait::async_trait;
use reqwest::Client;
use retry_runtime::retry;

trait Fetch {
    async fn fetch(&mut self) -> reqwest::Result<String>;
}

#[async_trait]
trait FetchDyn: Send {
    async fn fetch_dyn(&mut self) -> reqwest::Result<String>;
}

struct Service {
    client: Client,
    url: String,
    requests: u32,
}

impl Service {
    async fn new() -> Result<Self, Box<dyn Error>> {
        let url = retry_examples::serve_statuses(&[503, 503, 200]).await?;
        Ok(Self { client: Client::new(), url, requests: 0 })
    }

    async fn request(&mut self) -> reqwest::Result<String> {
        self.requests += 1;
        self.client.get(&self.url).send().await?.error_for_status()?.text().await
    }
}

impl Fetch for Service {
    #[retry(backoff = "fixed", start = "50ms")]
    async fn fetch(&mut self) -> reqwest::Result<String> {
        self.request().await
    }
}

#[async_trait]
impl FetchDyn for Service {
    #[retry(backoff = "fixed", start = "50ms")]
    async fn fetch_dyn(&mut self) -> reqwest::Result<String> {
        self.request().await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut service = Service::new().await?;
    println!("native: {} after {} requests", service.fetch().await?, service.requests);

    let mut service: Box<dyn FetchDyn> = Box::new(Service::new().await?);
    println!("async_trait: {}", service.fetch_dyn().await?);
    Ok(())
}
