use reqwest::{Client, Response, Result};
use retry_runtime::Policy;
use retry_runtime::http::SendFirstOf;

async fn fetch(client: &Client) -> Result<Response> {
    client.send_first_of(&Policy::new(), ["https://one.example", "https://two.example"]).await
}

fn main() {}
