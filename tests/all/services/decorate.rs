//! `Propagation::decorate`: the headers of one attempt, wherever the attempt comes from.

use std::sync::Mutex;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use retry_runtime::propagation::{Propagation, RequestHeaders};
use retry_runtime::{Attempt, Executor, Policy, retry, retrying};
use tokio::time::advance;
use tonic::metadata::MetadataMap;

use crate::support::{Fault, SECOND, ms};

const HTTP: Propagation = Propagation::new();
const GRPC: Propagation = Propagation::grpc();
const TIME: &str = "x-envoy-expected-rq-timeout-ms";
const NUMBER: &str = "x-envoy-attempt-count";

/// The current attempt of a call that has this policy and no failure yet.
fn attempt(policy: &Policy) -> Attempt {
    Executor::new(policy).current()
}

/// The headers that are added to a request with these, as `name: value`.
fn decorated(headers: &[(&'static str, &'static str)], propagation: Propagation, attempt: &Attempt) -> Vec<String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_static(value));
    }
    propagation.decorate(&mut map, attempt);
    lines(&map)
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    lines.sort();
    lines
}

/// A server that fails, and notes the headers of each request.
#[derive(Default)]
struct Log(Mutex<Vec<Vec<String>>>);

impl Log {
    async fn send(&self, headers: &HeaderMap) -> Result<(), Fault> {
        self.0.lock().unwrap().push(lines(headers));
        Err(Fault::TRANSIENT)
    }

    async fn send_attempt(&self, attempt: &Attempt) -> Result<(), Fault> {
        let mut headers = HeaderMap::new();
        HTTP.decorate(&mut headers, attempt);
        self.send(&headers).await
    }

    fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn expected<const N: usize>(times: [u64; N]) -> Vec<Vec<String>> {
    let lines =
        times.iter().zip(1..).map(|(time, number)| vec![format!("{NUMBER}: {number}"), format!("{TIME}: {time}")]);
    lines.collect()
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_time_and_number_in_every_form() {
    #[retry(attempts = 3, backoff = "fixed", start = "1s", deadline = "10s", bind = attempt)]
    async fn function(log: &Log) -> Result<(), Fault> {
        log.send_attempt(attempt).await
    }
    const POLICY: Policy = Policy::fixed(SECOND).attempts(3).deadline(Duration::from_secs(10));
    let log = Log::default();
    function(&log).await.unwrap_err();
    assert_eq!(log.take(), expected([10_000, 9000, 8000]));
    POLICY.run(async |attempt| log.send_attempt(&attempt).await).await.unwrap_err();
    assert_eq!(log.take(), expected([10_000, 9000, 8000]));
    retrying!(policy = POLICY, async |attempt| log.send_attempt(attempt).await).await.unwrap_err();
    assert_eq!(log.take(), expected([10_000, 9000, 8000]));
    let mut retry = Executor::new(&POLICY);
    let outcome: Result<(), _> = loop {
        let attempt = retry.current();
        match retry.attempt(log.send_attempt(&attempt)).await {
            Ok(()) => break Ok(()),
            Err(error) => match retry.pause(error) {
                Ok(pause) => pause.await,
                Err(error) => break Err(error),
            },
        }
    };
    outcome.unwrap_err();
    assert_eq!(log.take(), expected([10_000, 9000, 8000]));
}

#[tokio::test(start_paused = true)]
async fn shortest_time_limit_is_sent() {
    const POLICY: Policy = Policy::fixed(SECOND).attempts(3);
    let time = |policy: Policy| attempt(&policy).time_left();
    assert_eq!(time(POLICY), None);
    assert_eq!(time(POLICY.deadline(SECOND * 9)), Some(SECOND * 9));
    assert_eq!(time(POLICY.attempt_timeout(SECOND * 2)), Some(SECOND * 2));
    assert_eq!(time(POLICY.attempt_timeout(SECOND * 2).deadline(SECOND * 9)), Some(SECOND * 2));
    assert_eq!(time(POLICY.attempt_timeout(SECOND * 20).deadline(SECOND * 9)), Some(SECOND * 9));
    // `remaining` stays what it was.
    assert_eq!(attempt(&POLICY.attempt_timeout(SECOND * 2).deadline(SECOND * 9)).remaining(), Some(SECOND * 9));
}

#[tokio::test(start_paused = true)]
async fn attempt_timeout_counts_from_the_start_of_each_attempt() {
    #[retry(attempts = 2, backoff = "fixed", start = "1s", attempt_timeout = "5s", deadline = "9s", bind = attempt)]
    async fn function(log: &Log) -> Result<(), Fault> {
        advance(ms(1500)).await;
        log.send_attempt(attempt).await
    }
    let log = Log::default();
    function(&log).await.unwrap_err();
    // 5 - 1.5 s, and again: 9 - 1.5 - 1 - 1.5 s until the deadline are more.
    assert_eq!(log.take(), expected([3500, 3500]));
}

#[tokio::test(start_paused = true)]
async fn deadline_of_a_call_around_is_sent() {
    #[retry(attempts = 1, bind = attempt)]
    async fn inner(log: &Log) -> Result<(), Fault> {
        log.send_attempt(attempt).await
    }
    #[retry(attempts = 1, deadline = "4s")]
    async fn outer(log: &Log) -> Result<(), Fault> {
        advance(SECOND).await;
        inner(log).await
    }
    let log = Log::default();
    outer(&log).await.unwrap_err();
    assert_eq!(log.take(), expected([3000]));
    inner(&log).await.unwrap_err();
    assert_eq!(log.take(), [[format!("{NUMBER}: 1")]]);
}

#[tokio::test(start_paused = true)]
async fn header_that_is_shorter_stays() {
    let four = attempt(&Policy::new().deadline(SECOND * 4));
    let none = attempt(&Policy::new());
    let time = |present: &[_], attempt: &_| decorated(present, HTTP, attempt).pop().unwrap();
    assert_eq!(time(&[(TIME, "3000")], &four), format!("{TIME}: 3000"));
    assert_eq!(time(&[(TIME, "5000")], &four), format!("{TIME}: 4000"));
    for invalid in ["0", "-1", "soon"] {
        assert_eq!(time(&[(TIME, invalid)], &four), format!("{TIME}: 4000"), "{invalid}");
    }
    assert_eq!(time(&[(TIME, "3000")], &none), format!("{TIME}: 3000"));
    let number = |present: &[_]| decorated(present, HTTP, &none).remove(0);
    assert_eq!(number(&[(NUMBER, "7")]), format!("{NUMBER}: 1"));
}

#[tokio::test(start_paused = true)]
async fn less_than_a_millisecond_is_one() {
    let soon = attempt(&Policy::new().attempts(1).deadline(Duration::from_micros(100)));
    assert_eq!(decorated(&[], HTTP, &soon)[1], format!("{TIME}: 1"));
    advance(SECOND).await;
    assert_eq!(soon.time_left(), Some(Duration::ZERO));
    assert_eq!(decorated(&[], HTTP, &soon)[1], format!("{TIME}: 1"));
    assert_eq!(decorated(&[], GRPC, &soon), ["grpc-timeout: 1n"]);
}

#[tokio::test(start_paused = true)]
async fn grpc_has_its_own_names_and_formats() {
    let mut retry = Executor::new(Policy::fixed(Duration::ZERO).attempts(5).deadline(SECOND * 2));
    let first = retry.current();
    assert_eq!(decorated(&[], GRPC, &first), ["grpc-timeout: 2000000u"]);
    // The number of another call's attempt.
    assert_eq!(decorated(&[("grpc-previous-rpc-attempts", "3")], GRPC, &first), ["grpc-timeout: 2000000u"]);
    retry.attempt_to_end(async {}).await;
    retry.pause("no").unwrap().await;
    let second = retry.current();
    assert_eq!(decorated(&[], GRPC, &second), ["grpc-previous-rpc-attempts: 1", "grpc-timeout: 2000000u"]);
    let of_grpc = [("content-type", "application/grpc+proto"), ("grpc-timeout", "1S")];
    assert_eq!(
        decorated(&of_grpc, HTTP, &second),
        ["content-type: application/grpc+proto", "grpc-previous-rpc-attempts: 1", "grpc-timeout: 1S"]
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_and_requests_are_decorated() {
    fn headers<H: RequestHeaders>(mut request: H, read: impl FnOnce(&H) -> &HeaderMap) -> Vec<String> {
        HTTP.decorate(&mut request, &attempt(&Policy::new().deadline(SECOND * 2)));
        lines(read(&request))
    }
    let of_http = ["x-envoy-attempt-count: 1", "x-envoy-expected-rq-timeout-ms: 2000"];
    let of_grpc = ["grpc-timeout: 2000000u"];
    assert_eq!(headers(MetadataMap::new(), |metadata| metadata.as_ref()), of_grpc);
    assert_eq!(headers(tonic::Request::new(()), |request| request.metadata().as_ref()), of_grpc);
    let mut limited = tonic::Request::new(());
    limited.set_timeout(ms(1500));
    assert_eq!(headers(limited, |request| request.metadata().as_ref()), ["grpc-timeout: 1500000u"]);
    assert_eq!(headers(http::Request::new(()), |request| request.headers()), of_http);
    let url: reqwest::Url = "http://localhost".parse().unwrap();
    let get = || reqwest::Request::new(http::Method::GET, url.clone());
    assert_eq!(headers(get(), reqwest::Request::headers), of_http);
    let mut limited = get();
    *limited.timeout_mut() = Some(ms(700));
    assert_eq!(headers(limited, reqwest::Request::headers)[1], "x-envoy-expected-rq-timeout-ms: 700");
    let mut old = reqwest_012::Request::new(http::Method::GET, url.clone());
    *old.timeout_mut() = Some(ms(800));
    assert_eq!(headers(old, reqwest_012::Request::headers)[1], "x-envoy-expected-rq-timeout-ms: 800");
}

#[tokio::test(start_paused = true)]
async fn names_of_the_users_own_are_sent() {
    const OWN: Propagation = HTTP.time_left_header("x-time-left-ms").attempt_header("x-attempt");
    let attempt = attempt(&Policy::new().deadline(SECOND));
    assert_eq!(decorated(&[], OWN, &attempt), ["x-attempt: 1", "x-time-left-ms: 1000"]);
}

#[tokio::test(start_paused = true)]
async fn deadline_beyond_every_clock_is_no_limit_or_the_longest_value() {
    let endless = Policy::new().deadline(Duration::MAX).attempt_timeout(Duration::MAX);
    let lines = decorated(&[], HTTP, &attempt(&endless));
    assert_eq!(lines[1], format!("{TIME}: {}", u64::MAX));
    assert_eq!(decorated(&[], GRPC, &attempt(&endless)), ["grpc-timeout: 99999999H"]);
}

#[test]
fn invalid_names_do_not_compile_in_constants() {
    // The compiler evaluates the same function: see `ui-tests`.
    let panic = std::panic::catch_unwind(|| Propagation::new().time_left_header("X-Left")).unwrap_err();
    let message = panic.downcast_ref::<&str>().unwrap();
    assert!(message.contains("in lower case"), "{message}");
}
