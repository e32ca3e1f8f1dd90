//! `TowerPolicy` in tower's retry layer, on a paused clock.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::{Request, Response};
use retry_runtime::tower::{AnyRequest, TowerPolicy};
use retry_runtime::{Condition, OnError, Policy};
use tokio::time::{sleep, timeout};
use tower::retry::{Policy as _, Retry};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::{Reply, Server, client};
use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, ms, timed};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);

/// A service that fails before attempt `succeed_at`.
fn failing(
    attempts: &Arc<Attempts>,
    succeed_at: u32,
    error: Fault,
) -> impl Service<&'static str, Response = u32, Error = Fault, Future = Ready<Result<u32, Fault>>> + Clone + use<> {
    let attempts = attempts.clone();
    service_fn(move |_| ready(attempts.succeed_at(succeed_at, error)))
}

/// Makes one call under this policy. Returns its outcome, the attempts and the events.
async fn call(policy: TowerPolicy, succeed_at: u32, error: Fault) -> (Result<u32, Fault>, Arc<Attempts>, Vec<String>) {
    let (attempts, recorder) = (Arc::new(Attempts::new()), Recorder::new());
    let policy = policy.observer(recorder.clone());
    let service = ServiceBuilder::new().retry(policy).service(failing(&attempts, succeed_at, error));
    (service.oneshot("request").await, attempts, recorder.lines())
}

