//! reqwest 0.12, which has the same support as 0.13.

use std::error::Error;

use reqwest_012::{Client, Response};
use retry_runtime::http::CheckStatus;
use retry_runtime::{Class, Policy, Retryable, retry};

use crate::support::server::{Reply, Server, refused};
use crate::support::{SECOND, all_ms, ms, timed};

type Boxed = Box<dyn Error + Send + Sync>;

/// A client that uses no proxy, and keeps idle connections without a timer.
fn client() -> Client {
    Client::builder().no_proxy().pool_idle_timeout(None).build().unwrap()
}

#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest_012::Result<Response> {
    client.get(url).send().await
}

#[tokio::test(start_paused = true)]
async fn status_503_is_retried() {
    let server = Server::statuses([503, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!(server.delays(), all_ms([1000]));
}

#[tokio::test(start_paused = true)]
async fn refused_connection_is_retried_but_not_proven_unprocessed() {
    let (outcome, took) = timed(fetch(&client(), &refused().await)).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed(), took), (Class::Transient, false, SECOND * 3));
}

#[tokio::test(start_paused = true)]
async fn invalid_url_is_permanent() {
    let error = fetch(&client(), "not a url").await.unwrap_err();
    assert_eq!(error.class(), Class::Permanent);
}

#[tokio::test(start_paused = true)]
async fn server_delay_is_respected() {
    #[retry(start = "1s")]
    async fn checked(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.check_status()?)
    }
    let replies = [Reply::status(503).retry_after("7"), Reply::status(200)];
    let server = Server::start(replies.clone()).await;
    fetch(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([7000]));
    let server = Server::start(replies).await;
    checked(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([7000]));
}

#[tokio::test(start_paused = true)]
async fn status_is_found_in_boxed_errors() {
    #[retry(on_status = [418])]
    async fn boxed(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.error_for_status()?)
    }
    let server = Server::statuses([418, 503, 200]).await;
    let error = boxed(&client(), &server.url).await.unwrap_err();
    assert_eq!((error.status(), server.requests()), (Some(503), 2));
}

#[tokio::test(start_paused = true)]
async fn connection_is_reused_after_a_slow_body() {
    let slow = Reply::status(503).pieces(10, ms(50));
    let server = Server::start([slow.clone(), slow.clone(), Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!((server.connections(), server.delays()), (1, all_ms([1000, 2000])));
    let server = Server::start([slow, Reply::status(200)]).await;
    let client = client();
    let response = Policy::fixed(SECOND).run(|_| client.get(&server.url).send()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.connections(), server.delays()), (200, 1, all_ms([1000])));
}

#[tokio::test(start_paused = true)]
async fn attempt_that_hangs_is_cut_off() {
    #[retry(attempts = 2, start = "1s", attempt_timeout = "5s")]
    async fn limited(client: &Client, url: &str) -> reqwest_012::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::start([Reply::silence()]).await;
    let error = limited(&client(), &server.url).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(server.delays(), all_ms([6000]));
}
