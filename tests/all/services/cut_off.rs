//! Requests with retry under the deadline of a caller: they are cut off at it whatever their policy is.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::{Body, Client, Response};
use reqwest_middleware::ClientBuilder;
use retry_runtime::breaker::BreakerState;
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::{Breaker, Deadline, Executor, Policy, TimedOut};
use tokio::time::{sleep, timeout};

use crate::support::server::{Reply, Server, client, client_builder};
use crate::support::{Recorder, SECOND, ms, timed};

const POLICY: Policy = Policy::fixed(Duration::from_millis(100)).attempts(3);

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, Box<dyn Error>>> + 'a>>;

/// All ways to send a request with this policy. The client does not reuse connections, whose wait would move a paused clock.
fn all_ways<'a>(client: &'a Client, url: &'a str, policy: Policy) -> Vec<(&'static str, Sending<'a>)> {
    let plain = async move { Ok(client.get(url).send_with_retry(&policy).await?) };
    let with_options = async move {
        let options = RequestRetry::new(policy).before_attempt(|_| {});
        Ok(client.get(url).send_with_retry(&options).await?)
    };
    let stream = async move { Ok(client.put(url).stream_with_retry(&policy, || async { Body::from("body") }).await?) };
    let first_of = async move { Ok(client.send_first_of(&policy, [client.get(url)]).await?) };
    let middleware = async move {
        let client = ClientBuilder::new(client.clone()).with(RequestRetry::new(policy)).build();
        Ok(client.get(url).send().await?)
    };
    let first_of_middleware = async move {
        let client = ClientBuilder::new(client.clone()).build();
        Ok(client.send_first_of(&policy, [client.get(url)]).await?)
    };
    vec![
        ("plain", Box::pin(plain)),
        ("with options", Box::pin(with_options)),
        ("stream", Box::pin(stream)),
        ("first of", Box::pin(first_of)),
        ("middleware", Box::pin(middleware)),
        ("first of, with middleware", Box::pin(first_of_middleware)),
    ]
}

