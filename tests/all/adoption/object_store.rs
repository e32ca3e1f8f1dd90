//! An object store's client sends requests through a context that counts the retries of a whole upload, with decorrelated jitter. The
//! body of a client error is read for its message before the client gives up.
//!
//! One difference remains near the timeout: today's form starts a retry if the timeout has not passed when the attempt fails, the library's
//! form only if the delay ends before it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, Server, assert_same, half, run_of};

pub(super) struct Config {
    pub(super) max_retries: u32,
    pub(super) retry_timeout: Duration,
    pub(super) first_delay: Duration,
    pub(super) max_delay: Duration,
    pub(super) base: f64,
}

impl Config {
    pub(super) const STANDARD: Self = Self {
        max_retries: 4,
        retry_timeout: Duration::from_secs(180),
        first_delay: Duration::from_millis(100),
        max_delay: Duration::from_secs(15),
        base: 2.0,
    };
}

#[derive(Clone, Copy)]
struct Request {
    path: &'static str,
    is_idempotent: bool,
}

#[derive(Debug)]
struct Response {
    status: u16,
    body: &'static str,
}

impl Response {
    async fn text(self) -> Result<String, HttpError> {
        Ok(self.body.to_owned())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
enum HttpError {
    #[error("connection refused")]
    Connect,
    #[error("connection lost")]
    Interrupted,
}

#[derive(Debug, thiserror::Error)]
enum RequestError {
    #[error("status {status}")]
    Status { status: u16, body: Option<String> },
    #[error(transparent)]
    Http(HttpError),
}

#[derive(Debug)]
#[expect(dead_code, reason = "compared by its `Debug`")]
struct RetryError {
    retries: u32,
    elapsed: Duration,
    source: RequestError,
}

type Client = Server<Result<Response, HttpError>>;

async fn execute(client: &Client, request: Request) -> Result<Response, HttpError> {
    client.reply(request.path)
}

fn status_is_retried(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}

impl HttpError {
    fn is_retried(self, request: Request) -> bool {
        self == Self::Connect || request.is_idempotent
    }
}

pub(super) mod before {
    use super::*;

    pub(crate) struct RetryContext {
        started: Instant,
        retry_timeout: Duration,
        retries: u32,
        max_retries: u32,
        first_delay: f64,
        max_delay: f64,
        base: f64,
        delay: f64,
    }

    impl RetryContext {
        pub(crate) fn new(config: &Config) -> Self {
            Self {
                started: Instant::now(),
                retry_timeout: config.retry_timeout,
                retries: 0,
                max_retries: config.max_retries,
                first_delay: config.first_delay.as_secs_f64(),
                max_delay: config.max_delay.as_secs_f64(),
                base: config.base,
                delay: config.first_delay.as_secs_f64(),
            }
        }

        pub(crate) fn exhausted(&self) -> bool {
            self.retries == self.max_retries || self.started.elapsed() > self.retry_timeout
        }

        pub(crate) fn backoff(&mut self) -> Duration {
            self.retries += 1;
            let range = self.delay * self.base - self.first_delay;
            self.delay = self.max_delay.min(self.first_delay + half() * range);
            Duration::from_secs_f64(self.delay)
        }

        fn error(&self, source: RequestError) -> RetryError {
            RetryError { retries: self.retries, elapsed: self.started.elapsed(), source }
        }
    }

    pub(super) async fn send(
        client: &Client,
        request: Request,
        ctx: &mut RetryContext,
    ) -> Result<Response, RetryError> {
        loop {
            match execute(client, request).await {
                Ok(response) if response.status < 400 => return Ok(response),
                Ok(response) => {
                    let status = response.status;
                    if ctx.exhausted() || !status_is_retried(status) {
                        let body = match status < 500 {
                            true => Some(response.text().await.map_err(|error| ctx.error(RequestError::Http(error)))?),
                            false => None,
                        };
                        return Err(ctx.error(RequestError::Status { status, body }));
                    }
                    let delay = ctx.backoff();
                    tracing::info!("server error {status}, retry {} of {} in {delay:?}", ctx.retries, ctx.max_retries);
                    tokio::time::sleep(delay).await;
                }
                Err(error) => {
                    if ctx.exhausted() || !error.is_retried(request) {
                        return Err(ctx.error(RequestError::Http(error)));
                    }
                    let delay = ctx.backoff();
                    tracing::info!("{error}, retry {} of {} in {delay:?}", ctx.retries, ctx.max_retries);
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }
}

pub(super) mod after {
    use retry_runtime::Executor;
    use retry_runtime::policy::PolicyBuilder;

    use super::*;

    pub(crate) fn context(config: &Config) -> Executor {
        let policy = PolicyBuilder::decorrelated(config.first_delay, config.max_delay).factor(config.base);
        let policy = policy.attempts(config.max_retries.saturating_add(1)).deadline(config.retry_timeout);
        Executor::new(policy.random_source(half).clamp()).name("object store")
    }

    pub(super) async fn send(client: &Client, request: Request, retry: &mut Executor) -> Result<Response, RetryError> {
        loop {
            let (failed, body) = match retry.attempt_to_end(execute(client, request)).await {
                Ok(response) if response.status < 400 => return Ok(response),
                Ok(response) => (RequestError::Status { status: response.status, body: None }, Some(response)),
                Err(error) => (RequestError::Http(error), None),
            };
            let is_retried = match failed {
                RequestError::Status { status, .. } => status_is_retried(status),
                RequestError::Http(error) => error.is_retried(request),
            };
            match if is_retried { retry.pause(failed) } else { Err(retry.fail(failed)) } {
                Ok(pause) => pause.await,
                Err(error) => return Err(with_body(retry, error, body).await),
            }
        }
    }

    async fn with_body(retry: &Executor, mut source: RequestError, response: Option<Response>) -> RetryError {
        if let (RequestError::Status { status: ..500, body }, Some(response)) = (&mut source, response) {
            match response.text().await {
                Ok(text) => *body = Some(text),
                Err(error) => source = RequestError::Http(error),
            }
        }
        RetryError { retries: retry.current().number() - 1, elapsed: retry.current().elapsed(), source }
    }
}

const PART: Request = Request { path: "PUT part", is_idempotent: true };
const COMPLETE: Request = Request { path: "POST complete", is_idempotent: false };

fn status(status: u16) -> Result<Response, HttpError> {
    Ok(Response { status, body: "<Message/>" })
}

/// Uploads two parts with both forms.
async fn both(replies: fn() -> Vec<Result<Response, HttpError>>) -> [Run; 2] {
    let client = Client::new(replies());
    let mut ctx = before::RetryContext::new(&Config::STANDARD);
    let mut outcome = Ok(());
    for request in [PART, PART, COMPLETE] {
        if outcome.is_ok() {
            outcome = before::send(&client, request, &mut ctx).await.map(drop);
        }
    }
    let before = run_of(&outcome, &client.log);

    let client = Client::new(replies());
    let mut retry = after::context(&Config::STANDARD);
    let mut outcome = Ok(());
    for request in [PART, PART, COMPLETE] {
        if outcome.is_ok() {
            outcome = after::send(&client, request, &mut retry).await.map(drop);
        }
    }
    [before, run_of(&outcome, &client.log)]
}

#[tokio::test(start_paused = true)]
async fn one_context_counts_the_retries_of_all_parts() {
    let [before, after] = both(|| {
        vec![status(503), status(200), Err(HttpError::Interrupted), status(429), status(200), status(500), status(503)]
    })
    .await;
    let notes = [
        "0ns PUT part",
        "150ms PUT part",
        "150ms PUT part",
        "350ms PUT part",
        "600ms PUT part",
        "600ms POST complete",
        "900ms POST complete",
    ];
    let error = "Err(RetryError { retries: 4, elapsed: 900ms, source: Status { status: 503, body: None } })";
    assert_same(&before, &after, error, &notes);
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_client_error_is_read() {
    let [before, after] = both(|| vec![status(503), status(403)]).await;
    let error =
        "Err(RetryError { retries: 1, elapsed: 150ms, source: Status { status: 403, body: Some(\"<Message/>\") } })";
    assert_same(&before, &after, error, &["0ns PUT part", "150ms PUT part"]);
    let [before, after] = both(|| vec![status(429), status(429), status(429), status(429), status(429)]).await;
    assert_eq!(before, after);
    assert!(after.0.contains("retries: 4") && after.0.contains("Some(\"<Message/>\")"), "{}", after.0);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_may_have_arrived_is_not_repeated() {
    let [before, after] = both(|| vec![status(200), status(200), Err(HttpError::Interrupted)]).await;
    let error = "Err(RetryError { retries: 0, elapsed: 0ns, source: Http(Interrupted) })";
    assert_same(&before, &after, error, &["0ns PUT part", "0ns PUT part", "0ns POST complete"]);
}
