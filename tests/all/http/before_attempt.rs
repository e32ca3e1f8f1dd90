//! Hooks that await before each attempt.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest_middleware::ClientBuilder;
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry, TrackRedirects};
use retry_runtime::{Breaker, Policy, transient};
use tokio::time::sleep;

use crate::support::server::{Server, client, client_builder};
use crate::support::{SECOND, all_ms, timed};

const POLICY: Policy = Policy::fixed(SECOND);

/// Fetches a token for each attempt, which takes this long.
fn with_tokens(policy: Policy, takes: Duration) -> (RequestRetry, Arc<AtomicU32>) {
    let fetched = Arc::new(AtomicU32::new(0));
    let count = fetched.clone();
    let retry = RequestRetry::new(policy).before_attempt_async(move |outgoing| {
        let count = count.clone();
        Box::pin(async move {
            sleep(takes).await;
            let token = format!("token-{}", count.fetch_add(1, Ordering::Relaxed) + 1);
            outgoing.request_mut().headers_mut().insert("authorization", token.try_into()?);
            Ok(())
        })
    });
    (retry, fetched)
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_a_fresh_token() {
    let (retry, _) = with_tokens(POLICY, SECOND * 2);
    let server = Server::statuses([503, 503, 200]).await;
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    let client = ClientBuilder::new(client()).with(retry.clone()).build();
    client.get(&server.url).send().await.unwrap();
    client.send_first_of(&retry, [client.get(&server.url)]).await.unwrap();
    for (number, head) in (1..).zip(server.heads()) {
        assert!(head.contains(&format!("authorization: token-{number}\r\n")), "{head}");
    }
    assert_eq!(server.delays(), all_ms([3000, 3000, 2000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn both_hooks_are_called_and_the_one_that_awaits_is_last() {
    let server = Server::statuses([200]).await;
    let retry = RequestRetry::new(POLICY)
        .before_attempt_async(|outgoing| {
            Box::pin(async {
                outgoing.request_mut().headers_mut().append("x-hook", "second".parse()?);
                Ok(())
            })
        })
        .before_attempt(|outgoing| {
            outgoing.request_mut().headers_mut().append("x-hook", "first".parse().unwrap());
        });
    client().get(&server.url).send_with_retry(&retry).await.unwrap();
    assert!(server.heads()[0].contains("x-hook: first\r\nx-hook: second"), "{:?}", server.heads());
}

#[tokio::test(start_paused = true)]
async fn the_hook_counts_towards_the_time_limits() {
    let server = Server::statuses([200]).await;
    let (retry, fetched) = with_tokens(POLICY.attempts(2).attempt_timeout(SECOND * 3), SECOND * 5);
    let (outcome, took) = timed(client().get(&server.url).send_with_retry(&retry)).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!((took, server.requests(), fetched.load(Ordering::Relaxed)), (SECOND * 7, 0, 0));
    let (retry, _) = with_tokens(POLICY.deadline(SECOND * 4), SECOND * 5);
    let (outcome, took) = timed(client().get(&server.url).send_with_retry(&retry)).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!((took, server.requests()), (SECOND * 4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_drops_the_hook() {
    struct Dropped(Arc<AtomicU32>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let drops = Arc::new(AtomicU32::new(0));
    let count = drops.clone();
    let retry = RequestRetry::new(POLICY).before_attempt_async(move |_| {
        let dropped = Dropped(count.clone());
        Box::pin(async move {
            let _dropped = dropped;
            sleep(SECOND * 60).await;
            Ok(())
        })
    });
    let server = Server::statuses([200]).await;
    tokio::time::timeout(SECOND, client().get(&server.url).send_with_retry(&retry)).await.unwrap_err();
    assert_eq!((drops.load(Ordering::Relaxed), server.requests()), (1, 0));
}

/// Fails before the first attempts with this error.
fn failing<E>(error: fn() -> E, attempts: u32) -> RequestRetry
where
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    RequestRetry::new(POLICY).before_attempt_async(move |outgoing| {
        let fails = outgoing.attempt().number() <= attempts;
        Box::pin(async move { if fails { Err(error().into()) } else { Ok(()) } })
    })
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_hook_ends_the_call_unless_it_is_transient() {
    let server = Server::statuses([200]).await;
    let post = async |retry: &RequestRetry| {
        let before = server.requests();
        let (outcome, took) = timed(client().post(&server.url).body("order").send_with_retry(retry)).await;
        (outcome.map_err(|error| format!("{error:?}")), took, server.requests() - before)
    };
    let (outcome, took, requests) = post(&failing(|| "no token for you", 1)).await;
    assert!(outcome.unwrap_err().contains("no token for you"));
    assert_eq!((took, requests), (Duration::ZERO, 0));
    let (outcome, took, _) = post(&failing(|| io::Error::from(io::ErrorKind::PermissionDenied), 1)).await;
    assert_eq!((outcome.is_err(), took), (true, Duration::ZERO));
    // Nothing was sent, so a POST is retried too.
    let (outcome, took, requests) = post(&failing(|| transient("busy"), 2)).await;
    assert_eq!((outcome.is_ok(), took, requests), (true, SECOND * 2, 1));
    let (outcome, took, requests) = post(&failing(|| io::Error::from(io::ErrorKind::ConnectionReset), 1)).await;
    assert_eq!((outcome.is_ok(), took, requests), (true, SECOND, 1));
}

#[tokio::test(start_paused = true)]
async fn requests_of_a_hook_are_not_those_of_the_attempt() {
    // A token that a tracking client posts for must not count as a redirect of the order.
    let client = client_builder().track_redirects().build().unwrap();
    let tokens = Server::statuses([200]).await;
    let server = Server::statuses([429, 200]).await;
    let (for_tokens, url) = (client.clone(), tokens.url.clone());
    let retry = RequestRetry::new(POLICY).before_attempt_async(move |_| {
        let request = for_tokens.post(&url).send();
        Box::pin(async move {
            request.await?;
            Ok(())
        })
    });
    let response = client.post(&server.url).body("order").send_with_retry(&retry).await.unwrap();
    assert_eq!((response.status().as_u16(), tokens.requests(), server.requests()), (200, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_leaves_the_breaker_usable() {
    let breaker = Arc::new(Breaker::new().minimum_attempts(1).open_for(SECOND));
    let server = Server::statuses([500, 200]).await;
    let limited = RequestRetry::new(POLICY.attempts(1)).breaker(breaker.clone());
    client().get(&server.url).send_with_retry(&limited).await.unwrap();
    sleep(SECOND * 2).await;
    let panicking = limited.clone().before_attempt_async(|_| Box::pin(async { panic!("in the hook") }));
    let request = client().get(&server.url);
    let task = tokio::spawn(async move { request.send_with_retry(&panicking).await });
    assert!(task.await.unwrap_err().is_panic());
    // The breaker has not been asked, so the next attempt is the probe.
    assert_eq!(client().get(&server.url).send_with_retry(&limited).await.unwrap().status(), 200);
}
