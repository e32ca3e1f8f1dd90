//! Pitfalls: mistakes of other retry crates, each as a test.
//!
//! Two pitfalls concern rustc's messages: lints and `cfg` that leak into the user's crate, and generated documentation that
//! silences `missing_docs`. Their tests are in `ui-tests`.

use std::io;
use std::time::Duration;

use reqwest::{Client, Response};
use retry_runtime::{Executor, Jitter, Policy, retry};

use crate::support::server::{Reply, Server, client};
use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, highest, ms, recorded_sleep, run, timed};

type Plain = Result<(), &'static str>;

#[tokio::test(start_paused = true)]
async fn jitter_never_waits_beyond_max_delay() {
    let run = run!(
        (attempts = 6, start = "1s", max_delay = "3s", jitter = "100%", random_source = highest) Plain, Err("no")
    );
    assert!(run.delays.iter().all(|delay| *delay <= SECOND * 3), "{:?}", run.delays);
    assert_eq!(run.delays.last(), Some(&(SECOND * 3)));
}

#[test]
fn growth_does_not_overflow_before_max_delay() {
    for policy in [
        Policy::exponential(SECOND).factor(f64::MAX),
        Policy::linear(Duration::MAX),
        Policy::fibonacci(Duration::MAX),
        Policy::decorrelated(SECOND, Duration::MAX).jitter(Jitter::Share(1.0)),
    ] {
        let last = policy.unlimited().max_delay(Duration::MAX).schedule().nth(2000).unwrap();
        assert_eq!(*last.end(), Duration::MAX);
    }
}

/// All APIs count attempts from 1: events, `bind`, custom backoffs and manual loops.
#[tokio::test(start_paused = true)]
async fn attempts_are_counted_from_one_in_all_apis() {
    fn seconds_by_number(attempt: &retry_runtime::Attempt) -> Duration {
        SECOND * attempt.number()
    }
    #[retry(attempts = 3, backoff = seconds_by_number, bind = attempt, observer = recorder)]
    async fn call(recorder: &Recorder, bound: &mut Vec<u32>, attempts: &Attempts) -> Plain {
        attempts.start();
        bound.push(attempt.number());
        Err("no")
    }
    let (recorder, attempts, mut bound) = (Recorder::new(), Attempts::new(), Vec::new());
    call(&recorder, &mut bound, &attempts).await.unwrap_err();
    assert_eq!(bound, [1, 2, 3]);
    assert_eq!(attempts.delays(), all_ms([1000, 2000]));
    let lines = recorder.lines();
    assert_eq!(lines.first().unwrap(), "1/3 AttemptStarted");
    assert_eq!(lines.last().unwrap(), "3/3 GaveUp(Exhausted)");
    assert_eq!(Executor::new(&Policy::new()).current().number(), 1);
}

