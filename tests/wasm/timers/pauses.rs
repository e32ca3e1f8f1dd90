//! Pauses: the timer of JavaScript, and the random source.

use std::future::Future;
use std::io::{Error, ErrorKind};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use retry_runtime::{Executor, Jitter, Policy, retry, retrying};
use wasm_bindgen_test::wasm_bindgen_test;
use web_time::Instant;

use crate::host::{fix_random, skip_timeouts};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn third(attempts: &mut u32) -> Result<u32, Error> {
    *attempts += 1;
    if *attempts < 3 { Err(ErrorKind::ConnectionReset.into()) } else { Ok(*attempts) }
}

#[retry(start = "20ms")]
async fn annotated(attempts: &mut u32) -> Result<u32, Error> {
    third(attempts)
}

/// A timer of the host may end up to a millisecond early.
fn assert_takes(start: Instant, millis: u64) {
    assert!(start.elapsed() + Duration::from_millis(2) >= Duration::from_millis(millis), "{:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_millis(millis + 1000), "{:?}", start.elapsed());
}

#[wasm_bindgen_test]
async fn annotated_function_waits_between_attempts() {
    let start = Instant::now();
    assert_eq!(annotated(&mut 0).await.unwrap(), 3);
    assert_takes(start, 20 + 40);
}

#[wasm_bindgen_test]
async fn block_waits_between_attempts() {
    let (start, mut attempts) = (Instant::now(), 0);
    let third = retrying!(backoff = "fixed", start = "15ms", async { third(&mut attempts) }).await;
    assert_eq!(third.unwrap(), 3);
    assert_takes(start, 15 + 15);
}

#[wasm_bindgen_test]
async fn loop_by_hand_waits_between_attempts() {
    let (start, mut attempts) = (Instant::now(), 0);
    let mut retry = Executor::new(Policy::fixed(Duration::from_millis(15)));
    let third = loop {
        match retry.attempt_to_end(async { third(&mut attempts) }).await {
            Ok(third) => break retry.succeed(third),
            Err(error) => retry.pause(error).unwrap().await,
        }
    };
    assert_eq!(third, 3);
    assert_takes(start, 15 + 15);
    assert!(retry.started() >= start);
}

#[wasm_bindgen_test]
async fn closure_waits_between_attempts() {
    let (start, mut attempts) = (Instant::now(), 0);
    let third = Policy::fixed(Duration::from_millis(15)).run(|_| std::future::ready(third(&mut attempts))).await;
    assert_eq!(third.unwrap(), 3);
    assert_takes(start, 15 + 15);
}

#[wasm_bindgen_test]
async fn own_sleep_function_waits() {
    async fn sleep(delay: Duration) {
        TimeoutFuture::new(u32::try_from(delay.as_millis()).unwrap() * 10).await;
    }
    let (start, mut attempts) = (Instant::now(), 0);
    retrying!(backoff = "fixed", start = "2ms", sleep = sleep, async { third(&mut attempts) }).await.unwrap();
    assert_takes(start, 20 + 20);
}

/// The delays that `setTimeout` is given for one pause.
async fn timeouts(delay: Duration) -> Vec<f64> {
    let mut retry = Executor::new(Policy::fixed(delay).max_delay(Duration::MAX));
    let (_restored, timeouts) = skip_timeouts();
    retry.pause("try again").unwrap().await;
    timeouts.take()
}

#[wasm_bindgen_test]
async fn fraction_of_a_millisecond_counts_as_a_whole_one() {
    assert_eq!(timeouts(Duration::from_micros(1_500)).await, [2.0]);
    assert_eq!(timeouts(Duration::from_nanos(1)).await, [1.0]);
    assert_eq!(timeouts(Duration::from_millis(3)).await, [3.0]);
}

#[wasm_bindgen_test]
async fn delay_beyond_the_longest_timeout_takes_several() {
    const LONGEST: f64 = 2_147_483_647.0;
    let day = 86_400_000.0;
    assert_eq!(timeouts(24 * DAY).await, [24.0 * day]);
    assert_eq!(timeouts(60 * DAY).await, [LONGEST, LONGEST, 60.0 * day - 2.0 * LONGEST]);
}

#[wasm_bindgen_test]
async fn endless_delay_does_not_end() {
    let mut retry = Executor::new(Policy::fixed(Duration::MAX).max_delay(Duration::MAX));
    let mut pause = pin!(retry.pause("try again").unwrap());
    assert!(pause.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    TimeoutFuture::new(20).await;
    assert!(pause.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[wasm_bindgen_test]
async fn jitter_takes_its_randomness_from_the_host() {
    let pause = async |random| {
        let mut retry = Executor::new(Policy::fixed(Duration::from_millis(400)).jitter(Jitter::Full));
        let (_random, (_restored, timeouts)) = (fix_random(random), skip_timeouts());
        retry.pause("try again").unwrap().await;
        timeouts.take()
    };
    assert_eq!(pause(0.25).await, [100.0]);
    assert_eq!(pause(0.75).await, [300.0]);
}
