//! Servers that ask for no further attempt: `x-retries-exhausted`, and the headers of Envoy.

use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;

use reqwest::Client;
use retry_runtime::http::{CheckStatus, RequestRetry, SendWithRetry};
use retry_runtime::outcome::NoRetry;
use retry_runtime::stats::report;
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{
    Class, Condition, Executor, Failure, Nested, OnError, Policy, Retryable, permanent, retry, retrying, transient,
};
use tonic::Status;
use tonic::metadata::MetadataMap;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::{Reply, Server, client};
use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms};

type Boxed = Box<dyn Error + Send + Sync>;

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);
const EXHAUSTED: (&str, &str) = ("x-retries-exhausted", "1");
const OVERLOADED: (&str, &str) = ("x-envoy-overloaded", "true");
const RATE_LIMITED: (&str, &str) = ("x-envoy-ratelimited", "true");

fn busy<const N: usize>(headers: [(&str, &str); N]) -> Reply {
    headers.into_iter().fold(Reply::status(503), |reply, (name, value)| reply.header(name, value))
}

fn response(status: u16, headers: &[(&str, &str)]) -> http::Response<()> {
    let builder = http::Response::builder().status(status);
    headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value)).body(()).unwrap()
}

/// The last event of a request with retry, and the number of requests.
async fn sent(replies: impl Into<Vec<Reply>>, retry: RequestRetry) -> (String, usize) {
    let (server, recorder) = (Server::start(replies).await, Recorder::new());
    client().get(&server.url).send_with_retry(&retry.observer(recorder.clone())).await.unwrap();
    (recorder.lines().pop().unwrap(), server.requests())
}

#[test]
fn headers_of_failures_are_read() {
    let of = |status, headers: &[(&str, &str)]| Failure::of(&response(status, headers)).no_retry();
    assert_eq!(of(503, &[EXHAUSTED]), Some(NoRetry::ExhaustedBelow));
    assert_eq!(of(404, &[EXHAUSTED]), Some(NoRetry::ExhaustedBelow));
    assert_eq!(of(503, &[("x-retries-exhausted", "0"), EXHAUSTED]), Some(NoRetry::ExhaustedBelow));
    for value in ["0", "", "true", "11", "1 "] {
        assert_eq!(of(503, &[("x-retries-exhausted", value)]), None, "{value}");
    }
    assert_eq!([of(503, &[OVERLOADED]), of(429, &[RATE_LIMITED])], [Some(NoRetry::Refused); 2]);
    assert_eq!(of(429, &[RATE_LIMITED, ("retry-after", "3")]), None);
    assert_eq!(of(429, &[RATE_LIMITED, ("retry-after", "soon")]), Some(NoRetry::Refused));
    assert_eq!(of(503, &[EXHAUSTED, OVERLOADED, ("retry-after", "3")]), Some(NoRetry::ExhaustedBelow));
    assert_eq!([of(200, &[EXHAUSTED]), of(302, &[OVERLOADED]), of(503, &[])], [None; 3]);
    assert_eq!(response(503, &[EXHAUSTED]).no_retry(), Some(NoRetry::ExhaustedBelow));
    assert_eq!(response(429, &[RATE_LIMITED, ("retry-after", "3")]).no_retry(), None);
}

#[test]
fn metadata_of_grpc_is_read() {
    let of = |code, pairs: &[(&'static str, &'static str)]| {
        let mut metadata = MetadataMap::new();
        for (name, value) in pairs {
            metadata.insert(*name, value.parse().unwrap());
        }
        let status = Status::with_metadata(code, "", metadata);
        assert_eq!(status.no_retry(), Failure::of(&status).no_retry());
        status.no_retry()
    };
    assert_eq!(of(tonic::Code::Unavailable, &[EXHAUSTED]), Some(NoRetry::ExhaustedBelow));
    assert_eq!(of(tonic::Code::ResourceExhausted, &[RATE_LIMITED]), Some(NoRetry::Refused));
    assert_eq!(of(tonic::Code::ResourceExhausted, &[RATE_LIMITED, ("grpc-retry-pushback-ms", "50")]), None);
    assert_eq!(
        of(tonic::Code::Unavailable, &[EXHAUSTED, ("grpc-retry-pushback-ms", "50")]),
        Some(NoRetry::ExhaustedBelow)
    );
}

