//! A layer around a storage service retries its temporary errors. The user's interceptor receives each error and the delay. The
//! error that is returned is marked, so that a layer around this one does not retry it too.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{Log, Run, Server, assert_same, run_of};

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
struct Error {
    message: &'static str,
    is_temporary: bool,
    is_persistent: bool,
}

impl Error {
    fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    fn set_persistent(self) -> Self {
        Self { is_persistent: self.is_temporary, is_temporary: false, ..self }
    }
}

type Args = Vec<u8>;

#[async_trait]
trait Access: Send + Sync {
    async fn read(&self, path: &str, args: Args) -> Result<&'static str, Error>;
}

trait Intercept: Send + Sync {
    fn intercept(&self, error: &Error, delay: Duration);
}

struct Service(Arc<Server<Result<&'static str, Error>>>);

#[async_trait]
impl Access for Service {
    async fn read(&self, path: &str, _: Args) -> Result<&'static str, Error> {
        self.0.reply(format_args!("read {path}"))
    }
}

struct Notes(Arc<Server<Result<&'static str, Error>>>);

impl Notes {
    fn log(&self) -> &Log {
        &self.0.log
    }
}

impl Intercept for Notes {
    fn intercept(&self, error: &Error, delay: Duration) {
        self.log().note(format_args!("{error}, {delay:?}"));
    }
}

mod before {
    use std::iter::RepeatN;

    use super::super::crates_of_today::backon::Retryable as _;
    use super::*;

    pub(super) struct RetryLayer<A, I> {
        pub(super) inner: A,
        pub(super) notify: I,
        pub(super) delays: RepeatN<Duration>,
    }

    #[async_trait]
    impl<A: Access, I: Intercept> Access for RetryLayer<A, I> {
        async fn read(&self, path: &str, args: Args) -> Result<&'static str, Error> {
            { || self.inner.read(path, args.clone()) }
                .retry(self.delays.clone())
                .when(Error::is_temporary)
                .notify(|error, delay| self.notify.intercept(error, delay))
                .await
                .map_err(Error::set_persistent)
        }
    }
}

mod after {
    use retry_runtime::Policy;

    use super::*;

    pub(super) struct RetryLayer<A, I> {
        pub(super) inner: A,
        pub(super) notify: I,
        pub(super) policy: Policy,
    }

    #[async_trait]
    impl<A: Access, I: Intercept> Access for RetryLayer<A, I> {
        async fn read(&self, path: &str, args: Args) -> Result<&'static str, Error> {
            self.policy
                .run(|_| self.inner.read(path, args.clone()))
                .when(Error::is_temporary)
                .on_retry(|retrying| retrying.error().map_or((), |e| self.notify.intercept(e, retrying.delay())))
                .await
                .map_err(Error::set_persistent)
        }
    }
}

const DELAY: Duration = Duration::from_secs(1);
const BUSY: Error = Error { message: "busy", is_temporary: true, is_persistent: false };
const DENIED: Error = Error { message: "denied", is_temporary: false, is_persistent: false };

/// Runs both forms, each in its own task.
async fn both(replies: &[Result<&'static str, Error>]) -> [Run; 2] {
    let server = Arc::new(Server::new(replies.to_vec()));
    let (inner, notify) = (Service(server.clone()), Notes(server.clone()));
    let layer = before::RetryLayer { inner, notify, delays: std::iter::repeat_n(DELAY, 2) };
    let outcome = tokio::spawn(async move { layer.read("a", vec![]).await }).await.unwrap();
    let before = run_of(&outcome, &server.log);

    let server = Arc::new(Server::new(replies.to_vec()));
    let (inner, notify) = (Service(server.clone()), Notes(server.clone()));
    let layer = after::RetryLayer { inner, notify, policy: retry_runtime::Policy::fixed(DELAY).attempts(3) };
    let outcome = tokio::spawn(async move { layer.read("a", vec![]).await }).await.unwrap();
    [before, run_of(&outcome, &server.log)]
}

#[tokio::test(start_paused = true)]
async fn the_interceptor_receives_the_error_and_the_delay() {
    let [before, after] = both(&[Err(BUSY), Ok("content")]).await;
    assert_same(&before, &after, r#"Ok("content")"#, &["0ns read a", "0ns busy, 1s", "1s read a"]);
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_marked() {
    let [before, after] = both(&[Err(BUSY), Err(BUSY), Err(BUSY)]).await;
    let notes = ["0ns read a", "0ns busy, 1s", "1s read a", "1s busy, 1s", "2s read a"];
    let error = "Err(Error { message: \"busy\", is_temporary: false, is_persistent: true })";
    assert_same(&before, &after, error, &notes);
    let [before, after] = both(&[Err(DENIED)]).await;
    let error = "Err(Error { message: \"denied\", is_temporary: false, is_persistent: false })";
    assert_same(&before, &after, error, &["0ns read a"]);
}
