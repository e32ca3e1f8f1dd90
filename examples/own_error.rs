//! Custom errors: classifying an error type, with the delay that the service asks for.
//!
//! `#[derive(Retryable)]` classifies each variant by an attribute.
//!
//! `cargo run -p retry-examples --example own_error`

use std::error::Error;
use std::time::Duration;

use reqwest::{Client, StatusCode};
use retry_runtime::http::{CheckStatus, StatusError};
use retry_runtime::{Retryable, retry};

#[derive(Debug, Retryable, thiserror::Error)]
enum ApiError {
    /// The delay is a lower bound of the wait.
    #[error("the service is busy")]
    #[retryable(transient, server_delay = wait)]
    Busy { wait: Duration },

    #[error("there is no such user")]
    #[retryable(permanent)]
    NoSuchUser,

    /// Classified as the inner error.
    #[error(transparent)]
    #[retryable(source)]
    Http(#[from] reqwest::Error),

    /// Returned by `check_status()?`.
    #[error(transparent)]
    #[retryable(source)]
    Status(#[from] StatusError),
}

#[retry(backoff = "fixed", start = "100ms")]
async fn user(client: &Client, url: &str) -> Result<String, ApiError> {
    let response = client.get(url).send().await?;
    match response.status() {
        StatusCode::TOO_MANY_REQUESTS => Err(ApiError::Busy { wait: Duration::from_millis(700) }),
        StatusCode::NOT_FOUND => Err(ApiError::NoSuchUser),
        _ => Ok(response.check_status()?.text().await?),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let base = retry_examples::httpbin().await?;
    let client = Client::new();

    for statuses in ["429,503,200", "404"] {
        let url = format!("{base}/status/{statuses}");
        println!("result: {:?}", user(&client, &url).await);
    }
    Ok(())
}
