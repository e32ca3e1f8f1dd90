//! An editor sends a search request with a token. If a header says that the token has expired, it fetches a new token and sends the
//! request again. Other failures are errors with the response's body.

use super::{Run, Server, assert_same, run_of};

struct Response {
    status: u16,
    has_expired_header: bool,
    body: &'static str,
}

impl Response {
    async fn text(self) -> anyhow::Result<&'static str> {
        Ok(self.body)
    }
}

type Client = Server<anyhow::Result<Response>>;

async fn send(client: &Client, query: &str, token: &str) -> anyhow::Result<Response> {
    client.reply(format_args!("search {query} with {token}"))
}

async fn acquire_token(client: &Client) -> anyhow::Result<&'static str> {
    client.log.note("acquire");
    Ok("old token")
}

async fn refresh_token(client: &Client) -> anyhow::Result<&'static str> {
    client.log.note("refresh");
    Ok("new token")
}

mod before {
    use super::*;

    pub(super) async fn search(client: &Client, query: &str) -> anyhow::Result<&'static str> {
        const MAX_RETRIES: usize = 3;
        let mut token = acquire_token(client).await?;
        let mut retries = 0;
        loop {
            let response = send(client, query, token).await?;
            if response.status == 200 {
                return response.text().await;
            }
            if response.has_expired_header && retries < MAX_RETRIES {
                retries += 1;
                token = refresh_token(client).await?;
                continue;
            }
            let status = response.status;
            anyhow::bail!("error performing web search: status {status}, {}", response.text().await?);
        }
    }
}

mod after {
    use retry_runtime::retry;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("error performing web search: status {0}, {1}")]
    struct Expired(u16, &'static str);

    #[retry(attempts = 4, backoff = "fixed", start = "0s", bind = attempt, on_error = |error| error.is::<Expired>())]
    pub(super) async fn search(client: &Client, query: &str) -> anyhow::Result<&'static str> {
        let is_first = attempt.number() == 1;
        let token = if is_first { acquire_token(client).await? } else { refresh_token(client).await? };
        let response = send(client, query, token).await?;
        match (response.status, response.has_expired_header) {
            (200, _) => response.text().await,
            (status, true) => Err(Expired(status, response.text().await?).into()),
            (status, false) => {
                anyhow::bail!("error performing web search: status {status}, {}", response.text().await?)
            }
        }
    }
}

fn responds(status: u16, has_expired_header: bool, body: &'static str) -> anyhow::Result<Response> {
    Ok(Response { status, has_expired_header, body })
}

/// Runs both forms.
async fn both(replies: fn() -> Vec<anyhow::Result<Response>>) -> [Run; 2] {
    let client = Client::new(replies());
    let outcome = before::search(&client, "rust").await.map_err(|error| error.to_string());
    let before = run_of(&outcome, &client.log);
    let client = Client::new(replies());
    let outcome = after::search(&client, "rust").await.map_err(|error| error.to_string());
    [before, run_of(&outcome, &client.log)]
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refreshed() {
    let [before, after] = both(|| vec![responds(401, true, "expired"), responds(200, false, "results")]).await;
    let notes = ["0ns acquire", "0ns search rust with old token", "0ns refresh", "0ns search rust with new token"];
    assert_same(&before, &after, r#"Ok("results")"#, &notes);
}

#[tokio::test(start_paused = true)]
async fn other_failures_are_errors() {
    for replies in [
        || vec![responds(401, false, "no")],
        || vec![Err(anyhow::anyhow!("refused"))],
        || vec![responds(503, false, "")],
    ] {
        let [before, after] = both(replies).await;
        assert_eq!((&before, after.1.len()), (&after, 2));
        assert!(after.0.starts_with("Err("));
    }
}

#[tokio::test(start_paused = true)]
async fn three_refreshes_are_enough() {
    let [before, after] = both(|| (0..4).map(|_| responds(401, true, "expired")).collect()).await;
    assert_eq!(before, after);
    assert_eq!((after.0.as_str(), after.1.len()), (r#"Err("error performing web search: status 401, expired")"#, 8));
}
