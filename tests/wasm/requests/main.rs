//! Requests of reqwest, which `fetch` sends. The environment variable `RETRY_TEST_SERVER` is the URL of the server.

#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

use std::time::Duration;

use js_sys::{Reflect, global};
use reqwest::Response;
use retry_runtime::http::CheckStatus;
use retry_runtime::{Class, Retryable, TimedOut, retry, retrying};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

fn url(path: &str) -> String {
    let variable = ["process", "env", "RETRY_TEST_SERVER"];
    let server =
        variable.iter().fold(global().into(), |object: JsValue, name| Reflect::get(&object, &(*name).into()).unwrap());
    format!("{}/{path}", server.as_string().expect("the script `run` starts the server"))
}

#[retry(attempts = 3, backoff = "fixed", start = "5ms", on_status = [503])]
async fn get(url: &str) -> reqwest::Result<Response> {
    reqwest::get(url).await
}

#[wasm_bindgen_test]
async fn response_with_status_503_is_retried() {
    let response = get(&url("third-succeeds/annotated")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["x-request-number"].to_str().unwrap()), (200, "3"));
    assert_eq!(response.text().await.unwrap(), "answer 3");
}

#[wasm_bindgen_test]
async fn response_with_status_404_is_not_retried() {
    let response = get(&url("nowhere")).await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["x-request-number"].to_str().unwrap()), (404, "1"));
}

#[wasm_bindgen_test]
async fn error_of_check_status_is_retried() {
    let url = url("third-succeeds/checked");
    let text = retrying!(backoff = "fixed", start = "5ms", async || -> Result<String, Box<dyn std::error::Error>> {
        Ok(reqwest::get(&url).await?.check_status()?.text().await?)
    });
    assert_eq!(text.await.unwrap(), "answer 3");
}

#[wasm_bindgen_test]
async fn refused_connection_is_transient_and_retried() {
    let (url, mut attempts) = ("http://127.0.0.1:1/", 0);
    let outcome = retrying!(attempts = 2, start = "5ms", async {
        attempts += 1;
        reqwest::get(url).await
    })
    .await;
    let error = outcome.unwrap_err();
    assert_eq!((Retryable::class(&error), attempts), (Class::Transient, 2), "{error:?}");
    assert!(!error.is_unprocessed());
}

#[wasm_bindgen_test]
async fn invalid_url_is_permanent_and_not_retried() {
    let mut attempts = 0;
    let outcome = retrying!(attempts = 3, start = "5ms", async {
        attempts += 1;
        reqwest::get("not a URL").await
    })
    .await;
    assert_eq!((Retryable::class(&outcome.unwrap_err()), attempts), (Class::Permanent, 1));
}

#[wasm_bindgen_test]
async fn date_in_retry_after_is_compared_with_the_clock_of_the_host() {
    let delay = reqwest::get(url("dated")).await.unwrap().check_status().unwrap_err().server_delay().unwrap();
    assert!((Duration::from_secs(90)..=Duration::from_secs(100)).contains(&delay), "{delay:?}");
}

/// reqwest's error cannot be made of a [`TimedOut`] on wasm, so a time limit needs an error type of the user's.
#[derive(Debug, Retryable, thiserror::Error)]
#[error(transparent)]
enum Error {
    #[retryable(source)]
    Request(#[from] reqwest::Error),
    #[retryable(source)]
    TimedOut(#[from] TimedOut),
}

#[retry(attempts = 3, backoff = "fixed", start = "5ms", on_status = [503], deadline = "5s")]
async fn get_in_time(url: &str) -> Result<Response, Error> {
    Ok(reqwest::get(url).await?)
}

#[wasm_bindgen_test]
async fn response_is_retried_within_a_deadline() {
    assert_eq!(get_in_time(&url("third-succeeds/in-time")).await.unwrap().status().as_u16(), 200);
}