#[tokio::test(start_paused = true)]
async fn last_attempt_is_not_followed_by_a_sleep() {
    #[retry(attempts = 2, backoff = "fixed", start = "1s", sleep = recorded_sleep)]
    async fn call() -> Plain {
        Err("no")
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(call()).await.unwrap_err();
    assert_eq!(recorder.slept(), [SECOND]);
}

#[tokio::test(start_paused = true)]
async fn observer_receives_the_exact_delay_before_the_sleep() {
    #[retry(attempts = 2, start = "1s", jitter = "20%", sleep = recorded_sleep, observer = recorder)]
    async fn call(recorder: &Recorder) -> Result<(), Fault> {
        Err(Fault::TRANSIENT)
    }
    let recorder = Recorder::new();
    recorder.record_sleeps(call(&recorder)).await.unwrap_err();
    let slept = recorder.slept()[0];
    let waiting = format!("1/2 Waiting {{ delay: {slept:?}, source: Backoff }}");
    assert_eq!(recorder.lines()[2..4], [waiting, format!("slept {slept:?}")]);
}

#[tokio::test(start_paused = true)]
async fn deadline_starts_with_each_call_and_not_with_the_policy() {
    static SHARED: Policy = Policy::fixed(SECOND).unlimited().deadline(Duration::from_millis(2500));
    for _ in 0..2 {
        assert_eq!(run!((policy = &SHARED) Result<(), String>, Err(String::new())).attempts, 3);
        tokio::time::sleep(SECOND * 60).await;
    }
}

/// The system clock may jump, and advances while attempts run. Tokio's paused clock advances during pauses only.
#[tokio::test(start_paused = true)]
async fn elapsed_time_does_not_come_from_the_system_clock() {
    #[retry(attempts = "unlimited", backoff = "fixed", start = "1s", deadline = "1s 1ms", bind = attempt)]
    async fn call(elapsed: &mut Vec<Duration>) -> Result<(), String> {
        elapsed.push(attempt.elapsed());
        Err(String::new())
    }
    let mut elapsed = Vec::new();
    call(&mut elapsed).await.unwrap_err();
    assert_eq!(elapsed, all_ms([0, 1000]));
}

#[tokio::test(start_paused = true)]
async fn first_delay_is_the_start() {
    for delays in [
        run!((start = "3s") Plain, Err("no")).delays,
        run!((start = "3s", factor = 10) Plain, Err("no")).delays,
        run!((backoff = "linear", start = "3s") Plain, Err("no")).delays,
        run!((backoff = "fibonacci", start = "3s") Plain, Err("no")).delays,
        run!((backoff = "fixed", start = "3s") Plain, Err("no")).delays,
    ] {
        assert_eq!(delays[0], SECOND * 3);
    }
}

#[tokio::test(start_paused = true)]
async fn calls_share_no_schedule_state() {
    #[retry(attempts = 4, start = "1s")]
    async fn call(attempts: &Attempts) -> Plain {
        attempts.start();
        Err("no")
    }
    let all = [Attempts::new(), Attempts::new(), Attempts::new()];
    let _ = tokio::join!(call(&all[0]), call(&all[1]));
    let _ = call(&all[2]).await;
    for attempts in &all {
        assert_eq!(attempts.delays(), all_ms([1000, 2000, 4000]));
    }
}

#[tokio::test(start_paused = true)]
async fn calls_share_no_decorrelated_schedule_state() {
    let first = || async {
        run!(
            (attempts = 3, backoff = "decorrelated", start = "1s", max_delay = "60s", random_source = highest)
            Plain, Err("no")
        )
        .delays
    };
    assert_eq!(first().await, first().await);
}

#[tokio::test(start_paused = true)]
async fn question_mark_and_return_end_the_attempt_and_not_the_call() {
    #[retry(start = "1s")]
    async fn question(attempts: &Attempts) -> io::Result<u32> {
        let number = attempts.start();
        let text = if number < 3 { "not a number" } else { "7" };
        text.parse::<u32>().map_err(io::Error::other)?;
        Ok(number)
    }
    #[retry(start = "1s")]
    async fn returns(attempts: &Attempts) -> Option<u32> {
        let number = attempts.start();
        if number < 3 {
            return None;
        }
        Some(number)
    }
    assert_eq!(question(&Attempts::new()).await.unwrap(), 3);
    assert_eq!(returns(&Attempts::new()).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn consumed_body_is_not_resent_empty() {
    #[retry(start = "1s", clone = [body])]
    async fn push(client: &Client, url: &str, body: String) -> reqwest::Result<Response> {
        client.post(url).body(body).send().await
    }
    let server = Server::statuses([503, 503, 200]).await;
    push(&client(), &server.url, "order 7".to_owned()).await.unwrap();
    assert_eq!(server.bodies(), ["order 7"; 3]);
}

#[retry(start = "1s")]
async fn get(client: &Client, url: &str) -> reqwest::Result<Response> {
    client.get(url).send().await
}

#[tokio::test(start_paused = true)]
async fn failed_response_does_not_hold_its_connection_during_the_delay() {
    let client = client();
    let server = Server::start([Reply::status(503).pieces(10, ms(10)), Reply::status(200)]).await;
    let other = async {
        tokio::time::sleep(ms(500)).await;
        client.get(&server.url).send().await.unwrap()
    };
    let (retried, _) = tokio::join!(get(&client, &server.url), other);
    assert_eq!((retried.unwrap().status().as_u16(), server.requests()), (200, 3));
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn server_cannot_make_a_call_wait_forever() {
    let server = Server::start([Reply::status(503).retry_after("99999999999")]).await;
    let (response, took) = timed(get(&client(), &server.url)).await;
    assert_eq!((response.unwrap().status().as_u16(), took), (503, Duration::ZERO));
}

/// With Nagle's algorithm on the server, each small chunk of a body would arrive 40 ms late in real time. The test takes the
/// fastest of three requests, because a busy machine is slow as well.
#[tokio::test]
async fn test_server_sends_small_packets_at_once() {
    let server = Server::start([Reply::status(200).pieces(20, Duration::ZERO)]).await;
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let start = std::time::Instant::now();
        let body = client().get(&server.url).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(body.len(), 20_000);
        fastest = fastest.min(start.elapsed());
    }
    assert!(fastest < ms(20 * 40), "{fastest:?}");
}
