//! The job: charges a customer through the API of a payment service.

use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{Attempt, BoxDynError, Data, TaskId};
use retry_runtime::{Failure, Policy, Retryable};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Delays of 1 s, 2 s and 4 s. Those of a real queue are longer: hours, with jitter. A server's delay above `retry_after`, by
/// default 60 s, would end the job.
pub(crate) const POLICY: Policy =
    Policy::exponential(Duration::from_secs(1)).attempts(4).retry_after(Duration::from_secs(24 * 3600));

/// The arguments of the job, in the database.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) customer: String,
}

impl Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "charge {}", self.customer)
    }
}

/// `Retryable` decides what is worth another attempt: 429 and 503 are, 422 is not.
#[derive(Debug, Retryable, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("status {status}")]
    #[retryable(status = status, server_delay = retry_after)]
    Status { status: u16, retry_after: Option<Duration> },
    #[error(transparent)]
    #[retryable(source)]
    Io(#[from] io::Error),
}

/// The failure of a job. Its error is in a box, in which `Failure::of` does not find a type of ours.
pub(crate) fn classify(error: &BoxDynError) -> Failure {
    error.downcast_ref::<ApiError>().map_or_else(|| Failure::of(error.as_ref()), Failure::of)
}

/// Runs at least once, and again if its worker dies: so the service needs to know that it is the same charge.
pub(crate) async fn charge(job: Charge, id: TaskId, attempt: Attempt, api: Data<Api>) -> Result<(), BoxDynError> {
    println!("{job}: attempt {} starts", attempt.current());
    api.post(&format!("/charges/{}", job.customer), &id.to_string()).await?;
    println!("{job}: attempt {} succeeded", attempt.current());
    Ok(())
}

/// A client in a few lines, so that this example builds quickly. Use yours.
#[derive(Clone, Debug)]
pub(crate) struct Api(pub(crate) Arc<str>);

impl Api {
    async fn post(&self, path: &str, idempotency_key: &str) -> Result<(), ApiError> {
        let mut stream = TcpStream::connect(&*self.0).await?;
        let request =
            format!("POST {path} HTTP/1.0\r\nIdempotency-Key: {idempotency_key}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await?;
        let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::Error::from(io::ErrorKind::UnexpectedEof))?;
        let seconds = response.lines().find_map(|line| line.strip_prefix("Retry-After: ")?.parse().ok());
        match status {
            200..300 => Ok(()),
            _ => Err(ApiError::Status { status, retry_after: seconds.map(Duration::from_secs) }),
        }
    }
}
