use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use retry_runtime::{Class, Executor, Policy, Retryable, TimedOut, retry};
use tokio::time::Instant;

#[derive(Debug, Retryable, thiserror::Error)]
enum MyError {
    #[error("busy")]
    #[retryable(transient, after = wait)]
    Busy { wait: Duration },
    #[error("gone")]
    #[retryable(permanent)]
    Gone,
    #[error(transparent)]
    #[retryable(source)]
    Io(#[from] std::io::Error),
    #[error("late")]
    Late(#[from] TimedOut),
    #[error("status {0}")]
    #[retryable(status = 0)]
    Status(u16),
}

#[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
    client.get(url).send().await
}

#[retry(attempts = 3, start = "1s")]
async fn simple(calls: &AtomicU32) -> Result<u32, MyError> {
    if calls.fetch_add(1, Ordering::Relaxed) < 2 {
        return Err(MyError::Status(503));
    }
    Ok(1)
}

#[retry(attempts = 3, start = "1s", deadline = "10s", attempt_timeout = "2s", bind = attempt)]
async fn limited(calls: &AtomicU32) -> Result<u32, MyError> {
    calls.fetch_add(1, Ordering::Relaxed);
    if attempt.number() < 3 {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    Ok(attempt.number())
}

#[tokio::test(start_paused = true)]
async fn works() {
    let calls = AtomicU32::new(0);
    let start = Instant::now();
    assert_eq!(simple(&calls).await.unwrap(), 1);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    let start = Instant::now();
    let calls = AtomicU32::new(0);
    assert_eq!(limited(&calls).await.unwrap(), 3);
    assert_eq!(start.elapsed(), Duration::from_secs(2 + 1 + 2 + 2));
    assert_eq!(MyError::Gone.class(), Class::Permanent);
    assert_eq!(MyError::Busy { wait: Duration::from_secs(1) }.server_delay(), Some(Duration::from_secs(1)));
    let client = reqwest::Client::new();
    let start = Instant::now();
    let _ = fetch(&client, "http://127.0.0.1:1").await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    let mut retry = Executor::new(&const { Policy::fixed(Duration::from_secs(2)) });
    let r: Result<u32, MyError> = async {
        loop {
            match retry.attempt(async { Err::<u32, _>(MyError::Gone) }).await {
                Ok(v) => break Ok(retry.succeed(v)),
                Err(e) => retry.pause(e)?.await,
            }
        }
    }
    .await;
    assert!(r.is_err());
}