#[tokio::test]
async fn responses_and_errors_of_clients_are_read() {
    let server = Server::start([busy([EXHAUSTED])]).await;
    let response = || async { client().get(&server.url).send().await.unwrap() };
    assert_eq!(response().await.no_retry(), Some(NoRetry::ExhaustedBelow));
    assert_eq!(Failure::of(&response().await).no_retry(), Some(NoRetry::ExhaustedBelow));
    let error = response().await.check_status().unwrap_err();
    assert_eq!(error.no_retry(), Some(NoRetry::ExhaustedBelow));
    let boxed: Boxed = Box::new(error);
    assert_eq!(Failure::of(&*boxed).no_retry(), Some(NoRetry::ExhaustedBelow));
    let old = reqwest_012::Client::builder().no_proxy().build().unwrap().get(&server.url).send().await.unwrap();
    assert_eq!(old.no_retry(), Some(NoRetry::ExhaustedBelow));
    assert_eq!(old.check_status().unwrap_err().no_retry(), Some(NoRetry::ExhaustedBelow));
}

#[tokio::test(start_paused = true)]
async fn request_is_not_retried_if_the_service_has_retried_it() {
    let retry = || RequestRetry::new(POLICY);
    assert_eq!(sent([busy([EXHAUSTED])], retry()).await, ("1/3 GaveUp(ExhaustedBelow)".to_owned(), 1));
    assert_eq!(sent([busy([]), busy([EXHAUSTED])], retry()).await, ("2/3 GaveUp(ExhaustedBelow)".to_owned(), 2));
    let all = Condition::new().on_status(&[500..=599]).on_error(OnError::Any);
    let any = retry().condition(all).on_ok(|_| true);
    assert_eq!(sent([busy([EXHAUSTED])], any).await, ("1/3 GaveUp(ExhaustedBelow)".to_owned(), 1));
    // The value is `1`, and nothing else.
    let other = busy([("x-retries-exhausted", "0")]);
    assert_eq!(sent([other, Reply::status(200)], retry()).await, ("2/3 Succeeded".to_owned(), 2));
}

#[tokio::test(start_paused = true)]
async fn request_that_envoy_refused_is_retried_only_after_a_delay() {
    for refusal in [OVERLOADED, RATE_LIMITED] {
        let retry = || RequestRetry::new(POLICY);
        assert_eq!(sent([busy([refusal])], retry()).await, ("1/3 GaveUp(ServerRefused)".to_owned(), 1));
        let delayed = busy([refusal, ("retry-after", "3")]);
        assert_eq!(sent([delayed, Reply::status(200)], retry()).await, ("2/3 Succeeded".to_owned(), 2));
        let reset = busy([refusal, ("x-ratelimit-reset", "3")]);
        let reading = retry().server_delay(|response| response.headers().get("x-ratelimit-reset").map(|_| SECOND));
        assert_eq!(sent([reset, Reply::status(200)], reading).await, ("2/3 Succeeded".to_owned(), 2));
    }
}

#[tokio::test(start_paused = true)]
async fn success_with_the_header_is_retried_if_on_ok_asks_for_it() {
    let replies = [Reply::status(202).header("x-retries-exhausted", "1"), Reply::status(200)];
    let retry = RequestRetry::new(POLICY).on_ok(|response| response.status() == 202);
    assert_eq!(sent(replies, retry).await, ("2/3 Succeeded".to_owned(), 2));
}

#[tokio::test(start_paused = true)]
async fn annotated_functions_loops_and_closures_do_not_retry() {
    #[retry(attempts = 3, on_status = [503], on_error = "any")]
    async fn function(client: &Client, url: &str) -> Result<String, Boxed> {
        Ok(client.get(url).send().await?.check_status()?.text().await?)
    }
    async fn by_hand(client: &Client, url: &str) -> reqwest::Result<reqwest::Response> {
        let mut retry = Executor::new(&POLICY);
        loop {
            let outcome = retry.attempt(client.get(url).send()).await;
            match retry.next(outcome, &Condition::new()) {
                ControlFlow::Break(outcome) => break outcome,
                ControlFlow::Continue(pause) => pause.await,
            }
        }
    }
    let server = Server::start([busy([EXHAUSTED])]).await;
    let (client, url) = (client(), &server.url);
    function(&client, url).await.unwrap_err();
    assert_eq!(server.requests(), 1);
    by_hand(&client, url).await.unwrap();
    assert_eq!(server.requests(), 2);
    POLICY.run(|_| client.get(url).send()).await.unwrap();
    assert_eq!(server.requests(), 3);
    retrying!(policy = POLICY, async { client.get(url).send().await }).await.unwrap();
    assert_eq!(server.requests(), 4);
}

