//! The arguments of `retrying!`: for each one, two values that differ, and the same run as with the attribute.

use std::sync::Arc;
use std::time::Duration;

use retry_runtime::breaker::BreakerOpen;
use retry_runtime::{Attempt, Breaker, Budget, Policy, TimedOut, retrying};
use tokio::time::sleep;

use crate::support::{
    Attempts, FakeResponse, Fault, Recorder, Run, SECOND, all_ms, lowest, middle, ms, recorded_blocking_sleep,
    recorded_sleep, run, timed,
};

type Plain = Result<(), &'static str>;
type Response = Result<FakeResponse, Fault>;

/// Runs a block with these arguments, with and without its type, and a function that is annotated with the same ones. Each attempt
/// returns `$outcome`.
macro_rules! same {
    (($($arguments:tt)*) $output:ty, $outcome:expr) => {{
        let attempts = Attempts::new();
        let outcome: $output = retrying!($($arguments)* async {
            attempts.start();
            let outcome: $output = $outcome;
            outcome
        })
        .await;
        let block = Run { outcome, delays: attempts.delays(), attempts: attempts.count() };
        let attempts = Attempts::new();
        let typed = retrying!($($arguments)* async || -> $output { attempts.start(); $outcome }).await;
        assert_eq!((&block.outcome, &block.delays), (&typed, &attempts.delays()));
        let annotated = run!(($($arguments)*) $output, $outcome);
        assert_eq!((block.outcome, &block.delays), (annotated.outcome, &annotated.delays));
        assert_eq!(block.attempts, annotated.attempts);
        Run { outcome: (), delays: block.delays, attempts: block.attempts }
    }};
}

macro_rules! delays {
    ($($arguments:tt)*) => { same!(($($arguments)*,) Plain, Err("no")).delays };
}

fn in_a_minute(_: &Attempt) -> Duration {
    Duration::from_secs(60)
}

#[tokio::test(start_paused = true)]
async fn attempts() {
    const FOUR: u32 = 4;
    assert_eq!(same!((start = "1ms", attempts = 2,) Plain, Err("no")).attempts, 2);
    assert_eq!(same!((start = "1ms", attempts = 5,) Plain, Err("no")).attempts, 5);
    assert_eq!(same!((start = "1ms", attempts = FOUR,) Plain, Err("no")).attempts, 4);
    let attempts = Attempts::new();
    assert_eq!(retrying!(attempts = "unlimited", async { attempts.succeed_at(50, "no") }).await, Ok(50));
}

#[tokio::test(start_paused = true)]
async fn schedule() {
    assert_eq!(delays!(backoff = "fixed"), all_ms([100, 100]));
    assert_eq!(delays!(backoff = "linear"), all_ms([100, 200]));
    assert_eq!(delays!(backoff = in_a_minute), all_ms([60_000, 60_000]));
    assert_eq!(delays!(start = "1s"), all_ms([1_000, 2_000]));
    assert_eq!(delays!(start = "2s"), all_ms([2_000, 4_000]));
    assert_eq!(delays!(factor = 3), all_ms([100, 300]));
    assert_eq!(delays!(factor = 2.5), all_ms([100, 250]));
    assert_eq!(delays!(start = "1s", max_delay = "1s"), all_ms([1_000, 1_000]));
    assert_eq!(delays!(start = "1s", max_delay = "1500ms"), all_ms([1_000, 1_500]));
    assert_eq!(delays!(delays = ["1s", "2ms"]), all_ms([1_000, 2]));
    assert_eq!(delays!(delays = ["5ms"]), all_ms([5]));
    assert_eq!(delays!(jitter = "none"), all_ms([100, 200]));
    assert_eq!(delays!(jitter = "20%", random_source = lowest), all_ms([80, 160]));
    assert_eq!(delays!(random_source = lowest), all_ms([0, 0]));
    assert_eq!(delays!(random_source = middle), all_ms([50, 100]));
}

