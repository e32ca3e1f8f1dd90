//! `RequestRetry::propagate`: the headers of requests with retry, and the response header of a name of one's own.
//!
//! A time limit sets a timer, which a paused clock would run out while the request waits for the server. So the tests with time
//! limits use the real clock.

use std::time::Duration;

use reqwest::{Body, Client, Response};
use reqwest_middleware::ClientBuilder;
use retry_runtime::http::{PerHost, RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::propagation::Propagation;
use retry_runtime::{Breaker, Policy, retry};
use tokio::time::sleep;

use crate::support::server::{Reply, Server, client};
use crate::support::{Recorder, SECOND, ms};

const TIME: &str = "x-envoy-expected-rq-timeout-ms";
const NUMBER: &str = "x-envoy-attempt-count";

/// Without a time limit, so that the clock can be paused.
static UNLIMITED: RequestRetry =
    RequestRetry::new(Policy::fixed(SECOND).attempts(3)).propagate(Propagation::new()).idempotent();

const SHORT: Policy = Policy::fixed(Duration::from_millis(100)).attempts(3);

static LIMITED: RequestRetry = RequestRetry::new(SHORT.deadline(Duration::from_secs(20))).propagate(Propagation::new());

/// The values of a header in the requests that a server has received.
fn values(server: &Server, name: &str) -> Vec<Option<String>> {
    let value = |head: String| {
        let mut values = head.lines().filter_map(|line| line.split_once(": ").filter(|(found, _)| *found == name));
        let value = values.next().map(|(_, value)| value.to_owned());
        assert_eq!(values.next(), None, "{head}");
        value
    };
    server.heads().into_iter().map(value).collect()
}

fn numbers(server: &Server) -> Vec<u32> {
    values(server, NUMBER).into_iter().map(|value| value.unwrap().parse().unwrap()).collect()
}

fn times(server: &Server) -> Vec<Duration> {
    values(server, TIME).into_iter().map(|value| ms(value.unwrap().parse().unwrap())).collect()
}

/// Checks that each request has less time than the one before, by at least the delay in between.
fn assert_decreasing(times: &[Duration], limit: Duration) {
    assert!(times[0] <= limit && times[0] > limit / 2, "{times:?}");
    for pair in times.windows(2) {
        assert!(pair[1] <= pair[0] - ms(100), "{times:?}");
    }
}

async fn failing() -> Server {
    Server::statuses([503]).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_unless_it_is_switched_on() {
    let server = failing().await;
    client().get(&server.url).send_with_retry(&Policy::fixed(SECOND).attempts(2)).await.unwrap();
    assert_eq!((values(&server, NUMBER), values(&server, TIME)), (vec![None; 2], vec![None; 2]));
}

#[tokio::test(start_paused = true)]
async fn each_request_has_its_number_however_it_is_sent() {
    let server = failing().await;
    let get = || client().get(&server.url);
    get().send_with_retry(&UNLIMITED).await.unwrap();
    assert_eq!(numbers(&server), [1, 2, 3]);
    client().post(&server.url).stream_with_retry(&UNLIMITED, || async { Body::from("body") }).await.unwrap();
    assert_eq!(numbers(&server)[3..], [1, 2, 3]);
    client().send_first_of(&UNLIMITED, [get(), get()]).await.unwrap();
    assert_eq!(numbers(&server)[6..], [1, 2, 3]);
    let through = ClientBuilder::new(client()).with(UNLIMITED.clone()).build();
    through.get(&server.url).send().await.unwrap();
    assert_eq!(numbers(&server)[9..], [1, 2, 3]);
    through.send_first_of(&UNLIMITED, [through.get(&server.url)]).await.unwrap();
    assert_eq!(numbers(&server)[12..], [1, 2, 3]);
    // A call without a time limit sends no time.
    assert_eq!(values(&server, TIME), vec![None; 15]);
}

#[tokio::test(start_paused = true)]
async fn extension_of_a_request_switches_it_on_and_off() {
    let server = failing().await;
    let off = RequestRetry::new(Policy::fixed(SECOND).attempts(1));
    let through = ClientBuilder::new(client()).with(off.clone()).build();
    through.get(&server.url).send().await.unwrap();
    through.get(&server.url).with_extension(off.clone().propagate(Propagation::new())).send().await.unwrap();
    let through = ClientBuilder::new(client()).with(UNLIMITED.clone()).build();
    through.get(&server.url).with_extension(off).send().await.unwrap();
    assert_eq!(values(&server, NUMBER), [None, Some("1".to_owned()), None]);
}

#[tokio::test]
async fn time_until_the_deadline_is_sent_with_each_request() {
    let server = failing().await;
    client().get(&server.url).send_with_retry(&LIMITED).await.unwrap();
    assert_decreasing(&times(&server), SECOND * 20);
    assert_eq!(numbers(&server), [1, 2, 3]);
}

#[tokio::test]
async fn middleware_sends_the_time_too() {
    let server = failing().await;
    let through = ClientBuilder::new(client()).with(LIMITED.clone()).build();
    through.get(&server.url).send().await.unwrap();
    assert_decreasing(&times(&server), SECOND * 20);
}

#[tokio::test]
async fn attempt_timeout_and_timeout_of_the_request_limit_the_time() {
    let server = failing().await;
    let timeout = RequestRetry::new(SHORT.deadline(SECOND * 20).attempt_timeout(SECOND * 10).attempts(2));
    let timeout = timeout.propagate(Propagation::new());
    client().get(&server.url).send_with_retry(&timeout).await.unwrap();
    // Each attempt has the whole timeout.
    assert!(times(&server).iter().all(|time| *time <= SECOND * 10 && *time > SECOND * 5), "{:?}", times(&server));
    client().get(&server.url).timeout(SECOND * 4).send_with_retry(&timeout).await.unwrap();
    assert_eq!(times(&server)[2..], [SECOND * 4; 2]);
}

#[tokio::test]
async fn deadline_of_a_call_around_limits_the_time() {
    #[retry(attempts = 1, deadline = "15s")]
    async fn around(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send_with_retry(&LIMITED).await
    }
    let server = failing().await;
    around(&client(), &server.url).await.unwrap();
    assert_decreasing(&times(&server), SECOND * 15);
}

#[tokio::test]
async fn header_of_the_request_stays_if_it_is_shorter() {
    let server = failing().await;
    let get = || client().get(&server.url).header(NUMBER, "9");
    get().header(TIME, "250").send_with_retry(&LIMITED).await.unwrap();
    assert_eq!((times(&server), numbers(&server)), (vec![ms(250); 3], vec![1, 2, 3]));
    get().header(TIME, "90000").send_with_retry(&LIMITED).await.unwrap();
    assert_decreasing(&times(&server)[3..], SECOND * 20);
}

#[tokio::test]
async fn time_that_hooks_take_is_over_when_the_request_is_sent() {
    let server = failing().await;
    let slow = LIMITED.clone().before_attempt_async(|outgoing| {
        assert!(!outgoing.request().headers().contains_key(TIME));
        Box::pin(async {
            sleep(ms(300)).await;
            Ok(())
        })
    });
    let slow = slow.per_host(PerHost::new().breaker(Breaker::new));
    client().get(&server.url).send_with_retry(&slow).await.unwrap();
    let times = times(&server);
    assert!(times[0] <= ms(19_700) && times[1] <= times[0] - ms(400), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn response_header_of_ones_own_name_ends_the_retries() {
    let last = async |name: &str, retry: RequestRetry| {
        let (server, recorder) = (Server::start([Reply::status(503).header(name, "1")]).await, Recorder::new());
        client().get(&server.url).send_with_retry(&retry.observer(recorder.clone())).await.unwrap();
        recorder.lines().pop().unwrap()
    };
    let retry = || RequestRetry::new(Policy::fixed(SECOND).attempts(3));
    let own = || retry().propagate(Propagation::new().exhausted_header("x-own"));
    assert_eq!(last("x-own", retry()).await, "3/3 GaveUp(Exhausted)");
    assert_eq!(last("x-own", own()).await, "1/3 GaveUp(ExhaustedBelow)");
    assert_eq!(last("x-retries-exhausted", own()).await, "1/3 GaveUp(ExhaustedBelow)");
    assert_eq!(last("x-other", own()).await, "3/3 GaveUp(Exhausted)");
}
