//! hyper-util's client and a real server, on a paused clock.

use std::error::Error;

use http_body_util::{BodyExt, Empty};
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::TokioExecutor;
use retry_runtime::{Class, Failure, Policy, Retryable, retry};

use crate::support::server::{Reply, Server, refused};
use crate::support::{Broken, SECOND, all_ms, ms, timed};

type HyperClient = Client<HttpConnector, Empty<Bytes>>;

/// Keeps idle connections without a timer.
fn client() -> HyperClient {
    Client::builder(TokioExecutor::new()).pool_idle_timeout(None).build_http()
}

#[retry(attempts = 3, start = "1s", on_error = "transient", on_status = [503])]
async fn fetch(client: &HyperClient, url: &str) -> Result<Response<Incoming>, legacy::Error> {
    client.get(url.parse().unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn refused_connection_is_transient_and_unprocessed() {
    let (outcome, took) = timed(fetch(&client(), &refused().await)).await;
    let error = outcome.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed(), took), (Class::Transient, true, SECOND * 3));
    let boxed: Box<dyn Error> = Box::new(error);
    assert!(Failure::of(&*boxed).is_unprocessed());
}

/// The connector's own error cannot be classified, but it proves that there was no connection.
#[tokio::test]
async fn failed_connection_is_transient_for_any_reason() {
    let error = fetch(&client(), "https://127.0.0.1:1/").await.unwrap_err();
    assert!(error.is_connect());
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Transient, true));
}

#[tokio::test(start_paused = true)]
async fn connection_closed_without_a_response_is_transient() {
    let server = Server::start([Reply::nothing(), Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!(server.delays(), all_ms([1000]));
    let server = Server::start([Reply::nothing()]).await;
    let error = client().get(server.url.parse().unwrap()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Transient, false));
}

#[tokio::test(start_paused = true)]
async fn truncated_body_is_transient() {
    let server = Server::start([Reply::lost("half")]).await;
    let response = client().get(server.url.parse().unwrap()).await.unwrap();
    let error: hyper::Error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.class(), Class::Transient);
}

#[tokio::test(start_paused = true)]
async fn invalid_request_is_not_transient() {
    let error = client().get("/no/host".parse().unwrap()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Unknown, false));
}

/// The request's body is forwarded from another service, which cannot be reached.
#[tokio::test(start_paused = true)]
async fn connection_error_of_the_request_body_does_not_make_the_request_unprocessed() {
    let server = Server::statuses([200]).await;
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(None).build_http();
    let error =
        client.request(hyper::Request::post(&server.url).body(Broken(Some(refused))).unwrap()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Transient, false));
    let boxed: Box<dyn Error> = Box::new(error);
    assert!(!Failure::of(&*boxed).is_unprocessed());
}

#[tokio::test(start_paused = true)]
async fn server_delay_is_respected() {
    let server = Server::start([Reply::status(503).retry_after("7"), Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!(server.delays(), all_ms([7000]));
}

#[tokio::test(start_paused = true)]
async fn connection_is_reused_after_a_slow_body() {
    let slow = Reply::status(503).pieces(10, ms(50));
    let server = Server::start([slow.clone(), slow, Reply::status(200)]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    assert_eq!((server.connections(), server.delays()), (1, all_ms([1000, 2000])));
}

#[tokio::test(start_paused = true)]
async fn policy_run_classifies_responses() {
    let slow = Reply::status(503).pieces(10, ms(50));
    let server = Server::start([slow, Reply::status(200)]).await;
    let client = client();
    let get = |_| async { Ok::<_, Box<dyn Error + Send + Sync>>(client.get(server.url.parse()?).await?) };
    let response = Policy::fixed(SECOND).run(get).await.unwrap();
    assert_eq!((response.status().as_u16(), server.connections(), server.delays()), (200, 1, all_ms([1000])));
}
