//! Failures in the body: retrying a response with status 200 whose body says "try again".
//!
//! Read the body inside the function and return an error. If the function returns the value itself, `on_ok` decides without
//! an error.
//!
//! `cargo run -p retry-examples --example body_decides`

use std::error::Error;

use reqwest::Client;
use retry_runtime::http::CheckStatus;
use retry_runtime::{Attempt, Retryable, retry};
use serde::{Deserialize, Serialize};

type Boxed = Box<dyn Error + Send + Sync>;

#[derive(Debug, Deserialize, Serialize)]
struct Job {
    state: String,
    result: Option<u32>,
}

#[derive(Debug, Retryable, thiserror::Error)]
enum JobError {
    #[error("the job is {0}")]
    #[retryable(transient)]
    NotDone(String),

    #[error(transparent)]
    #[retryable(source)]
    Http(#[from] Boxed),
}

#[retry(attempts = 5, backoff = "fixed", start = "100ms", bind = attempt)]
async fn result(client: &Client, url: &str) -> Result<u32, JobError> {
    let job = request(client, url, attempt).await?;
    job.result.ok_or(JobError::NotDone(job.state))
}

#[retry(attempts = 5, backoff = "fixed", start = "100ms", on_ok = |job| job.result.is_none(), bind = attempt)]
async fn job(client: &Client, url: &str) -> Result<Job, Boxed> {
    request(client, url, attempt).await
}

#[derive(Deserialize)]
struct Echo {
    json: Job,
}

/// Requests the state of the job. httpbin echoes the state that this attempt sends.
async fn request(client: &Client, url: &str, attempt: &Attempt) -> Result<Job, Boxed> {
    let (state, result) = attempt.pick(&[("queued", None), ("running", None), ("done", Some(42))]);
    let job = Job { state: state.to_owned(), result };
    let echo: Echo = client.post(url).json(&job).send().await?.check_status()?.json().await?;
    Ok(echo.json)
}

#[tokio::main]
async fn main() -> Result<(), Boxed> {
    retry_examples::print_logs();
    let url = retry_examples::httpbin().await? + "/anything";
    let client = Client::new();

    println!("with an error: {}", result(&client, &url).await?);
    println!("with on_ok: {:?}", job(&client, &url).await?);
    Ok(())
}