/// The [`TimedOut`] in an error of a client.
fn timed_out(error: &(dyn Error + 'static)) -> TimedOut {
    let own = match error.downcast_ref() {
        Some(reqwest_middleware::Error::Reqwest(error)) => error,
        _ => error.downcast_ref::<reqwest::Error>().unwrap(),
    };
    assert!(own.is_timeout());
    let sources = std::iter::successors(own.source(), |&error| error.source());
    let inside = sources.filter_map(|error| error.downcast_ref::<std::io::Error>()?.get_ref()?.downcast_ref());
    *inside.last().unwrap()
}

#[tokio::test(start_paused = true)]
async fn hanging_request_is_cut_off_at_the_deadline_of_the_caller() {
    let server = Server::start([Reply::silence()]).await;
    let client = client();
    for (way, sending) in all_ways(&client, &server.url, POLICY) {
        let (outcome, took) = timed(Deadline::after(SECOND).scope(sending)).await;
        assert_eq!(
            timed_out(&*outcome.unwrap_err()).to_string(),
            "the caller's deadline of 1s passed while the attempt ran",
            "{way}"
        );
        assert!((ms(999)..=ms(1001)).contains(&took), "{way}: {took:?}");
    }
    assert_eq!(server.requests(), 6);
}

#[tokio::test(start_paused = true)]
async fn retry_that_hangs_is_cut_off_too() {
    let client = client();
    for way in 0..6 {
        let server = Server::start([Reply::status(503), Reply::silence()]).await;
        let (way, sending) = all_ways(&client, &server.url, POLICY).swap_remove(way);
        let (outcome, took) = timed(Deadline::after(SECOND).scope(sending)).await;
        assert!(timed_out(&*outcome.unwrap_err()).is_caller_deadline(), "{way}");
        assert!((ms(999)..=ms(1001)).contains(&took), "{way}: {took:?}");
        assert_eq!(server.requests(), 2, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_deadline_of_the_caller() {
    let lookups = Arc::new(Lookups::default());
    let client = client_builder().dns_resolver(lookups.clone()).build().unwrap();
    for (way, sending) in all_ways(&client, "http://service.example/", POLICY) {
        let error = Deadline::after(Duration::ZERO).scope(sending).await.unwrap_err();
        assert!(timed_out(&*error).is_caller_deadline(), "{way}");
        // Not even the name of the host is looked up.
        assert_eq!(lookups.0.load(Relaxed), 0, "{way}");
    }
    client.get("http://service.example/").send_with_retry(&POLICY.attempts(1)).await.unwrap_err();
    assert_eq!(lookups.0.load(Relaxed), 1);
}

/// A DNS resolver that counts, and finds nothing.
#[derive(Default)]
struct Lookups(AtomicU32);

impl Resolve for Lookups {
    fn resolve(&self, _: Name) -> Resolving {
        self.0.fetch_add(1, Relaxed);
        Box::pin(async { Err("no such host".into()) })
    }
}

#[tokio::test]
async fn request_in_time_is_not_changed_by_the_deadline() {
    let server = Server::start([Reply::status(503), Reply::status(200)]).await;
    let response = Deadline::after(SECOND * 60).scope(client().get(&server.url).send_with_retry(&POLICY));
    assert_eq!(response.await.unwrap().status(), 200);
    let client = client();
    for (way, sending) in all_ways(&client, &server.url, POLICY) {
        assert_eq!(Deadline::after(SECOND * 60).scope(sending).await.unwrap().status(), 200, "{way}");
    }
}

/// The request is built outside of the scope in which it is polled.
#[tokio::test(start_paused = true)]
async fn spawned_request_takes_the_deadline_with_it() {
    let server = Server::start([Reply::silence()]).await;
    let request = client().get(&server.url);
    let task = Deadline::after(SECOND).run(|| {
        let deadline = Deadline::current().unwrap();
        tokio::spawn(deadline.scope(request.send_with_retry(&POLICY)))
    });
    let (outcome, took) = timed(async { task.await.unwrap() }).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert!((ms(999)..=ms(1001)).contains(&took), "{took:?}");
}

/// Deadlines of calls in this process only cut attempts off that have limits.
#[tokio::test(start_paused = true)]
async fn deadline_of_a_call_around_does_not_cut_off_a_request_without_limits() {
    let server = Server::start([Reply::status(200).late(SECOND * 3)]).await;
    let client = client();
    for (way, sending) in all_ways(&client, &server.url, POLICY) {
        let policy = Policy::new().deadline(SECOND);
        let mut outer = Executor::new(&policy);
        assert_eq!(outer.attempt_to_end(sending).await.unwrap().status(), 200, "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_of_the_caller_cuts_off_behind_an_earlier_one_of_a_call_around() {
    let server = Server::start([Reply::silence()]).await;
    let client = client();
    for (way, sending) in all_ways(&client, &server.url, POLICY) {
        let policy = Policy::new().deadline(SECOND);
        let call = Deadline::after(SECOND * 2).scope(async { Executor::new(&policy).attempt_to_end(sending).await });
        let (outcome, took) = timed(call).await;
        assert!(timed_out(&*outcome.unwrap_err()).is_caller_deadline(), "{way}");
        assert!((ms(1999)..=ms(2001)).contains(&took), "{way}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn earlier_limit_of_the_policy_applies() {
    let server = Server::start([Reply::silence()]).await;
    let client = client();
    for policy in [POLICY.attempts(1).attempt_timeout(ms(500)), POLICY.deadline(ms(500))] {
        for (way, sending) in all_ways(&client, &server.url, policy) {
            let (outcome, took) = timed(Deadline::after(SECOND).scope(sending)).await;
            assert!(!timed_out(&*outcome.unwrap_err()).is_caller_deadline(), "{way}");
            assert!((ms(499)..=ms(501)).contains(&took), "{way}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn event_has_the_reason() {
    let server = Server::start([Reply::silence()]).await;
    let recorder = Recorder::new();
    let options = RequestRetry::new(POLICY).observer(recorder.clone());
    Deadline::after(SECOND).scope(client().get(&server.url).send_with_retry(&options)).await.unwrap_err();
    assert_eq!(recorder.lines().last().unwrap(), "1/3 GaveUp(CallerDeadline)");
}

#[tokio::test(start_paused = true)]
async fn request_cut_off_by_the_caller_does_not_count_in_its_breaker() {
    let breaker = Arc::new(Breaker::new().minimum_attempts(1).failure_rate(1));
    let server = Server::start([Reply::silence()]).await;
    let send = async |policy| {
        let options = RequestRetry::new(policy).breaker(breaker.clone());
        client().get(&server.url).send_with_retry(&options).await.unwrap_err()
    };
    Deadline::after(SECOND).scope(send(POLICY)).await;
    assert_eq!(breaker.state(), BreakerState::Closed);
    Deadline::after(SECOND).scope(send(POLICY.attempts(1).attempt_timeout(ms(500)))).await;
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn request_without_a_caller_is_not_cut_off() {
    let server = Server::start([Reply::silence()]).await;
    let client = client();
    for (way, sending) in all_ways(&client, &server.url, POLICY) {
        assert!(timeout(SECOND * 100, sending).await.is_err(), "{way}");
    }
    sleep(SECOND).await;
}
