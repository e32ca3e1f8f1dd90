//! Methods: which requests may follow a failed request, depending on their methods and the response.

use std::convert::Infallible;
use std::future::ready;
use std::io::{self, ErrorKind};

use hyper::{Request, Response};
use reqwest::Method;
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Condition, Policy, Verdict, verdict};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::{Reply, Server, client};
use crate::support::{Attempts, Fault, SECOND};

const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

#[test]
fn methods_are_compared_case_insensitively() {
    let outcome: Result<(), Fault> = Err(Fault::TRANSIENT);
    let retries = |condition: Condition| matches!(verdict!(&outcome, condition), Verdict::Retry(_));
    let condition = Condition::new().methods(&["get", "Post"]);
    let retried: Vec<_> =
        ["GET", "get", "POST", "post", "PUT"].map(|method| retries(condition.for_method(method))).into();
    assert_eq!(retried, [true, true, true, true, false]);
}

#[test]
fn condition_without_methods_retries_only_unprocessed_requests() {
    let condition = Condition::new().methods(&[]).for_method("PUT");
    let retries = |kind: ErrorKind| {
        let outcome: io::Result<()> = Err(kind.into());
        matches!(verdict!(&outcome, condition), Verdict::Retry(_))
    };
    assert_eq!([ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset].map(retries), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn method_in_lower_case_is_retried() {
    let retry = RequestRetry::new(POLICY).condition(Condition::new().methods(&["get", "Post"]));
    for method in [Method::GET, Method::POST] {
        let server = Server::statuses([500]).await;
        client().request(method, &server.url).send_with_retry(&retry).await.unwrap();
        assert_eq!(server.requests(), 3);
    }
}

/// Sends a POST that always gets this status, and returns the number of attempts.
async fn post_attempts(status: u16, condition: Condition) -> u32 {
    let attempts = Attempts::new();
    let service = service_fn(|_: Request<()>| {
        attempts.start();
        ready(Ok::<_, Infallible>(Response::builder().status(status).body(()).unwrap()))
    });
    let policy = TowerPolicy::http(POLICY).condition(condition);
    let request = Request::post("/order").body(()).unwrap();
    ServiceBuilder::new().retry(policy).service(service).oneshot(request).await.unwrap();
    attempts.count()
}

#[tokio::test(start_paused = true)]
async fn post_is_resent_after_a_listed_421_or_425() {
    let listed = Condition::new().on_status(&[421..=421, 425..=425, 500..=500]);
    let mut attempts = Vec::new();
    for status in [421, 425, 500] {
        attempts.push(post_attempts(status, listed).await);
    }
    assert_eq!(attempts, [3, 3, 1]);
    // Neither is in the standard list.
    assert_eq!(post_attempts(421, Condition::new()).await, 1);
    assert_eq!(post_attempts(425, Condition::new()).await, 1);
}

/// Sends alternative requests with these methods. The server replies with one status after the other. Returns the methods of
/// the requests that it receives.
async fn first_of(methods: &[Method], statuses: &[u16], retry: &RequestRetry) -> String {
    let server = Server::start(statuses.iter().map(|status| Reply::status(*status)).collect::<Vec<_>>()).await;
    let client = client();
    let requests = methods.iter().map(|method| client.request(method.clone(), &server.url).build().unwrap());
    client.send_first_of(retry, requests.collect::<Vec<_>>()).await.unwrap();
    let lines: Vec<_> = server.lines().into_iter().map(|(_, line)| line.replace(" /", "")).collect();
    lines.join(" ")
}

#[tokio::test(start_paused = true)]
async fn get_may_follow_a_post_that_may_have_been_processed() {
    let retry = RequestRetry::new(POLICY.attempts(5)).condition(Condition::new().on_status(&[405..=405, 500..=599]));
    let get_after_post = [Method::POST, Method::GET];
    assert_eq!(first_of(&get_after_post, &[405, 200], &retry).await, "POST GET");
    assert_eq!(first_of(&get_after_post, &[500, 500, 200], &retry).await, "POST GET GET");
}

#[tokio::test(start_paused = true)]
async fn no_post_follows_a_post_that_may_have_been_processed() {
    let retry = RequestRetry::new(POLICY.attempts(5)).condition(Condition::new().on_status(&[405..=405, 500..=599]));
    assert_eq!(first_of(&[Method::POST, Method::POST], &[405, 200], &retry).await, "POST");
    // Nor does one follow with a GET between them.
    assert_eq!(first_of(&[Method::POST, Method::GET, Method::POST], &[500, 500, 200], &retry).await, "POST GET");
    // The first POST may follow a request without side effects.
    assert_eq!(first_of(&[Method::GET, Method::POST], &[500, 200], &retry).await, "GET POST");
    assert_eq!(first_of(&[Method::GET, Method::POST], &[500, 500, 200], &retry).await, "GET POST");
    // A condition for one method applies to all requests.
    let posts = RequestRetry::new(POLICY).condition(Condition::new().for_method("POST"));
    assert_eq!(first_of(&[Method::POST, Method::GET], &[500, 200], &posts).await, "POST");
}