#[tokio::test(start_paused = true)]
async fn on_status() {
    assert_eq!(same!((start = "1ms", on_status = [418, "5xx"],) Response, Ok(FakeResponse(418))).attempts, 3);
    assert_eq!(same!((start = "1ms", on_status = [410..=417],) Response, Ok(FakeResponse(418))).attempts, 1);
    assert_eq!(same!((start = "1ms", on_status = [],) Response, Ok(FakeResponse(503))).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn on_error() {
    let longest = 2;
    assert_eq!(same!((start = "1ms", on_error = "any",) Response, Err(Fault::PERMANENT)).attempts, 3);
    assert_eq!(same!((start = "1ms", on_error = "transient",) Response, Err(Fault::PERMANENT)).attempts, 1);
    assert_eq!(same!((start = "1ms", on_error = "never",) Response, Err(Fault::TRANSIENT)).attempts, 1);
    assert_eq!(same!((start = "1ms", on_error = Fault::is_unknown,) Response, Err(Fault::UNKNOWN)).attempts, 3);
    assert_eq!(same!((start = "1ms", on_error = Fault::is_unknown,) Response, Err(Fault::TRANSIENT)).attempts, 1);
    let attempts = Attempts::new();
    assert!(retrying!(on_error = |e| e.len() > longest, async { attempts.succeed_at(9, "no") }).await.is_err());
    assert_eq!(attempts.count(), 1);
    assert!(retrying!(on_error = |e| e.len() == longest, async { attempts.succeed_at(9, "no") }).await.is_err());
    assert_eq!(attempts.count(), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn on_ok() {
    assert_eq!(same!((start = "1ms", on_ok = |n| *n == 3,) Result<u32, Fault>, Ok(3)).attempts, 3);
    assert_eq!(same!((start = "1ms", on_ok = |n| *n == 4,) Result<u32, Fault>, Ok(3)).attempts, 1);
    assert_eq!(same!((start = "1ms", on_ok = |n| *n == 4,) Option<u32>, Some(4)).attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn delays_of_the_server() {
    const BUSY: Fault = Fault::status(503).after(SECOND);
    macro_rules! waits {
        ($($arguments:tt)*) => {
            same!((backoff = "fixed", start = "10ms", $($arguments)*) Result<(), Fault>, Err(BUSY)).delays
        };
    }
    assert_eq!(waits!(retry_after = "1s",), all_ms([1_000, 1_000]));
    assert!(waits!(retry_after = "999ms",).is_empty());
    assert_eq!(waits!(retry_after = "ignore",), all_ms([10, 10]));
    macro_rules! reads {
        ($delay:expr) => {
            same!((start = "1ms", server_delay = |_| $delay,) Response, Ok(FakeResponse(503))).delays
        };
    }
    assert_eq!(reads!(Some(ms(700))), all_ms([700, 700]));
    assert_eq!(reads!(None), all_ms([1, 2]));
}

#[tokio::test(start_paused = true)]
async fn draining() {
    // Accepted. What they do is the same engine's work as in an annotated function.
    assert_eq!(same!((start = "1ms", drain_limit = 0,) Response, Ok(FakeResponse(503))).attempts, 3);
    assert_eq!(
        same!((start = "1ms", drain_limit = 7, drain_timeout = "1s",) Response, Ok(FakeResponse(503))).attempts,
        3
    );
}

#[tokio::test(start_paused = true)]
async fn deadline() {
    assert_eq!(
        same!((attempts = 9, start = "1s", deadline = "2s",) Result<(), String>, Err(String::new())).attempts,
        2
    );
    assert_eq!(
        same!((attempts = 9, start = "1s", deadline = "8s",) Result<(), String>, Err(String::new())).attempts,
        4
    );
}

#[tokio::test(start_paused = true)]
async fn attempt_timeout() {
    async fn slow() -> Result<(), String> {
        sleep(SECOND * 2).await;
        Ok(())
    }
    let outcome = timed(retrying!(attempts = 1, attempt_timeout = "1s", async { slow().await })).await;
    assert_eq!(outcome, (Err("the attempt took longer than 1s".to_owned()), SECOND));
    let outcome = timed(retrying!(attempts = 1, attempt_timeout = "3s", async { slow().await })).await;
    assert_eq!(outcome, (Ok(()), SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn policy() {
    const TWO: Policy = Policy::fixed(SECOND).attempts(2);
    let shared = Arc::new(TWO.attempts(3));
    assert_eq!(delays!(policy = TWO), all_ms([1_000]));
    let attempts = Attempts::new();
    let _ = retrying!(policy = &TWO.attempts(4), async { attempts.succeed_at(9, "no") }).await;
    let _ = retrying!(policy = shared.clone(), async { attempts.succeed_at(9, "no") }).await;
    assert_eq!(attempts.count(), 4 + 3);
}

#[tokio::test(start_paused = true)]
async fn budget() {
    static FULL: Budget = Budget::new();
    static SMALL: Budget = Budget::new().retry_cost(1).capacity(1);
    let attempts = Attempts::new();
    let _ = retrying!(budget = FULL, start = "0s", async { attempts.succeed_at(9, "no") }).await;
    assert_eq!(attempts.count(), 3);
    let _ = retrying!(budget = SMALL, start = "0s", async { attempts.succeed_at(9, "no") }).await;
    assert_eq!(attempts.count(), 3 + 2);
}

#[tokio::test(start_paused = true)]
async fn nested() {
    macro_rules! attempts {
        ($($arguments:tt)*) => {{
            let attempts = Attempts::new();
            let inner = || retrying!(attempts = 2, start = "1s", async { attempts.succeed_at(9, "no") });
            let _ = retrying!($($arguments)* start = "1s", async { inner().await }).await;
            attempts.count()
        }};
    }
    assert_eq!((attempts!(), attempts!(nested = "once",)), (6, 2));
}

#[derive(Debug, PartialEq)]
enum Told {
    Late,
    Open,
    No,
}
impl From<TimedOut> for Told {
    fn from(_: TimedOut) -> Self {
        Self::Late
    }
}
impl From<BreakerOpen> for Told {
    fn from(_: BreakerOpen) -> Self {
        Self::Open
    }
}

#[tokio::test(start_paused = true)]
async fn breaker() {
    static CLOSED: Breaker = Breaker::new();
    static OPEN: Breaker = Breaker::new().minimum_attempts(1).failure_rate(1);
    let attempts = Attempts::new();
    let trips = retrying!(breaker = OPEN, attempts = 1, async { Err::<u32, _>(Told::No) });
    assert_eq!(trips.await, Err(Told::No));
    let closed = retrying!(breaker = CLOSED, attempts = 2, async { attempts.succeed_at(9, Told::No) });
    assert_eq!((closed.await, attempts.count()), (Err(Told::No), 2));
    let open = retrying!(breaker = OPEN, attempts = 2, async { attempts.succeed_at(9, Told::No) });
    assert_eq!((open.await, attempts.count()), (Err(Told::Open), 2));
    let open = retrying!(blocking, breaker = OPEN, attempts = 1, || attempts.succeed_at(9, Told::No));
    assert_eq!((open, attempts.count()), (Err(Told::Open), 2));
}

#[tokio::test(start_paused = true)]
async fn hedge_and_hedge_max() {
    macro_rules! copies {
        ($($arguments:tt)*) => {{
            let attempts = Attempts::new();
            let call = retrying!($($arguments)* attempts = 1, async {
                attempts.start();
                sleep(SECOND).await;
                Ok::<_, Fault>(())
            });
            call.await.unwrap();
            attempts.count()
        }};
    }
    assert_eq!((copies!(), copies!(hedge = "400ms",), copies!(hedge = "2s",)), (1, 2, 1));
    assert_eq!((copies!(hedge = "100ms", hedge_max = 3,), copies!(hedge = "100ms", hedge_max = 4,)), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn hedged_copies_have_clones_of_their_own() {
    let names = vec!["a".to_owned()];
    let policy = Policy::fixed(SECOND).attempts(1);
    let outcome = retrying!(hedge = "1ms", policy = policy, clone = [names], async || -> Result<usize, Fault> {
        names.push("b".to_owned());
        sleep(ms(5)).await;
        Ok(names.len())
    });
    assert_eq!(outcome.await, Ok(2));
    assert_eq!(names.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bind_and_the_argument_of_the_closure() {
    let (mut bound, mut named) = (Vec::new(), Vec::new());
    let outcome = retrying!(start = "1s", bind = this, async {
        bound.push((this.number(), this.elapsed()));
        Err::<(), _>(Fault::UNKNOWN)
    });
    outcome.await.unwrap_err();
    let outcome = retrying!(start = "1s", async |attempt| {
        named.push((attempt.number(), attempt.elapsed()));
        Err::<(), _>(Fault::UNKNOWN)
    });
    outcome.await.unwrap_err();
    assert_eq!(bound, [(1, Duration::ZERO), (2, SECOND), (3, SECOND * 3)]);
    assert_eq!(bound, named);
}

#[tokio::test(start_paused = true)]
async fn clone() {
    let list = vec![1];
    let outcome = retrying!(clone = [list], async {
        list.push(2);
        Err::<(), _>(list.len())
    });
    assert_eq!(outcome.await, Err(2));
    let mut list = list;
    let outcome = retrying!(async {
        list.push(2);
        Err::<(), _>(list.len())
    });
    assert_eq!(outcome.await, Err(4));
}

#[tokio::test(start_paused = true)]
async fn name_and_observer() {
    const NAME: &str = "from a constant";
    macro_rules! name {
        ($($arguments:tt)*) => {{
            let recorder = Recorder::new();
            retrying!(observer = recorder, $($arguments)* async { Ok::<_, Fault>(()) }).await.unwrap();
            recorder.names()[0].clone()
        }};
    }
    assert_eq!(name!(name = "load the page",), "load the page");
    assert_eq!(name!(name = NAME,), NAME);
    let (first, line) = (name!(), line!());
    assert_eq!(first, format!("all::retrying::arguments:{line}"));
    let other = Recorder::new();
    let quiet = Recorder::new();
    retrying!(observer = other, async { Ok::<_, Fault>(()) }).await.unwrap();
    assert_eq!((other.lines().len(), quiet.lines().len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn sleep_of_ones_own() {
    let recorder = Recorder::new();
    let attempts = Attempts::new();
    let call = retrying!(start = "1s", sleep = recorded_sleep, async { attempts.succeed_at(9, "no") });
    let _ = recorder.record_sleeps(call).await;
    assert_eq!((attempts.delays(), recorder.slept()), (all_ms([0, 0]), all_ms([1_000, 2_000])));
    let recorder = Recorder::new();
    let outcome = recorder.record_blocking_sleeps(|| {
        retrying!(blocking, start = "1s", sleep = recorded_blocking_sleep, || Attempts::new().succeed_at(9, "no"))
    });
    assert_eq!((outcome, recorder.slept()), (Err("no"), all_ms([1_000, 2_000])));
}

mod facade {
    pub(crate) use ::retry_runtime as renamed;
}

#[tokio::test(start_paused = true)]
async fn crate_path() {
    assert_eq!(
        same!((start = "1ms", crate = crate::retrying::arguments::facade::renamed, attempts = 2,) Plain, Err("no"))
            .attempts,
        2
    );
    assert_eq!(same!((start = "1ms", attempts = 3, crate = ::retry_runtime,) Plain, Err("no")).attempts, 3);
}
