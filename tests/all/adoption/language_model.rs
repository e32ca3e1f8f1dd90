//! A client of a language model sends a request, and reads the error from the body. Rate limits are retried, but not a quota that is
//! used up.

use std::time::Duration;

use super::{Run, Server, assert_same, run_of};

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
enum Error {
    #[error("{message}")]
    Api { status: u16, kind: Option<&'static str>, message: &'static str },
    #[error("connection failed")]
    Http,
}

struct Response {
    status: u16,
    body: Result<&'static str, (Option<&'static str>, &'static str)>,
}

type Client = Server<Result<Response, Error>>;

async fn execute(client: &Client, request: &str) -> Result<Response, Error> {
    client.reply(request)
}

async fn read_response(response: Response) -> Result<&'static str, Error> {
    response.body.map_err(|(kind, message)| Error::Api { status: response.status, kind, message })
}

const START: Duration = Duration::from_millis(500);

mod before {
    use std::iter::successors;

    use super::super::crates_of_today::backoff;
    use super::*;

    pub(super) async fn send(client: &Client, request: &str) -> Result<&'static str, Error> {
        let delays = successors(Some(START), |delay| Some(delay.mul_f64(1.5))).take(4);
        backoff::retry(delays, async || {
            let response = execute(client, request).await.map_err(backoff::Error::Permanent)?;
            read_response(response).await.map_err(|error| match error {
                Error::Api { status: 500.., .. } => backoff::Error::Transient(error),
                Error::Api { status: 429, kind, message } if kind != Some("insufficient_quota") => {
                    tracing::warn!("rate limited: {message}");
                    backoff::Error::Transient(error)
                }
                error => backoff::Error::Permanent(error),
            })
        })
        .await
    }
}

mod after {
    use retry_runtime::retry;

    use super::*;

    #[retry(attempts = 5, start = "500ms", factor = 1.5, on_error = is_retried)]
    pub(super) async fn send(client: &Client, request: &str) -> Result<&'static str, Error> {
        read_response(execute(client, request).await?).await
    }

    fn is_retried(error: &Error) -> bool {
        match error {
            Error::Api { status: 429, kind, .. } => *kind != Some("insufficient_quota"),
            Error::Api { status, .. } => *status >= 500,
            Error::Http => false,
        }
    }
}

fn fails(status: u16, kind: &'static str) -> Result<Response, Error> {
    Ok(Response { status, body: Err((Some(kind), "try later")) })
}

/// Runs both forms.
async fn both(replies: fn() -> Vec<Result<Response, Error>>) -> [Run; 2] {
    let client = Client::new(replies());
    let outcome = before::send(&client, "POST").await;
    let before = run_of(&outcome, &client.log);
    let client = Client::new(replies());
    let outcome = after::send(&client, "POST").await;
    [before, run_of(&outcome, &client.log)]
}

#[tokio::test(start_paused = true)]
async fn rate_limits_and_server_errors_are_retried() {
    const SUCCESS: Result<Response, Error> = Ok(Response { status: 200, body: Ok("{}") });
    let [before, after] = both(|| vec![fails(429, "tokens"), fails(503, "server"), SUCCESS]).await;
    assert_same(&before, &after, r#"Ok("{}")"#, &["0ns POST", "500ms POST", "1.25s POST"]);
    let [before, after] = both(|| (0..5).map(|_| fails(429, "tokens")).collect()).await;
    let notes = ["0ns POST", "500ms POST", "1.25s POST", "2.375s POST", "4.063s POST"];
    let error = r#"Err(Api { status: 429, kind: Some("tokens"), message: "try later" })"#;
    assert_same(&before, &after, error, &notes);
}

#[tokio::test(start_paused = true)]
async fn other_errors_are_not() {
    for replies in
        [|| vec![fails(429, "insufficient_quota")], || vec![fails(400, "invalid_request")], || vec![Err(Error::Http)]]
    {
        let [before, after] = both(replies).await;
        assert_eq!((&before, after.1.len()), (&after, 1));
    }
}