#[tokio::test(start_paused = true)]
async fn call_is_retried_and_emits_events() {
    let (outcome, attempts, lines) = call(TowerPolicy::new(POLICY), 3, Fault::status(503)).await;
    assert_eq!((outcome, attempts.delays()), (Ok(3), all_ms([1000, 2000])));
    assert_eq!(
        lines,
        [
            "1/3 AttemptStarted",
            "1/3 AttemptFailed { class: Transient, status: Some(503), reason: fault }",
            "1/3 Waiting { delay: 1s, source: Backoff }",
            "2/3 AttemptStarted",
            "2/3 AttemptFailed { class: Transient, status: Some(503), reason: fault }",
            "2/3 Waiting { delay: 2s, source: Backoff }",
            "3/3 AttemptStarted",
            "3/3 Succeeded",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn last_error_is_returned_when_no_attempt_is_left() {
    let (outcome, attempts, lines) = call(TowerPolicy::new(POLICY), 9, Fault::UNKNOWN).await;
    assert_eq!((outcome, attempts.count()), (Err(Fault::UNKNOWN), 3));
    assert_eq!(lines[8..], ["3/3 GaveUp(Exhausted)"]);
}

#[tokio::test(start_paused = true)]
async fn permanent_error_is_retried_only_if_the_condition_allows_it() {
    let (outcome, attempts, lines) = call(TowerPolicy::new(POLICY), 2, Fault::PERMANENT).await;
    assert_eq!((outcome, attempts.count()), (Err(Fault::PERMANENT), 1));
    assert_eq!(lines[2..], ["1/3 GaveUp(Permanent)"]);
    let any = TowerPolicy::new(POLICY).condition(Condition::new().on_error(OnError::Any));
    assert_eq!(call(any, 2, Fault::PERMANENT).await.0, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn server_delay_is_respected() {
    let (_, attempts, lines) = call(TowerPolicy::new(POLICY), 2, Fault::TRANSIENT.after(SECOND * 7)).await;
    assert_eq!(attempts.delays(), all_ms([7000]));
    assert_eq!(lines[2], "1/3 Waiting { delay: 7s, source: Server }");
}

#[tokio::test(start_paused = true)]
async fn deadline_starts_with_the_call_and_ends_its_retries() {
    let policy = TowerPolicy::new(Policy::fixed(SECOND).attempts(9).deadline(ms(2500)));
    sleep(SECOND * 10).await;
    let (outcome, attempts, lines) = call(policy, 9, Fault::UNKNOWN).await;
    assert_eq!((outcome, attempts.count()), (Err(Fault::UNKNOWN), 3));
    assert_eq!(lines.last().unwrap(), "3/9 GaveUp(Deadline)");
}

#[test]
#[should_panic = "instead of `attempt_timeout`, put a `tower::timeout::TimeoutLayer` below the retry layer"]
fn attempt_timeout_panics() {
    let _ = TowerPolicy::new(POLICY.attempt_timeout(SECOND));
}

#[tokio::test(start_paused = true)]
async fn timeout_layer_cuts_attempts_off() {
    let attempts = Arc::new(Attempts::new());
    let slow = service_fn(async |attempts: Arc<Attempts>| {
        attempts.start();
        pending::<Result<(), BoxError>>().await
    });
    let transient = TowerPolicy::new(POLICY).condition(Condition::new().on_error(OnError::Transient));
    let service = ServiceBuilder::new().retry(transient).timeout(SECOND * 5).service(slow);
    assert!(service.oneshot(attempts.clone()).await.unwrap_err().is::<tower::timeout::error::Elapsed>());
    assert_eq!(attempts.delays(), all_ms([6000, 7000]));
}

#[tokio::test(start_paused = true)]
async fn boxed_errors_are_classified() {
    let attempts = Arc::new(Attempts::new());
    let boxed = |error: Fault| BoxError::from(error);
    let refused = |_| -> BoxError { io::Error::from(io::ErrorKind::InvalidInput).into() };
    let service = failing(&attempts, 2, Fault::UNKNOWN).map_err(boxed);
    ServiceBuilder::new().retry(TowerPolicy::new(POLICY)).service(service).oneshot("request").await.unwrap();
    let service = failing(&attempts, 9, Fault::UNKNOWN).map_err(refused);
    ServiceBuilder::new().retry(TowerPolicy::new(POLICY)).service(service).oneshot("request").await.unwrap_err();
    assert_eq!(attempts.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_share_no_state() {
    let (attempts, recorder) = (Arc::new(Attempts::new()), Recorder::new());
    let policy = TowerPolicy::new(Policy::exponential(SECOND).attempts(2)).observer(recorder.clone());
    let mut service = Retry::new(policy, failing(&attempts, 9, Fault::UNKNOWN));
    let first = tokio::spawn(service.ready().await.unwrap().call("first"));
    sleep(ms(300)).await;
    let second = tokio::spawn(service.ready().await.unwrap().call("second"));
    let _ = (first.await.unwrap(), second.await.unwrap());
    assert_eq!(attempts.delays(), all_ms([300, 700, 300]));
    let lines = recorder.lines();
    assert_eq!(lines.iter().filter(|line| *line == "1/2 AttemptStarted").count(), 2);
    assert_eq!(lines.iter().filter(|line| *line == "2/2 GaveUp(Exhausted)").count(), 2);
    assert_eq!(recorder.elapsed(), all_ms([0, 0, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000, 1000]));
}

/// The test has no runtime, so a timer would panic.
#[test]
fn zero_delay_yields_once_without_a_timer() {
    let attempts = Arc::new(Attempts::new());
    let mut service =
        Retry::new(TowerPolicy::new(Policy::fixed(Duration::ZERO)), failing(&attempts, 2, Fault::UNKNOWN));
    let mut call = pin!(service.call("request"));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert_eq!(call.as_mut().poll(&mut cx), Poll::Ready(Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn request_that_cannot_be_cloned_again_ends_its_call() {
    #[derive(Debug)]
    struct Once(bool);
    let (attempts, recorder) = (Arc::new(Attempts::new()), Recorder::new());
    let policy = TowerPolicy::new(POLICY).name("tower::cloned once").observer(recorder.clone());
    let policy = policy.cloning(|request: &Once| request.0.then_some(Once(false)));
    let service = failing(&attempts, 9, Fault::UNKNOWN).map_request(|_: Once| "request");
    let service = ServiceBuilder::new().retry(policy).service(service);
    service.clone().oneshot(Once(false)).await.unwrap_err();
    assert_eq!((attempts.count(), recorder.lines().len()), (1, 0));
    service.oneshot(Once(true)).await.unwrap_err();
    assert_eq!(attempts.count(), 3);
    assert_eq!(
        recorder.lines()[2..],
        ["1/3 Waiting { delay: 1s, source: Backoff }", "2/3 AttemptStarted", "2/3 GaveUp(BodyUsedUp)"]
    );
    let rows = retry_runtime::stats::report().rows;
    let row = rows.iter().find(|row| row.name == "tower::cloned once").unwrap();
    assert_eq!((row.calls, row.recovered + row.gave_up + row.cancelled), (1, 1));
}

/// Calls that are dropped before their end.
mod cancelled {
    use super::*;

    /// The last event of a call that is dropped after this many milliseconds.
    async fn after<S>(service: S, milliseconds: u64) -> String
    where
        S: Service<&'static str, Response = u32, Error = Fault> + Clone,
    {
        let recorder = Recorder::new();
        let policy = TowerPolicy::new(POLICY).observer(recorder.clone());
        let service = ServiceBuilder::new().retry(policy).service(service);
        timeout(ms(milliseconds), service.oneshot("request")).await.unwrap_err();
        recorder.lines().pop().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn call_dropped_in_an_attempt_emits_cancelled() {
        let silent = service_fn(|_| pending::<Result<u32, Fault>>());
        assert_eq!(after(silent, 10).await, "1/3 Cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn call_dropped_in_a_pause_emits_cancelled() {
        let attempts = Arc::new(Attempts::new());
        assert_eq!(after(failing(&attempts, 9, Fault::UNKNOWN), 500).await, "1/3 Cancelled");
        assert_eq!(after(failing(&attempts, 9, Fault::UNKNOWN), 1500).await, "2/3 Cancelled");
    }

    #[tokio::test(start_paused = true)]
    async fn call_dropped_before_the_service_is_ready_emits_cancelled() {
        assert_eq!(after(ReadyOnce { is_used: false }, 1500).await, "1/3 Cancelled");
    }

    /// A service that is ready once, and fails.
    #[derive(Clone)]
    struct ReadyOnce {
        is_used: bool,
    }

    impl Service<&'static str> for ReadyOnce {
        type Response = u32;
        type Error = Fault;
        type Future = Ready<Result<u32, Fault>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Fault>> {
            if self.is_used { Poll::Pending } else { Poll::Ready(Ok(())) }
        }

        fn call(&mut self, _: &'static str) -> Self::Future {
            self.is_used = true;
            ready(Err(Fault::UNKNOWN))
        }
    }
}

/// Some layers clone the policy before a call, and not between the start and the end of the call.
#[tokio::test(start_paused = true)]
async fn policy_works_without_a_clone_during_the_call() {
    let mut policy = TowerPolicy::<AnyRequest>::new(POLICY);
    for _ in 0..2 {
        let mut outcome = Err::<u32, _>(Fault::UNKNOWN);
        let mut pauses = vec![];
        while let Some(pause) = { policy.begin().retry(&mut (), &mut outcome) } {
            pauses.push(pause.delay());
            pause.await;
        }
        assert_eq!(pauses, all_ms([1000, 2000]));
    }
}

trait Begin {
    fn begin(&mut self) -> &mut Self;
}

impl Begin for TowerPolicy {
    fn begin(&mut self) -> &mut Self {
        tower::retry::Policy::<(), u32, Fault>::clone_request(self, &()).unwrap();
        self
    }
}

#[tokio::test(start_paused = true)]
async fn panic_in_a_call_does_not_affect_the_next_call() {
    let recorder = Recorder::new();
    let policy = TowerPolicy::new(Policy::fixed(SECOND).attempts(2).deadline(SECOND * 3)).observer(recorder.clone());
    let panics =
        service_fn(|request: &str| if request == "panic" { panic!() } else { ready(Err::<u32, _>(Fault::UNKNOWN)) });
    let mut service = Retry::new(policy, panics);
    std::panic::catch_unwind(AssertUnwindSafe(|| drop(service.call("panic")))).unwrap_err();
    sleep(SECOND * 10).await;
    let (_, took) = timed(service.call("request")).await;
    assert_eq!(took, SECOND);
    assert_eq!(recorder.lines().last().unwrap(), "2/2 GaveUp(Exhausted)");
}

/// `http::Request` and `http::Response`.
mod http {
    use super::*;

    fn request(method: &str) -> Request<&'static str> {
        Request::builder().method(method).body("body").unwrap()
    }

    fn response(status: u16) -> Response<Vec<u8>> {
        Response::builder().status(status).body(vec![]).unwrap()
    }

    /// Sends a request that always gets this response. Returns the number of attempts, and the last event.
    async fn attempts<E: retry_runtime::Retryable + std::fmt::Display>(
        policy: TowerPolicy<retry_runtime::tower::HttpRequests>,
        request: Request<&'static str>,
        respond: impl Fn() -> Result<Response<Vec<u8>>, E> + Clone,
    ) -> (u32, String) {
        let (attempts, recorder) = (Attempts::new(), Recorder::new());
        let policy = policy.observer(recorder.clone());
        let service = service_fn(|_: Request<&'static str>| {
            attempts.start();
            ready(respond())
        });
        drop(ServiceBuilder::new().retry(policy).service(service).oneshot(request).await);
        (attempts.count(), recorder.lines().pop().unwrap())
    }

    fn busy() -> Result<Response<Vec<u8>>, Infallible> {
        Ok(response(503))
    }

    fn busy_with_retry_after() -> Result<Response<Vec<u8>>, Infallible> {
        let mut response = response(503);
        response.headers_mut().insert("retry-after", "7".parse().unwrap());
        Ok(response)
    }

    const EXHAUSTED: &str = "3/3 GaveUp(Exhausted)";

    #[tokio::test(start_paused = true)]
    async fn response_is_classified_by_its_status() {
        let policy = || TowerPolicy::http(POLICY);
        assert_eq!(attempts(policy(), request("GET"), busy).await, (3, EXHAUSTED.to_owned()));
        let missing = || Ok::<_, Infallible>(response(404));
        assert_eq!(attempts(policy(), request("GET"), missing).await, (1, "1/3 GaveUp(Permanent)".to_owned()));
        let teapot = || Ok::<_, Infallible>(response(418));
        let condition = Condition::new().on_status(const { &[418..=418] });
        assert_eq!(attempts(policy().condition(condition), request("GET"), teapot).await.0, 3);
        let fine = || Ok::<_, Infallible>(response(200));
        assert_eq!(attempts(policy(), request("GET"), fine).await, (1, "1/3 Succeeded".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn post_is_retried_only_if_it_was_not_processed() {
        let policy = || TowerPolicy::http(POLICY);
        assert_eq!(attempts(policy(), request("POST"), busy).await, (1, "1/3 GaveUp(NotIdempotent)".to_owned()));
        assert_eq!(attempts(policy(), request("POST"), busy_with_retry_after).await.0, 3);
        let reset = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
        assert_eq!(attempts(policy(), request("POST"), reset).await.0, 1);
        let refused = || Err(io::Error::from(io::ErrorKind::ConnectionRefused));
        assert_eq!(attempts(policy(), request("POST"), refused).await.0, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn idempotent_post_is_retried() {
        let mut with_key = request("POST");
        with_key.headers_mut().insert("Idempotency-Key", "7".parse().unwrap());
        assert_eq!(attempts(TowerPolicy::http(POLICY), with_key, busy).await.0, 3);
        assert_eq!(attempts(TowerPolicy::http(POLICY).idempotent(), request("POST"), busy).await.0, 3);
        let condition = Condition::new().methods(&["POST"]);
        assert_eq!(attempts(TowerPolicy::http(POLICY).condition(condition), request("POST"), busy).await.0, 3);
        assert_eq!(attempts(TowerPolicy::http(POLICY).condition(condition), request("GET"), busy).await.0, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn reqwest_client_works_as_a_service() {
        let policy = || TowerPolicy::http(POLICY).cloning(reqwest::Request::try_clone);
        let server = Server::start([Reply::status(503).retry_after("7"), Reply::status(200)]).await;
        let request = client().get(&server.url).build().unwrap();
        let service = ServiceBuilder::new().retry(policy()).service(client());
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), 200);
        assert_eq!(server.delays(), all_ms([7000]));
        let server = Server::statuses([503]).await;
        let request = client().post(&server.url).build().unwrap();
        assert_eq!(service.oneshot(request).await.unwrap().status(), 503);
        assert_eq!(server.requests(), 1);
    }
}
