//! The header `Retry-After`.

use std::time::{Duration, SystemTime};

use reqwest::{Client, Response};
use retry_runtime::retry;

use crate::support::server::{Reply, Server, client};
use crate::support::{Recorder, SECOND, all_ms, timed};

#[retry(attempts = 3, start = "1s", max_delay = "2s", observer = recorder)]
async fn fetch(client: &Client, url: &str, recorder: &Recorder) -> reqwest::Result<Response> {
    client.get(url).send().await
}

/// The delays after a 503 with this `Retry-After`, and the event that reports the delay.
async fn first(value: &str) -> (Vec<Duration>, String) {
    first_after(Reply::status(503).retry_after(value)).await
}

async fn first_after(reply: Reply) -> (Vec<Duration>, String) {
    let server = Server::start([reply, Reply::status(200)]).await;
    let recorder = Recorder::new();
    fetch(&client(), &server.url, &recorder).await.unwrap();
    (server.delays(), recorder.lines()[2].clone())
}

#[tokio::test(start_paused = true)]
async fn seconds_may_exceed_max_delay() {
    let expected = "1/3 Waiting { delay: 10s, source: Server }".to_owned();
    assert_eq!(first("10").await, (all_ms([10_000]), expected));
}

#[tokio::test(start_paused = true)]
async fn retry_after_does_not_shorten_the_delay() {
    let expected = "1/3 Waiting { delay: 1s, source: Backoff }".to_owned();
    assert_eq!(first("0").await, (all_ms([1000]), expected));
}

#[tokio::test(start_paused = true)]
async fn date_delays_the_next_attempt() {
    let date = httpdate::fmt_http_date(SystemTime::now() + SECOND * 30);
    let (delays, event) = first(&date).await;
    // A date has whole seconds, and the request takes some time.
    assert!(delays[0] > SECOND * 20 && delays[0] <= SECOND * 30, "{delays:?}");
    assert!(event.ends_with("source: Server }"), "{event}");
    assert_eq!(first("Sun, 06 Nov 1994 08:49:37 GMT").await.0, all_ms([1000]));
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A 503 from a server whose clock shows `now`, with a `Retry-After` of 30 s.
fn reply_with_clock_at(now: SystemTime) -> Reply {
    let date = |time| httpdate::fmt_http_date(time);
    Reply::status(503).header("date", &date(now)).retry_after(&date(now + SECOND * 30))
}

#[tokio::test(start_paused = true)]
async fn date_is_relative_to_the_clock_of_the_server() {
    let expected = (all_ms([30_000]), "1/3 Waiting { delay: 30s, source: Server }".to_owned());
    let (ahead, behind) = (SystemTime::now() + DAY, SystemTime::now() - DAY);
    assert_eq!(first_after(reply_with_clock_at(ahead)).await, expected);
    assert_eq!(first_after(reply_with_clock_at(behind)).await, expected);
}

#[tokio::test(start_paused = true)]
async fn date_is_relative_to_the_local_clock_if_the_server_sends_no_date() {
    for date in ["", "yesterday", "0"] {
        let asked = httpdate::fmt_http_date(SystemTime::now() + SECOND * 30);
        let reply = Reply::status(503).header("date", date).retry_after(&asked);
        let (delays, _) = first_after(reply).await;
        assert!(delays[0] > SECOND * 20 && delays[0] <= SECOND * 30, "{date}: {delays:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn seconds_do_not_depend_on_clocks() {
    let ahead = httpdate::fmt_http_date(SystemTime::now() + DAY);
    let reply = Reply::status(503).header("date", &ahead).retry_after("10");
    assert_eq!(first_after(reply).await.0, all_ms([10_000]));
}

#[tokio::test(start_paused = true)]
async fn invalid_retry_after_is_ignored() {
    assert_eq!(first("soon").await.0, all_ms([1000]));
    assert_eq!(first("-5").await.0, all_ms([1000]));
}

#[tokio::test(start_paused = true)]
async fn delay_above_the_limit_ends_the_call_with_the_response() {
    for (value, delay) in
        [("61", "61s"), ("99999999999", "99999999999s"), ("99999999999999999999999999", "18446744073709551615s")]
    {
        let server = Server::start([Reply::status(503).retry_after(value)]).await;
        let recorder = Recorder::new();
        let (response, took) = timed(fetch(&client(), &server.url, &recorder)).await;
        assert_eq!(response.unwrap().headers()["retry-after"], value);
        assert_eq!((server.requests(), took), (1, Duration::ZERO));
        assert_eq!(recorder.lines()[2], format!("1/3 GaveUp(ServerDelay({delay}))"));
    }
}

#[tokio::test(start_paused = true)]
async fn long_max_delay_does_not_raise_the_limit() {
    #[retry(attempts = "unlimited", start = "1s", max_delay = "182500d", observer = recorder)]
    async fn patient(client: &Client, url: &str, recorder: &Recorder) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::start([Reply::status(503).retry_after("99999999999")]).await;
    let recorder = Recorder::new();
    let (response, took) = timed(patient(&client(), &server.url, &recorder)).await;
    assert_eq!((response.unwrap().status().as_u16(), took), (503, Duration::ZERO));
    assert_eq!(recorder.lines()[2], "1/- GaveUp(ServerDelay(99999999999s))");
}

#[tokio::test(start_paused = true)]
async fn retry_after_beyond_the_deadline_ends_the_call() {
    #[retry(attempts = 3, start = "1s", deadline = "5s", observer = recorder)]
    async fn limited(client: &Client, url: &str, recorder: &Recorder) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::start([Reply::status(503).retry_after("5")]).await;
    let recorder = Recorder::new();
    let (response, took) = timed(limited(&client(), &server.url, &recorder)).await;
    assert_eq!((response.unwrap().status().as_u16(), took), (503, Duration::ZERO));
    assert_eq!(recorder.lines()[2], "1/3 GaveUp(Deadline)");
}
