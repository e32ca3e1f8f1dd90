//! The service answers 200 and says "try again" in the body: how do I retry that?
//!
//! Read the body inside the function, where it is yours, and make an error of it. Where the function returns the answer
//! itself, `on_ok` decides without an error.
//!
//! `cargo run --example body_decides`

use std::error::Error;

use reqwest::Client;
use retry_runtime::{Retryable, retry};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
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
    Http(#[from] reqwest::Error),
}

#[retry(attempts = 5, backoff = "fixed", start = "100ms")]
async fn result(client: &Client, url: &str) -> Result<u32, JobError> {
    let job: Job = client.get(url).send().await?.error_for_status()?.json().await?;
    job.result.ok_or(JobError::NotDone(job.state))
}

#[retry(attempts = 5, backoff = "fixed", start = "100ms", on_ok = |job| job.result.is_none())]
async fn job(client: &Client, url: &str) -> reqwest::Result<Job> {
    client.get(url).send().await?.error_for_status()?.json().await
}

async fn serve_job() -> std::io::Result<String> {
    retry_examples::serve(async |number, _| match number {
        1 => r#"{"state": "queued"}"#,
        2 => r#"{"state": "running"}"#,
        _ => r#"{"state": "done", "result": 42}"#,
    })
    .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let client = Client::new();

    println!("with an error: {}", result(&client, &serve_job().await?).await?);
    println!("with on_ok: {:?}", job(&client, &serve_job().await?).await?);
    Ok(())
}
