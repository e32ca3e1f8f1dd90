//! Helpers shared by the tests: operations that fail, a sleep and an observer that record, and random sources that return a
//! constant.

pub(crate) mod server;
pub(crate) mod trace;

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use reqwest::dns::{Name, Resolve, Resolving};
use retry_runtime::breaker::BreakerOpen;
use retry_runtime::{Class, Event, Observer, Retryable, TimedOut};
use tokio::time::Instant;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn all_ms<const N: usize>(milliseconds: [u64; N]) -> Vec<Duration> {
    milliseconds.map(ms).to_vec()
}

/// Records the start time of each attempt of a call.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<Vec<Instant>>);

impl Attempts {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Records the start of an attempt, and returns its number, counted from 1.
    pub(crate) fn start(&self) -> u32 {
        let mut starts = self.0.lock().unwrap();
        starts.push(Instant::now());
        starts.len() as u32
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.lock().unwrap().len() as u32
    }

    /// The time from each attempt to the next.
    pub(crate) fn delays(&self) -> Vec<Duration> {
        self.0.lock().unwrap().windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    /// Records the start of an attempt. It fails with `error` before attempt `number`, and then succeeds with its own number.
    pub(crate) fn succeed_at<E>(&self, number: u32, error: E) -> Result<u32, E> {
        let this = self.start();
        if this < number { Err(error) } else { Ok(this) }
    }
}

/// An error whose class, status and server delay the test chooses.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("fault")]
pub(crate) struct Fault {
    class: Class,
    status: Option<u16>,
    after: Option<Duration>,
}

impl Fault {
    pub(crate) const TRANSIENT: Self = Self::of(Class::Transient);
    pub(crate) const UNKNOWN: Self = Self::of(Class::Unknown);
    pub(crate) const PERMANENT: Self = Self::of(Class::Permanent);

    const fn of(class: Class) -> Self {
        Self { class, status: None, after: None }
    }

    pub(crate) const fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::of(Class::of_status(status)) }
    }

    pub(crate) const fn after(self, delay: Duration) -> Self {
        Self { after: Some(delay), ..self }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
    }
}

impl Retryable for Fault {
    fn class(&self) -> Class {
        self.class
    }
    fn status(&self) -> Option<u16> {
        self.status
    }
    fn server_delay(&self) -> Option<Duration> {
        self.after
    }
}

impl From<TimedOut> for Fault {
    fn from(_: TimedOut) -> Self {
        Self::TRANSIENT
    }
}

/// The error of an attempt that asks a breaker.
#[derive(Debug, PartialEq, thiserror::Error, Retryable)]
pub(crate) enum BreakerError {
    #[error(transparent)]
    #[retryable(source)]
    Open(#[from] BreakerOpen),
    #[error(transparent)]
    #[retryable(source)]
    Fault(#[from] Fault),
    #[error(transparent)]
    #[retryable(source)]
    Late(#[from] TimedOut),
}

/// A response that consists of a status.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FakeResponse(pub(crate) u16);

impl Retryable for FakeResponse {
    fn class(&self) -> Class {
        Class::of_status(self.0)
    }
    fn status(&self) -> Option<u16> {
        Some(self.0)
    }
}

/// The class of the failure of an outcome of any type.
macro_rules! class {
    ($outcome:expr) => {
        retry_runtime::verdict!(&$outcome).failure().map(|failure| failure.class())
    };
}

pub(crate) use class;

/// The class of an error of any type.
macro_rules! class_of {
    ($error:expr) => {
        $crate::support::class!(Err::<(), _>($error)).unwrap()
    };
}
pub(crate) use class_of;

/// Calls a function that is annotated with these arguments. Each attempt returns `$outcome`.
macro_rules! run {
    (($($arguments:tt)*) $output:ty, $outcome:expr) => {{
        #[retry_runtime::retry($($arguments)*)]
        async fn call(attempts: &$crate::support::Attempts) -> $output {
            attempts.start();
            $outcome
        }
        let attempts = $crate::support::Attempts::new();
        let outcome = call(&attempts).await;
        $crate::support::Run { outcome, delays: attempts.delays(), attempts: attempts.count() }
    }};
}
pub(crate) use run;

/// The outcome of a finished call, and its attempts.
pub(crate) struct Run<O> {
    pub(crate) outcome: O,
    pub(crate) delays: Vec<Duration>,
    pub(crate) attempts: u32,
}

/// A body that fails before its first byte.
pub(crate) struct Broken<E>(pub(crate) Option<E>);

impl<E: Unpin> http_body::Body for Broken<E> {
    type Data = bytes::Bytes;
    type Error = E;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, E>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

/// Records events, and the delays that [`recorded_sleep`] receives, in order.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    lines: Mutex<Vec<String>>,
    names: Mutex<Vec<String>>,
    elapsed: Mutex<Vec<Duration>>,
    slept: Mutex<Vec<Duration>>,
}

impl Recorder {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Takes the lines recorded so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// The names in the events.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    /// The time since the start in each event.
    pub(crate) fn elapsed(&self) -> Vec<Duration> {
        self.elapsed.lock().unwrap().clone()
    }

    pub(crate) fn slept(&self) -> Vec<Duration> {
        self.slept.lock().unwrap().clone()
    }

    /// Runs a future in which [`recorded_sleep`] records its delays here.
    pub(crate) async fn record_sleeps<F: Future>(self: &Arc<Self>, future: F) -> F::Output {
        RECORDER.scope(self.clone(), future).await
    }

    /// The same for blocking code.
    pub(crate) fn record_blocking_sleeps<O>(self: &Arc<Self>, body: impl FnOnce() -> O) -> O {
        RECORDER.sync_scope(self.clone(), body)
    }

    fn sleep(&self, delay: Duration) {
        self.lines.lock().unwrap().push(format!("slept {delay:?}"));
        self.slept.lock().unwrap().push(delay);
    }
}

/// Each event becomes a line such as `1/3 AttemptStarted`.
impl Observer for Recorder {
    fn on_event(&self, event: &Event<'_>) {
        let limit = event.attempts.map_or("-".to_owned(), |limit| limit.to_string());
        self.lines.lock().unwrap().push(format!("{}/{limit} {:?}", event.attempt, event.kind));
        self.names.lock().unwrap().push(event.name.to_owned());
        self.elapsed.lock().unwrap().push(event.elapsed);
    }
}

tokio::task_local! {
    static RECORDER: Arc<Recorder>;
}

/// A sleep for `sleep = …` that records the delay and returns at once. Works inside [`Recorder::record_sleeps`].
pub(crate) async fn recorded_sleep(delay: Duration) {
    RECORDER.with(|recorder| recorder.sleep(delay));
}

/// The same for `blocking`.
pub(crate) fn recorded_blocking_sleep(delay: Duration) {
    RECORDER.with(|recorder| recorder.sleep(delay));
}

pub(crate) fn lowest() -> f64 {
    0.0
}

pub(crate) fn middle() -> f64 {
    0.5
}

pub(crate) fn highest() -> f64 {
    0.999_999
}

/// Runs a future, and returns its output and the time it takes on a paused clock.
pub(crate) async fn timed<F: Future<Output: Debug>>(future: F) -> (F::Output, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}

/// A DNS resolver that fails for all names.
pub(crate) struct Nowhere;

impl Resolve for Nowhere {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Err("no such host".into()) })
    }
}
