//! Functions that read the body of a response, and how they check its status first.

use std::error::Error;

use reqwest::Client;
use retry_runtime::http::CheckStatus;
use retry_runtime::retry;

use crate::support::all_ms;
use crate::support::server::{Reply, Server, client};

#[retry(attempts = 3, start = "1s", on_status = [503])]
async fn price(client: &Client, url: &str) -> Result<Price, Box<dyn Error + Send + Sync>> {
    Ok(client.get(url).send().await?.check_status()?.json().await?)
}

#[derive(Debug, PartialEq, serde::Deserialize)]
struct Price {
    cents: u32,
}

fn busy() -> Reply {
    Reply::status(503)
}

#[tokio::test(start_paused = true)]
async fn check_status_retries_a_503_whose_body_would_be_read() {
    let server = Server::start([busy(), busy(), Reply::json(r#"{"cents": 5}"#)]).await;
    assert_eq!(price(&client(), &server.url).await.unwrap(), Price { cents: 5 });
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn check_status_respects_the_server_delay() {
    let server = Server::start([busy().retry_after("7"), Reply::json(r#"{"cents": 5}"#)]).await;
    price(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([7000]));
}

#[tokio::test(start_paused = true)]
async fn check_status_returns_unlisted_statuses_to_the_caller() {
    let server = Server::statuses([404]).await;
    let error = price(&client(), &server.url).await.unwrap_err();
    assert_eq!(error.downcast_ref::<retry_runtime::http::StatusError>().unwrap().status(), 404);
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn unchecked_503_is_decoded_and_not_retried() {
    #[retry(attempts = 3, start = "1s", on_status = [503])]
    async fn price(client: &Client, url: &str) -> reqwest::Result<Price> {
        client.get(url).send().await?.json().await
    }
    let server = Server::start([busy(), Reply::json(r#"{"cents": 5}"#)]).await;
    let error = price(&client(), &server.url).await.unwrap_err();
    assert!(error.is_decode() && error.to_string().starts_with("error decoding response body"), "{error}");
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn error_for_status_retries_a_503_and_ignores_the_server_delay() {
    #[retry(attempts = 3, start = "1s", on_status = [503])]
    async fn price(client: &Client, url: &str) -> Result<Price, Box<dyn Error + Send + Sync>> {
        Ok(client.get(url).send().await?.error_for_status()?.json().await?)
    }
    let server = Server::start([busy().retry_after("7"), busy(), Reply::json(r#"{"cents": 5}"#)]).await;
    price(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}
