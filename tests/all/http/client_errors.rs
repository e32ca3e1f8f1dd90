//! Classification of reqwest's errors.

use std::sync::Arc;

use reqwest::{Client, Response};
use retry_runtime::{Class, Retryable, retry};

use crate::support::server::{Reply, Server, client, refused};
use crate::support::{Nowhere, SECOND, all_ms};

#[retry(attempts = 2, start = "1s", on_error = "transient")]
async fn json(client: &Client, url: &str) -> reqwest::Result<Vec<u32>> {
    client.get(url).send().await?.json().await
}

#[tokio::test(start_paused = true)]
async fn lost_connection_while_reading_json_is_transient() {
    let server = Server::start([Reply::lost("[1, 2"), Reply::json("[1, 2]")]).await;
    assert_eq!(json(&client(), &server.url).await.unwrap(), [1, 2]);
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn invalid_json_is_permanent() {
    let server = Server::start([Reply::json("[1, 2")]).await;
    let error = json(&client(), &server.url).await.unwrap_err();
    assert!(error.is_decode());
    assert_eq!((error.class(), server.requests()), (Class::Permanent, 1));
}

#[tokio::test(start_paused = true)]
async fn lost_connection_while_reading_text_is_transient() {
    let server = Server::start([Reply::lost("text")]).await;
    let error = client().get(&server.url).send().await.unwrap().text().await.unwrap_err();
    assert_eq!(error.class(), Class::Transient);
}

#[tokio::test(start_paused = true)]
async fn refused_connection_is_transient() {
    let error = client().get(refused().await).send().await.unwrap_err();
    assert_eq!((error.class(), error.status()), (Class::Transient, None));
}

/// The resolver's own error cannot be classified, but it proves that there was no connection.
#[tokio::test(start_paused = true)]
async fn failed_name_resolution_is_transient() {
    let client = Client::builder().no_proxy().dns_resolver(Arc::new(Nowhere)).build().unwrap();
    let error = client.get("http://nowhere.example/").send().await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!(error.class(), Class::Transient);
}

#[tokio::test(start_paused = true)]
async fn connection_closed_without_a_response_is_transient() {
    #[retry(start = "1s", on_status = [503])]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::start([Reply::nothing(), Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!(server.delays(), all_ms([1000]));
}

#[tokio::test(start_paused = true)]
async fn client_timeout_is_transient() {
    #[retry(attempts = 2, start = "1s", on_error = "transient")]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).timeout(SECOND * 2).send().await
    }
    let server = Server::start([Reply::silence()]).await;
    let error = fetch(&client(), &server.url).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(server.delays(), all_ms([3000]));
}

#[tokio::test(start_paused = true)]
async fn attempt_that_hangs_is_cut_off() {
    #[retry(attempts = 2, start = "1s", attempt_timeout = "5s")]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::start([Reply::silence(), Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!(server.delays(), all_ms([6000]));
}
