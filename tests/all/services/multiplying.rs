//! Retries of a chain of services: which failures a service marks as retried, and which marks a client passes on.

use std::convert::Infallible;
use std::future::pending;
use std::io;

use axum::body::Body;
use http::{Request, Response};
use retry_runtime::breaker::BreakerState;
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::server::CallerLayer;
use retry_runtime::{Breaker, Class, Condition, Deadline, Failure, Policy, TimedOut, retry};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::server::{Reply, Server, client};
use crate::support::{SECOND, ms};

const POLICY: Policy = Policy::fixed(ms(10)).attempts(3);
const EXHAUSTED: (&str, &str) = ("x-retries-exhausted", "1");

fn request(time_left: &str) -> Request<Body> {
    Request::builder().header("x-envoy-expected-rq-timeout-ms", time_left).body(Body::empty()).unwrap()
}

/// True if the layer marks a response with status 503 after this call.
async fn marks<F: Future>(time_left: &str, call: impl Fn() -> F) -> bool {
    let service = service_fn(async |_: Request<Body>| {
        call().await;
        Ok::<_, Infallible>(Response::builder().status(503).body(Body::empty()).unwrap())
    });
    let response = CallerLayer::new().trust_callers().layer(service).oneshot(request(time_left)).await.unwrap();
    response.headers().contains_key("x-retries-exhausted")
}

#[retry(attempts = 3, start = "10ms", backoff = "fixed", attempt_timeout = "9s")]
async fn hangs() -> Result<(), TimedOut> {
    pending().await
}

#[retry(attempts = 3, start = "10ms", backoff = "fixed", on_error = "any")]
async fn fails() -> Result<(), io::Error> {
    Err(io::Error::other("no"))
}

/// The caller's next attempt may succeed: it had too little time for this one.
#[tokio::test(start_paused = true)]
async fn call_that_the_time_of_the_caller_ends_is_not_marked() {
    assert!(!marks("200", hangs).await);
    // The delay does not fit any more.
    assert!(!marks("5", fails).await);
    assert!(marks("200", fails).await);
}

#[tokio::test]
async fn mark_of_a_service_below_is_passed_on_whatever_ends_the_call() {
    let posted = async |retry: RequestRetry| {
        let server = Server::start([Reply::status(503).header(EXHAUSTED.0, EXHAUSTED.1)]).await;
        let is_marked = marks("9000", || async {
            client().post(&server.url).send_with_retry(&retry).await.unwrap();
        });
        (is_marked.await, server.requests())
    };
    let retry = || RequestRetry::new(POLICY);
    assert_eq!(posted(retry().idempotent()).await, (true, 1));
    // A POST is not resent in any case.
    assert_eq!(posted(retry()).await, (true, 1));
    // The condition does not select the failure.
    assert_eq!(posted(retry().condition(Condition::new().on_status(&[429..=429]))).await, (true, 1));
}

#[tokio::test]
async fn request_of_a_server_not_to_retry_does_not_keep_the_request_from_another_server() {
    for header in [EXHAUSTED, ("x-envoy-overloaded", "true")] {
        let busy = || Reply::status(503).header(header.0, header.1);
        let (one, two) = (Server::start([busy()]).await, Server::start([Reply::status(200)]).await);
        let client = client();
        let requests = [&one, &two].map(|server| client.get(&server.url));
        let response = client.send_first_of(&POLICY, requests).await.unwrap();
        assert_eq!((response.status().as_u16(), one.requests(), two.requests()), (200, 1, 1));
        // Of one server, it does.
        let (one, client) = (Server::start([busy(), Reply::status(200)]).await, &client);
        let requests = [&one, &one].map(|server| client.get(&server.url));
        assert_eq!(client.send_first_of(&POLICY, requests).await.unwrap().status(), 503);
        assert_eq!(one.requests(), 1);
    }
}

#[test]
fn refusal_with_a_delay_is_lifted_only_if_the_policy_waits_for_the_delay() {
    let refused = Response::builder().status(503).header("x-envoy-overloaded", "true").header("retry-after", "5");
    let verdict = Condition::new().verdict_on(Failure::of(&refused.body(()).unwrap()));
    let decided = |policy: Policy| policy.delay_after(1, verdict).map_err(|why| why.as_str());
    assert_eq!(decided(POLICY), Ok(SECOND * 5));
    assert_eq!(decided(Policy::fixed(SECOND * 7)), Ok(SECOND * 7));
    assert_eq!(decided(POLICY.ignore_retry_after()), Err("server_refused"));
    let short = POLICY.retry_after(SECOND);
    assert_eq!(decided(short.beyond_retry_after(retry_runtime::policy::BeyondRetryAfter::Wait)), Err("server_refused"));
    assert_eq!(
        decided(short.beyond_retry_after(retry_runtime::policy::BeyondRetryAfter::Ignore)),
        Err("server_refused")
    );
}

/// The service has chosen the maximum itself, so it says something about the service that was called.
#[tokio::test(start_paused = true)]
async fn maximum_of_the_service_counts_against_the_service_below() {
    let counts = async |layer: CallerLayer| {
        let breaker = Breaker::new().minimum_attempts(1).failure_rate(1);
        let call = Policy::new().attempt_timeout(SECOND * 60);
        let service = service_fn(async |_: Request<Body>| {
            let hangs = call.run(async |_| pending::<io::Result<()>>().await).cut_off();
            let error = breaker.call(hangs).await.unwrap_err();
            let timed_out: &TimedOut = error.get_ref().and_then(|error| error.downcast_ref()).unwrap();
            let status = if timed_out.is_caller_deadline() { 504 } else { 500 };
            Ok::<_, Infallible>(Response::builder().status(status).body(Body::empty()).unwrap())
        });
        let response = layer.layer(service).oneshot(request("100")).await.unwrap();
        (breaker.state() == BreakerState::Open, response.status().as_u16())
    };
    assert_eq!(counts(CallerLayer::new().at_most(ms(50))).await, (true, 500));
    assert_eq!(counts(CallerLayer::new().trust_callers().at_most(ms(50))).await, (true, 500));
    assert_eq!(counts(CallerLayer::new().trust_callers().at_most(SECOND)).await, (false, 504));
}

/// Requests are cut off at it all the same.
#[tokio::test]
async fn maximum_of_the_service_cuts_off_requests() {
    let server = Server::start([Reply::silence()]).await;
    let service = service_fn(async |_: Request<Body>| {
        let error = client().get(&server.url).send_with_retry(&POLICY).await.unwrap_err();
        assert!(error.is_timeout());
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let started = std::time::Instant::now();
    CallerLayer::new().at_most(ms(50)).layer(service).oneshot(request("100")).await.unwrap();
    assert!(started.elapsed() < SECOND * 3);
}

/// Jobs have no deadline, but a queue can wait for the breaker.
#[tokio::test(start_paused = true)]
async fn job_that_a_breaker_rejects_waits_for_it() {
    let breaker = Breaker::new().minimum_attempts(1).failure_rate(1).open_for(SECOND * 30);
    let fails = || breaker.call(async { Err::<(), _>(io::Error::other("no")) });
    fails().await.unwrap_err();
    let rejected = fails().await.unwrap_err();
    assert!(Deadline::current().is_none() && Failure::of(&rejected).class() == Class::Permanent);
    let verdict = Condition::new().verdict_on(Failure::of(&rejected));
    assert_eq!(POLICY.delay_after(1, verdict), Ok(SECOND * 30));
}
