//! An object store's client reads a stream of bytes. If the stream breaks, a `Range` request resumes it at the offset reached, but only
//! for the object with the same `ETag`.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream, TryStreamExt as _};

use super::object_store::Config;
use super::{Log, Run, assert_same, run_of};

#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
struct Error(&'static str);

type Chunk = Result<&'static str, Error>;

struct Body(VecDeque<Chunk>);

impl Body {
    async fn next(&mut self) -> Option<Chunk> {
        self.0.pop_front()
    }
}

struct Client {
    bodies: std::sync::Mutex<VecDeque<(Vec<Chunk>, &'static str)>>,
    log: Log,
}

impl Client {
    /// `If-Match` fails if the object has another tag.
    async fn get(&self, offset: usize, etag: Option<&str>) -> Result<(Body, &'static str), Error> {
        self.log.note(format_args!("GET {offset}-"));
        let (chunks, tag) = self.bodies.lock().unwrap().pop_front().unwrap();
        match etag.is_none_or(|etag| etag == tag) {
            true => Ok((Body(chunks.into()), tag)),
            false => Err(Error("the object has changed")),
        }
    }
}

mod before {
    use super::super::object_store::before::RetryContext;
    use super::*;

    struct State<'a> {
        client: &'a Client,
        body: Body,
        etag: &'static str,
        offset: usize,
        ctx: RetryContext,
    }

    pub(super) async fn download(client: &Client) -> Result<impl Stream<Item = Chunk>, Error> {
        let ctx = RetryContext::new(&Config::STANDARD);
        let (body, etag) = client.get(0, None).await?;
        let state = State { client, body, etag, offset: 0, ctx };
        Ok(stream::try_unfold(state, async |mut state| {
            loop {
                match state.body.next().await {
                    None => return Ok(None),
                    Some(Ok(chunk)) => {
                        state.offset += chunk.len();
                        return Ok(Some((chunk, state)));
                    }
                    Some(Err(error)) if state.ctx.exhausted() => return Err(error),
                    Some(Err(error)) => {
                        let delay = state.ctx.backoff();
                        tracing::info!("{error} while reading the body, next attempt in {delay:?}");
                        tokio::time::sleep(delay).await;
                        (state.body, _) = state.client.get(state.offset, Some(state.etag)).await?;
                    }
                }
            }
        }))
    }
}

mod after {
    use retry_runtime::Executor;

    use super::super::object_store::after::context;
    use super::*;

    struct State<'a> {
        client: &'a Client,
        body: Body,
        etag: &'static str,
        offset: usize,
        retry: Executor,
    }

    pub(super) async fn download(client: &Client) -> Result<impl Stream<Item = Chunk>, Error> {
        let retry = context(&Config::STANDARD);
        let (body, etag) = client.get(0, None).await?;
        let state = State { client, body, etag, offset: 0, retry };
        Ok(stream::try_unfold(state, async |mut state| {
            loop {
                match state.retry.attempt_to_end(state.body.next()).await.transpose() {
                    Ok(None) => return Ok(state.retry.succeed(None)),
                    Ok(Some(chunk)) => {
                        state.offset += chunk.len();
                        return Ok(Some((chunk, state)));
                    }
                    Err(error) => {
                        state.retry.pause(error)?.await;
                        (state.body, _) = state.client.get(state.offset, Some(state.etag)).await?;
                    }
                }
            }
        }))
    }
}

/// Downloads with both forms.
async fn both(bodies: fn() -> Vec<(Vec<Chunk>, &'static str)>) -> [Run; 2] {
    let client = || Client { bodies: std::sync::Mutex::new(bodies().into()), log: Log::new() };
    let read = |client: &Client, chunk: &'static str| {
        client.log.note(chunk);
        Ok(())
    };
    let one = client();
    let chunks = before::download(&one).await.unwrap();
    let outcome = chunks.try_for_each(async |chunk| read(&one, chunk)).await;
    let before = run_of(&outcome, &one.log);
    let two = client();
    let chunks = after::download(&two).await.unwrap();
    let outcome = chunks.try_for_each(async |chunk| read(&two, chunk)).await;
    [before, run_of(&outcome, &two.log)]
}

const LOST: Chunk = Err(Error("connection lost"));

#[tokio::test(start_paused = true)]
async fn it_resumes_at_the_offset_reached() {
    let [before, after] =
        both(|| vec![(vec![Ok("abc"), Ok("de"), LOST], "v1"), (vec![LOST], "v1"), (vec![Ok("f")], "v1")]).await;
    let notes = ["0ns GET 0-", "0ns abc", "0ns de", "150ms GET 5-", "350ms GET 5-", "350ms f"];
    assert_same(&before, &after, "Ok(())", &notes);
}

#[tokio::test(start_paused = true)]
async fn another_version_of_the_object_is_an_error() {
    let [before, after] = both(|| vec![(vec![Ok("abc"), LOST], "v1"), (vec![Ok("xyz")], "v2")]).await;
    let notes = ["0ns GET 0-", "0ns abc", "150ms GET 3-"];
    assert_same(&before, &after, r#"Err(Error("the object has changed"))"#, &notes);
}

#[tokio::test(start_paused = true)]
async fn progress_does_not_bring_retries_back() {
    let [before, after] = both(|| vec![(vec![Ok("a"), LOST], "v1"); 5]).await;
    assert_eq!(before, after);
    assert_eq!(after.0, r#"Err(Error("connection lost"))"#);
    assert_eq!(after.1.last().unwrap(), "900ms a");
}
