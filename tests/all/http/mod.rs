//! HTTP: annotated functions with reqwest and a real server, on a paused clock.

mod before_attempt;
mod client_errors;
mod draining;
mod limits;
mod request_options;
mod retry_after;
mod spans;

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use retry_runtime::http::{CheckStatus, StatusError};
use retry_runtime::{Class, Condition, Executor, Policy, Retryable, retry};

use crate::support::server::{Reply, Server, client, refused};
use crate::support::{Attempts, Recorder, SECOND, all_ms, timed};

type Boxed = Box<dyn Error + Send + Sync>;

#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::test(start_paused = true)]
async fn function_that_returns_the_response_waits_1_s_and_then_2_s_on_503() {
    let server = Server::statuses([503, 503, 200]).await;
    let (response, took) = timed(fetch(&client(), &server.url)).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!((server.delays(), took), (all_ms([1000, 2000]), SECOND * 3));
}

#[tokio::test(start_paused = true)]
async fn function_that_returns_the_response_returns_the_last_503() {
    let server = Server::statuses([503]).await;
    let response = fetch(&client(), &server.url).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn function_that_returns_the_response_retries_a_refused_connection() {
    let (outcome, took) = timed(fetch(&client(), &refused().await)).await;
    assert!(outcome.unwrap_err().is_connect());
    assert_eq!(took, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn function_that_returns_the_response_does_not_retry_other_statuses() {
    for status in [200, 404, 500, 502] {
        let server = Server::statuses([status, 200]).await;
        let (response, took) = timed(fetch(&client(), &server.url)).await;
        assert_eq!(response.unwrap().status(), status);
        assert_eq!((server.requests(), took), (1, Duration::ZERO), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn function_that_returns_the_response_does_not_retry_an_invalid_url() {
    let (outcome, took) = timed(fetch(&client(), "not a url")).await;
    assert!(outcome.unwrap_err().is_builder());
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn refused_connection_is_not_retried_with_on_error_never() {
    #[retry(start = "1s", on_status = [503], on_error = "never")]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let (outcome, took) = timed(fetch(&client(), &refused().await)).await;
    assert!(outcome.unwrap_err().is_connect());
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn bare_attribute_retries_a_503() {
    #[retry]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::statuses([503, 429, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    let server = Server::statuses([404, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 404);
}

#[tokio::test(start_paused = true)]
async fn bare_attribute_retries_a_503_from_error_for_status() {
    #[retry]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await?.error_for_status()
    }
    let server = Server::statuses([503, 429, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    let server = Server::statuses([404, 200]).await;
    let error = fetch(&client(), &server.url).await.unwrap_err();
    assert_eq!((error.status(), server.requests()), (Some(StatusCode::NOT_FOUND), 1));
}

#[tokio::test(start_paused = true)]
async fn status_is_found_in_boxed_and_anyhow_errors() {
    #[retry(on_status = [418])]
    async fn boxed(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.error_for_status()?)
    }
    #[retry(on_status = [418])]
    async fn any(client: &Client, url: &str) -> anyhow::Result<Response> {
        Ok(client.get(url).send().await?.check_status()?)
    }
    let server = Server::statuses([418, 418, 503, 200]).await;
    let error = boxed(&client(), &server.url).await.unwrap_err();
    assert_eq!((error.status(), server.requests()), (Some(503), 3));
    let server = Server::statuses([418, 418, 200]).await;
    assert_eq!(any(&client(), &server.url).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn check_status_keeps_the_server_delay_and_error_for_status_does_not() {
    #[retry(start = "1s")]
    async fn checked(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.check_status()?)
    }
    #[retry(start = "1s")]
    async fn plain(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.error_for_status()?)
    }
    let replies = [Reply::status(503).retry_after("7"), Reply::status(503), Reply::status(200)];
    let server = Server::start(replies.clone()).await;
    checked(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([7000, 2000]));
    let server = Server::start(replies).await;
    plain(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn status_error_has_all_properties_of_the_response() {
    let server = Server::start([Reply::status(429).retry_after("7"), Reply::status(304)]).await;
    let error: StatusError = client().get(&server.url).send().await.unwrap().check_status().unwrap_err();
    assert_eq!((error.status(), error.server_delay()), (StatusCode::TOO_MANY_REQUESTS, Some(SECOND * 7)));
    assert_eq!((error.class(), error.url().as_str()), (Class::Transient, server.url.as_str()));
    let response = client().get(&server.url).send().await.unwrap().check_status().unwrap();
    assert_eq!(response.status(), 304);
}

#[tokio::test(start_paused = true)]
async fn manual_loop_classifies_responses() {
    let server = Server::start([Reply::status(503).retry_after("4"), Reply::status(200)]).await;
    let policy = Policy::fixed(SECOND);
    let client = client();
    let response = policy.run(|_| client.get(&server.url).send()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.delays()), (200, all_ms([4000])));
    let server = Server::statuses([418, 200]).await;
    let mut retry = Executor::new(&policy);
    let outcome = retry.attempt(client.get(&server.url).send()).await;
    let condition = Condition::new().on_status(const { &[418..=418] });
    assert!(retry.next(outcome, &condition).is_continue());
}

#[tokio::test(start_paused = true)]
async fn events_hide_the_query_of_a_failed_request() {
    #[retry(attempts = 1, observer = recorder)]
    async fn fetch(client: &Client, url: &str, recorder: &Recorder) -> reqwest::Result<Response> {
        client.get(format!("{url}path?key=secret")).send().await
    }
    let recorder = Recorder::new();
    fetch(&client(), &refused().await, &recorder).await.unwrap_err();
    let failed = recorder.lines()[1].clone();
    assert!(failed.contains("/path?***") && !failed.contains("secret"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn successful_request_is_sent_once() {
    #[retry]
    async fn fetch(client: &Client, url: &str, attempts: &Attempts) -> reqwest::Result<Response> {
        attempts.start();
        client.get(url).send().await
    }
    let (server, attempts) = (Server::statuses([200]).await, Attempts::new());
    fetch(&client(), &server.url, &attempts).await.unwrap();
    assert_eq!((server.requests(), attempts.count()), (1, 1));
}
