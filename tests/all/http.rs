//! HTTP: annotated functions with reqwest and a real server, on a paused clock.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use reqwest::dns::{Name, Resolve, Resolving};
use reqwest::{Client, Response, StatusCode};
use retry_runtime::http::{CheckStatus, StatusError};
use retry_runtime::{Class, Condition, Executor, Policy, Retryable, retry};

use crate::server::{Reply, Server, client, refused};
use crate::support::{Attempts, Recorder, SECOND, all_ms, ms, timed};

type Boxed = Box<dyn Error + Send + Sync>;

/// The first example of the README, verbatim.
mod readme {
    use retry_runtime::retry;

    #[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
    pub(super) async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
        client.get(url).send().await
    }
}
use readme::fetch;

#[tokio::test(start_paused = true)]
async fn readme_example_waits_1_s_and_then_2_s_on_503() {
    let server = Server::statuses([503, 503, 200]).await;
    let (response, took) = timed(fetch(&client(), &server.url)).await;
    assert_eq!(response.unwrap().status(), 200);
    assert_eq!((server.delays(), took), (all_ms([1000, 2000]), SECOND * 3));
}

#[tokio::test(start_paused = true)]
async fn readme_example_returns_the_last_503() {
    let server = Server::statuses([503]).await;
    let response = fetch(&client(), &server.url).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn readme_example_retries_a_refused_connection() {
    let (outcome, took) = timed(fetch(&client(), &refused().await)).await;
    assert!(outcome.unwrap_err().is_connect());
    assert_eq!(took, SECOND * 3);
}

#[tokio::test(start_paused = true)]
async fn readme_example_does_not_retry_other_statuses() {
    for status in [200, 404, 500, 502] {
        let server = Server::statuses([status, 200]).await;
        let (response, took) = timed(fetch(&client(), &server.url)).await;
        assert_eq!(response.unwrap().status(), status);
        assert_eq!((server.requests(), took), (1, Duration::ZERO), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn readme_example_does_not_retry_an_invalid_url() {
    let (outcome, took) = timed(fetch(&client(), "not a url")).await;
    assert!(outcome.unwrap_err().is_builder());
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn refused_connection_is_not_retried_with_on_error_never() {
    #[retry(start = "1s", on_status = [503], on_error = "never")]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let (outcome, took) = timed(fetch(&client(), &refused().await)).await;
    assert!(outcome.unwrap_err().is_connect());
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn bare_attribute_retries_a_503() {
    #[retry]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await
    }
    let server = Server::statuses([503, 429, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    let server = Server::statuses([404, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 404);
}

#[tokio::test(start_paused = true)]
async fn bare_attribute_retries_a_503_from_error_for_status() {
    #[retry]
    async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
        client.get(url).send().await?.error_for_status()
    }
    let server = Server::statuses([503, 429, 200]).await;
    assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
    let server = Server::statuses([404, 200]).await;
    let error = fetch(&client(), &server.url).await.unwrap_err();
    assert_eq!((error.status(), server.requests()), (Some(StatusCode::NOT_FOUND), 1));
}

#[tokio::test(start_paused = true)]
async fn status_is_found_in_boxed_and_anyhow_errors() {
    #[retry(on_status = [418])]
    async fn boxed(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.error_for_status()?)
    }
    #[retry(on_status = [418])]
    async fn any(client: &Client, url: &str) -> anyhow::Result<Response> {
        Ok(client.get(url).send().await?.check_status()?)
    }
    let server = Server::statuses([418, 418, 503, 200]).await;
    let error = boxed(&client(), &server.url).await.unwrap_err();
    assert_eq!((error.status(), server.requests()), (Some(503), 3));
    let server = Server::statuses([418, 418, 200]).await;
    assert_eq!(any(&client(), &server.url).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn check_status_keeps_the_server_delay_and_error_for_status_does_not() {
    #[retry(start = "1s")]
    async fn checked(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.check_status()?)
    }
    #[retry(start = "1s")]
    async fn plain(client: &Client, url: &str) -> Result<Response, Boxed> {
        Ok(client.get(url).send().await?.error_for_status()?)
    }
    let replies = [Reply::status(503).retry_after("7"), Reply::status(503), Reply::status(200)];
    let server = Server::start(replies.clone()).await;
    checked(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([7000, 2000]));
    let server = Server::start(replies).await;
    plain(&client(), &server.url).await.unwrap();
    assert_eq!(server.delays(), all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn status_error_has_all_properties_of_the_response() {
    let server = Server::start([Reply::status(429).retry_after("7"), Reply::status(304)]).await;
    let error: StatusError = client().get(&server.url).send().await.unwrap().check_status().unwrap_err();
    assert_eq!((error.status(), error.server_delay()), (StatusCode::TOO_MANY_REQUESTS, Some(SECOND * 7)));
    assert_eq!((error.class(), error.url().as_str()), (Class::Transient, server.url.as_str()));
    let response = client().get(&server.url).send().await.unwrap().check_status().unwrap();
    assert_eq!(response.status(), 304);
}

mod retry_after {
    use super::*;

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
}

/// Classification of reqwest's errors.
mod errors {
    use super::*;

    #[retry(attempts = 2, start = "1s", on_error = "transient")]
    async fn json(client: &Client, url: &str) -> reqwest::Result<Vec<u32>> {
        client.get(url).send().await?.json().await
    }

    #[tokio::test(start_paused = true)]
    async fn lost_connection_while_reading_json_is_transient() {
        let server = Server::start([Reply::lost("[1, 2"), Reply::json("[1, 2]")]).await;
        assert_eq!(json(&client(), &server.url).await.unwrap(), [1, 2]);
        assert_eq!(server.requests(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn invalid_json_is_permanent() {
        let server = Server::start([Reply::json("[1, 2")]).await;
        let error = json(&client(), &server.url).await.unwrap_err();
        assert!(error.is_decode());
        assert_eq!((error.class(), server.requests()), (Class::Permanent, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn lost_connection_while_reading_text_is_transient() {
        let server = Server::start([Reply::lost("text")]).await;
        let error = client().get(&server.url).send().await.unwrap().text().await.unwrap_err();
        assert_eq!(error.class(), Class::Transient);
    }

    #[tokio::test(start_paused = true)]
    async fn refused_connection_is_transient() {
        let error = client().get(refused().await).send().await.unwrap_err();
        assert_eq!((error.class(), error.status()), (Class::Transient, None));
    }

    /// The resolver's own error cannot be classified, but it proves that there was no connection.
    #[tokio::test(start_paused = true)]
    async fn failed_name_resolution_is_transient() {
        struct Nowhere;
        impl Resolve for Nowhere {
            fn resolve(&self, _: Name) -> Resolving {
                Box::pin(async { Err("no such host".into()) })
            }
        }
        let client = Client::builder().no_proxy().dns_resolver(Arc::new(Nowhere)).build().unwrap();
        let error = client.get("http://nowhere.example/").send().await.unwrap_err();
        assert!(error.is_connect());
        assert_eq!(error.class(), Class::Transient);
    }

    #[tokio::test(start_paused = true)]
    async fn connection_closed_without_a_response_is_transient() {
        #[retry(start = "1s", on_status = [503])]
        async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
            client.get(url).send().await
        }
        let server = Server::start([Reply::nothing(), Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!(server.delays(), all_ms([1000]));
    }

    #[tokio::test(start_paused = true)]
    async fn client_timeout_is_transient() {
        #[retry(attempts = 2, start = "1s", on_error = "transient")]
        async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
            client.get(url).timeout(SECOND * 2).send().await
        }
        let server = Server::start([Reply::silence()]).await;
        let error = fetch(&client(), &server.url).await.unwrap_err();
        assert!(error.is_timeout());
        assert_eq!(server.delays(), all_ms([3000]));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_that_hangs_is_cut_off() {
        #[retry(attempts = 2, start = "1s", attempt_timeout = "5s")]
        async fn fetch(client: &Client, url: &str) -> reqwest::Result<Response> {
            client.get(url).send().await
        }
        let server = Server::start([Reply::silence(), Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!(server.delays(), all_ms([6000]));
    }
}

/// Draining: the body of a retried response is read during the pause, so that its connection can be reused.
mod connections {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn connection_is_reused_after_a_slow_body() {
        let slow = Reply::status(503).pieces(10, ms(50));
        let server = Server::start([slow.clone(), slow, Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!((server.connections(), server.delays()), (1, all_ms([1000, 2000])));
    }

    #[tokio::test(start_paused = true)]
    async fn endless_body_is_dropped_at_the_end_of_the_delay() {
        let endless = Reply::status(503).pieces(1_000_000, ms(100));
        let server = Server::start([endless, Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!((server.connections(), server.delays()), (2, all_ms([1000])));
    }

    #[tokio::test(start_paused = true)]
    async fn long_body_is_dropped_with_its_connection() {
        let long = Reply::status(503).pieces(100, ms(1));
        let server = Server::start([long, Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!((server.connections(), server.delays()), (2, all_ms([1000])));
    }

    /// The body is always ready, so only the drain limit can end it.
    #[tokio::test(start_paused = true)]
    async fn empty_frames_count_toward_the_drain_limit() {
        struct Empty(Arc<AtomicU32>);
        impl http_body::Body for Empty {
            type Data = bytes::Bytes;
            type Error = Infallible;

            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Infallible>>> {
                let number = self.0.fetch_add(1, Ordering::Relaxed);
                Poll::Ready((number < 1_000_000).then(|| Ok(http_body::Frame::data(bytes::Bytes::new()))))
            }
        }
        #[retry(attempts = 2, drain_limit = 100)]
        async fn fetch(frames: &Arc<AtomicU32>) -> http::Response<Empty> {
            http::Response::builder().status(503).body(Empty(frames.clone())).unwrap()
        }
        let frames = Arc::default();
        fetch(&frames).await;
        assert_eq!(frames.load(Ordering::Relaxed), 101);
    }

    #[test]
    fn blocking_pause_does_not_hold_the_response() {
        thread_local!(static HELD: Cell<u32> = const { Cell::new(0) });
        struct Held;
        impl http_body::Body for Held {
            type Data = bytes::Bytes;
            type Error = Infallible;

            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Infallible>>> {
                Poll::Pending
            }
        }
        impl Drop for Held {
            fn drop(&mut self) {
                HELD.set(HELD.get() - 1);
            }
        }
        fn sleep(_: Duration) {
            assert_eq!(HELD.get(), 0);
        }
        #[retry(blocking, attempts = 2, start = "1s", sleep = sleep)]
        fn fetch() -> http::Response<Held> {
            HELD.set(HELD.get() + 1);
            http::Response::builder().status(503).body(Held).unwrap()
        }
        assert_eq!(fetch().status(), 503);
    }

    #[tokio::test(start_paused = true)]
    async fn last_response_is_not_drained() {
        let server = Server::start([Reply::status(503).pieces(3, ms(50))]).await;
        let response = fetch(&client(), &server.url).await.unwrap();
        assert_eq!(response.bytes().await.unwrap().len(), 3000);
    }

    #[tokio::test(start_paused = true)]
    async fn response_in_an_option_is_drained() {
        #[retry(start = "1s")]
        async fn fetch(client: &Client, url: &str) -> Option<Response> {
            client.get(url).send().await.ok()
        }
        let server = Server::start([Reply::status(503).pieces(10, ms(50)), Reply::status(200)]).await;
        assert_eq!(fetch(&client(), &server.url).await.unwrap().status(), 200);
        assert_eq!((server.connections(), server.delays()), (1, all_ms([1000])));
    }
}

#[tokio::test(start_paused = true)]
async fn manual_loop_classifies_responses() {
    let server = Server::start([Reply::status(503).retry_after("4"), Reply::status(200)]).await;
    let policy = Policy::fixed(SECOND);
    let client = client();
    let response = policy.run(|_| client.get(&server.url).send()).await.unwrap();
    assert_eq!((response.status().as_u16(), server.delays()), (200, all_ms([4000])));
    let server = Server::statuses([418, 200]).await;
    let mut retry = Executor::new(&policy);
    let outcome = retry.attempt(client.get(&server.url).send()).await;
    let condition = Condition::new().on_status(const { &[418..=418] });
    assert!(retry.next(outcome, &condition).is_continue());
}

#[tokio::test(start_paused = true)]
async fn events_hide_the_query_of_a_failed_request() {
    #[retry(attempts = 1, observer = recorder)]
    async fn fetch(client: &Client, url: &str, recorder: &Recorder) -> reqwest::Result<Response> {
        client.get(format!("{url}path?key=secret")).send().await
    }
    let recorder = Recorder::new();
    fetch(&client(), &refused().await, &recorder).await.unwrap_err();
    let failed = recorder.lines()[1].clone();
    assert!(failed.contains("/path?***") && !failed.contains("secret"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn successful_request_is_sent_once() {
    #[retry]
    async fn fetch(client: &Client, url: &str, attempts: &Attempts) -> reqwest::Result<Response> {
        attempts.start();
        client.get(url).send().await
    }
    let (server, attempts) = (Server::statuses([200]).await, Attempts::new());
    fetch(&client(), &server.url, &attempts).await.unwrap();
    assert_eq!((server.requests(), attempts.count()), (1, 1));
}
