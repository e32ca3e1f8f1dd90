//! The middleware for `reqwest-middleware`, which retries every request of a client.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use http::Extensions;
use reqwest::{Body, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use retry_runtime::http::{RequestRetry, SendFirstOf};
use retry_runtime::{Class, Policy, Retryable};

use crate::redirects::Below;
use crate::support::server::{Reply, Server, client, refused};
use crate::support::{Recorder, SECOND, all_ms, timed};

const POLICY: Policy = Policy::fixed(SECOND);

fn retrying(retry: RequestRetry) -> ClientWithMiddleware {
    ClientBuilder::new(client()).with(retry).build()
}

#[tokio::test(start_paused = true)]
async fn every_request_is_retried() {
    let client = retrying(RequestRetry::new(POLICY));
    for _ in 0..2 {
        let server = Server::statuses([503, 503, 200]).await;
        assert_eq!(client.get(&server.url).send().await.unwrap().status(), 200);
        assert_eq!((server.delays(), server.connections()), (all_ms([1000, 1000]), 1));
    }
    let (outcome, took) = timed(client.get(refused().await).send()).await;
    assert!(outcome.unwrap_err().is_connect());
    assert_eq!(took, SECOND * 2);
}

#[tokio::test(start_paused = true)]
async fn request_extension_overrides_the_middleware() {
    let client = retrying(RequestRetry::new(POLICY));
    let server = Server::statuses([500]).await;
    client.post(&server.url).send().await.unwrap();
    assert_eq!(server.requests(), 1);
    let own = RequestRetry::new(POLICY.attempts(5)).idempotent();
    client.post(&server.url).with_extension(own).send().await.unwrap();
    assert_eq!(server.requests(), 6);
    let never = RequestRetry::new(POLICY.attempts(1));
    client.get(&server.url).with_extension(never).send().await.unwrap();
    assert_eq!(server.requests(), 7);
}

#[tokio::test(start_paused = true)]
async fn whole_body_is_resent_and_a_stream_is_not() {
    let recorder = Recorder::new();
    let client = retrying(RequestRetry::new(POLICY).observer(recorder.clone()));
    let server = Server::statuses([503, 200]).await;
    client.put(&server.url).body("whole").send().await.unwrap();
    assert_eq!(server.bodies(), ["whole", "whole"]);
    let server = Server::statuses([503, 200]).await;
    let stream = Body::wrap(http_body_util::Full::<bytes::Bytes>::from("streamed"));
    assert_eq!(client.put(&server.url).body(stream).send().await.unwrap().status(), 503);
    assert_eq!(server.bodies(), ["streamed"]);
    assert_eq!(recorder.lines().last().unwrap(), "1/3 GaveUp(BodyUsedUp)");
}

/// The response has the URL that the middleware after this one has changed, which is not the one to resend.
#[tokio::test(start_paused = true)]
async fn middleware_that_changes_the_url_gets_the_same_request_for_each_attempt() {
    let append = |request: &mut Request| {
        let path = format!("{}/more", request.url().path());
        request.url_mut().set_path(&path);
    };
    let client = ClientBuilder::new(client()).with(RequestRetry::new(POLICY)).with(Below(append)).build();
    let server = Server::statuses([503, 503, 200]).await;
    assert_eq!(client.get(format!("{}start", server.url)).send().await.unwrap().status(), 200);
    let lines: Vec<_> = server.lines().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["GET /start/more"; 3]);
}

/// Counts the requests that pass.
struct Counter(Arc<AtomicU32>);

#[async_trait]
impl Middleware for Counter {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        self.0.fetch_add(1, Ordering::Relaxed);
        next.run(request, extensions).await
    }
}