#[tokio::test(start_paused = true)]
async fn loop_decides_by_the_failure_that_it_reports() {
    let failure = Failure::new(Class::Transient).with_no_retry(NoRetry::Refused);
    let mut retry = Executor::new(&POLICY);
    retry.attempt_to_end(async {}).await;
    assert_eq!(retry.pause_for("busy", failure).unwrap_err(), "busy");
    // A loop that reports no failure has decided by itself.
    let mut retry = Executor::new(&POLICY);
    retry.attempt_to_end(async {}).await;
    retry.pause("busy").unwrap().await;
}

#[tokio::test(start_paused = true)]
async fn tower_service_is_not_retried() {
    let attempts = Arc::new(Attempts::new());
    let recorder = Recorder::new();
    let policy = TowerPolicy::http(POLICY).observer(recorder.clone());
    let service = ServiceBuilder::new().layer(policy).service(service_fn(async |_: http::Request<()>| {
        attempts.start();
        Ok::<_, Fault>(response(503, &[EXHAUSTED]))
    }));
    service.oneshot(http::Request::new(())).await.unwrap();
    assert_eq!((attempts.count(), recorder.lines().pop().unwrap()), (1, "1/3 GaveUp(ExhaustedBelow)".to_owned()));
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("refused")]
struct Own(NoRetry);

impl Retryable for Own {
    fn class(&self) -> Class {
        Class::Transient
    }
    fn no_retry(&self) -> Option<NoRetry> {
        Some(self.0)
    }
}

#[derive(Debug, Retryable)]
enum Derived {
    #[retryable(source)]
    Own(Own),
    #[retryable(transient)]
    Other,
}

#[test]
fn own_types_derives_pointers_and_marks_pass_it_on() {
    let own = Own(NoRetry::Refused);
    let is_refused = |value: &dyn Retryable| {
        assert_eq!(value.no_retry(), Failure::of(value).no_retry());
        value.no_retry() == Some(NoRetry::Refused)
    };
    assert!(is_refused(&own) && is_refused(&&own) && is_refused(&Box::new(own)) && is_refused(&Arc::new(own)));
    assert!(is_refused(&Derived::Own(own)) && !is_refused(&Derived::Other));
    let status = || {
        let mut status = Status::unavailable("");
        status.metadata_mut().insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
        status
    };
    let marked = transient(status());
    assert!(is_refused(&marked) && is_refused(&permanent(status())));
    assert_eq!((marked.class(), Fault::TRANSIENT.no_retry()), (Class::Transient, None));
}

#[tokio::test(start_paused = true)]
async fn call_around_sees_the_failure_as_retried_already() {
    #[retry(attempts = 3)]
    async fn inner(attempts: &Attempts, error: Own) -> Result<(), Own> {
        attempts.start();
        Err(error)
    }
    for (reason, nested, calls) in [
        (NoRetry::ExhaustedBelow, Nested::Once, 1),
        (NoRetry::Refused, Nested::Once, 1),
        (NoRetry::ExhaustedBelow, Nested::Always, 3),
    ] {
        let attempts = Attempts::new();
        let policy = POLICY.nested(nested);
        // The call around does not see the reason itself.
        let outcome = policy.run(async |_| inner(&attempts, Own(reason)).await.map_err(|_| Fault::TRANSIENT)).await;
        assert_eq!((outcome, attempts.count()), (Err(Fault::TRANSIENT), calls), "{reason:?} {nested:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reasons_are_counted_by_name() {
    #[retry(attempts = 3, name = "services::no_retry")]
    async fn refused(reason: NoRetry) -> Result<(), Own> {
        Err(Own(reason))
    }
    refused(NoRetry::ExhaustedBelow).await.unwrap_err();
    refused(NoRetry::Refused).await.unwrap_err();
    let rows = report().rows;
    let row = rows.iter().find(|row| row.name == "services::no_retry").unwrap();
    let reasons: Vec<_> = row.gave_up_by_reason.iter().map(|(reason, count)| (*reason, *count)).collect();
    assert_eq!(reasons, [("exhausted_below", 1), ("server_refused", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_delay_without_a_refusal_is_waited_for_as_before() {
    let server = Server::start([busy([("retry-after", "3")]), Reply::status(200)]).await;
    client().get(&server.url).send_with_retry(&POLICY).await.unwrap();
    assert_eq!(server.delays(), all_ms([3000]));
}