#[tokio::test(start_paused = true)]
async fn inner_middleware_sees_attempts_and_outer_middleware_sees_calls() {
    let (calls, attempts) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counted = |retry| {
        let builder = ClientBuilder::new(client()).with(Counter(calls.clone()));
        builder.with(retry).with(Counter(attempts.clone())).build()
    };
    let server = Server::statuses([503, 503, 200]).await;
    counted(RequestRetry::new(POLICY)).get(&server.url).send().await.unwrap();
    assert_eq!((calls.load(Ordering::Relaxed), attempts.load(Ordering::Relaxed)), (1, 3));
    // A request through another client skips the inner middleware.
    let retry = RequestRetry::new(POLICY).before_attempt(|outgoing| {
        assert_eq!(outgoing.request().method(), "GET");
        outgoing.send_through(client());
    });
    counted(retry).get(&server.url).send().await.unwrap();
    assert_eq!((calls.load(Ordering::Relaxed), attempts.load(Ordering::Relaxed)), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn time_limit_becomes_an_error_of_the_client() {
    let server = Server::start([Reply::silence()]).await;
    let client = retrying(RequestRetry::new(POLICY.attempts(2).attempt_timeout(SECOND * 3)));
    let (outcome, took) = timed(client.get(&server.url).send()).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!((server.requests(), took), (2, SECOND * 7));
}

#[tokio::test(start_paused = true)]
async fn error_of_other_middleware_is_classified_by_its_chain() {
    struct Broken(fn() -> anyhow::Error);
    #[async_trait]
    impl Middleware for Broken {
        async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> reqwest_middleware::Result<Response> {
            Err(reqwest_middleware::Error::Middleware((self.0)()))
        }
    }
    for (error, class, waited) in [
        ((|| std::io::Error::from(std::io::ErrorKind::TimedOut).into()) as fn() -> anyhow::Error, Class::Transient, 2),
        (|| retry_runtime::permanent("no").into(), Class::Permanent, 0),
    ] {
        let client = ClientBuilder::new(client()).with(RequestRetry::new(POLICY)).with(Broken(error)).build();
        let (outcome, took) = timed(client.get("http://here.example/").send()).await;
        assert_eq!((outcome.unwrap_err().class(), took), (class, SECOND * waited));
    }
}

#[tokio::test(start_paused = true)]
async fn on_error_receives_the_error_of_the_client() {
    let is_connect = |error: &(dyn Error + 'static)| error.downcast_ref().is_some_and(reqwest::Error::is_connect);
    let client = retrying(RequestRetry::new(POLICY).on_error(is_connect));
    let (_, took) = timed(client.get(refused().await).send()).await;
    assert_eq!(took, SECOND * 2);
}

/// Records each response in a journal that it cannot reach.
struct Journal;

#[async_trait]
impl Middleware for Journal {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        next.run(request, extensions).await?;
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        Err(reqwest_middleware::Error::Middleware(refused.into()))
    }
}

#[tokio::test(start_paused = true)]
async fn connection_error_of_other_middleware_does_not_make_the_request_unprocessed() {
    let client = ClientBuilder::new(client()).with(RequestRetry::new(POLICY)).with(Journal).build();
    let server = Server::statuses([200]).await;
    let error = client.post(&server.url).send().await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed(), server.requests()), (Class::Transient, false, 1));
    client.get(&server.url).send().await.unwrap_err();
    assert_eq!(server.requests(), 4);
}

/// Sends the value of its extension as a header.
struct Tagging;

#[derive(Clone)]
struct Tag(&'static str);

#[async_trait]
impl Middleware for Tagging {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if let Some(Tag(tag)) = extensions.get() {
            request.headers_mut().insert("x-tag", tag.parse().unwrap());
        }
        next.run(request, extensions).await
    }
}

#[tokio::test(start_paused = true)]
async fn send_first_of_passes_the_middleware_with_the_extensions_of_each_builder() {
    let client = ClientBuilder::new(client()).with(Tagging).build();
    let (one, two) = (Server::statuses([503]).await, Server::statuses([503, 200]).await);
    let builders =
        [client.get(&one.url).with_extension(Tag("first")), client.get(&two.url).with_extension(Tag("second"))];
    assert_eq!(client.send_first_of(&POLICY, builders).await.unwrap().status(), 200);
    let tags = |server: &Server| server.heads().iter().filter(|head| head.contains("x-tag: ")).count();
    assert!(one.heads()[0].contains("x-tag: first") && two.heads()[1].contains("x-tag: second"));
    assert_eq!((tags(&one), tags(&two)), (1, 2));
    let built = client.get(&two.url).build().unwrap();
    assert_eq!(client.send_first_of(&POLICY, [built]).await.unwrap().status(), 200);
    let error = client.send_first_of(&POLICY, [client.get(refused().await)]).await.unwrap_err();
    assert!(error.is_connect());
}

#[tokio::test(start_paused = true)]
async fn send_first_of_takes_the_place_of_the_middleware_that_retries() {
    let client = retrying(RequestRetry::new(POLICY.attempts(5)));
    let server = Server::statuses([503]).await;
    client.send_first_of(&POLICY.attempts(2), [client.get(&server.url)]).await.unwrap();
    assert_eq!(server.requests(), 2);
    client.get(&server.url).send().await.unwrap();
    assert_eq!(server.requests(), 7);
}
