//! Nested calls through the same breaker inside the probe. They must not wait for the probe, which cannot end before they do.

use std::io::{self, ErrorKind};
use std::time::Duration;

use retry_runtime::breaker::BreakerState;
use retry_runtime::{Breaker, Policy, retry};
use tokio::time::sleep;

use super::{half_open, open, opens_after_two};
use crate::support::{SECOND, ms, timed};

/// Annotates an inner function and an outer one that calls it. Returns the outcome of the outer function while the breaker
/// is half-open, the time it takes, and the final state of the breaker.
macro_rules! nested {
    (($($outer:tt)*), ($($inner:tt)*), $given:expr) => {{
        static BREAKER: Breaker = opens_after_two();

        #[retry(breaker = BREAKER, $($inner)*)]
        async fn inner() -> io::Result<u32> {
            sleep(ms(5)).await;
            $given
        }
        #[retry(breaker = BREAKER, $($outer)*)]
        async fn outer() -> io::Result<u32> {
            sleep(ms(5)).await;
            inner().await
        }
        open(&BREAKER).await;
        tokio::time::advance(SECOND * 5).await;
        let (outcome, took) = timed(outer()).await;
        (outcome.map_err(|error| error.to_string()), took, BREAKER.state())
    }};
}

#[tokio::test(start_paused = true)]
async fn nested_annotated_function_is_part_of_the_probe() {
    let closed = (Ok(1), ms(10), BreakerState::Closed);
    assert_eq!(nested!((attempts = 1, deadline = "9s"), (attempts = 1, deadline = "9s"), Ok(1)), closed);
    assert_eq!(nested!((attempts = 1, deadline = "9s"), (attempts = 1), Ok(1)), closed);
    assert_eq!(nested!((attempts = 1), (attempts = 1, deadline = "9s"), Ok(1)), closed);
    assert_eq!(nested!((attempts = 1, deadline = "9s", hedge = "1s"), (attempts = 1, deadline = "9s"), Ok(1)), closed);
    assert_eq!(nested!((attempts = 1, deadline = "9s"), (attempts = 1, deadline = "9s", hedge = "1s"), Ok(1)), closed);
}

#[tokio::test(start_paused = true)]
async fn outcome_of_the_probe_decides_and_not_that_of_the_nested_call() {
    let failed = (Err("no".to_owned()), ms(10), BreakerState::Open);
    assert_eq!(
        nested!((attempts = 1, deadline = "9s"), (attempts = 1, deadline = "9s"), Err(io::Error::other("no"))),
        failed
    );
    let breaker = half_open().await;
    let recovers = async {
        let inner: io::Result<()> = breaker.call(async { Err(ErrorKind::ConnectionReset.into()) }).await;
        assert_eq!(inner.unwrap_err().kind(), ErrorKind::ConnectionReset);
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        io::Result::Ok(())
    };
    breaker.call(recovers).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn nested_breaker_call_is_part_of_the_probe() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 1, deadline = "9s")]
    async fn annotated() -> io::Result<u32> {
        sleep(ms(5)).await;
        BREAKER.call(async { Ok(1) }).await
    }
    let policy = Policy::new().attempts(1).deadline(SECOND * 9);
    let manual = |_| {
        BREAKER.call(async {
            sleep(ms(5)).await;
            annotated().await
        })
    };
    for takes in [ms(5), ms(10)] {
        open(&BREAKER).await;
        tokio::time::advance(SECOND * 5).await;
        let (outcome, took) = if takes == ms(5) { timed(annotated()).await } else { timed(policy.run(manual)).await };
        let outcome = outcome.map_err(|error| error.to_string());
        assert_eq!((outcome, took, BREAKER.state()), (Ok(1), takes, BreakerState::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_call_outside_the_probe_waits() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 1, deadline = "9s")]
    async fn call(takes: Duration) -> io::Result<()> {
        sleep(takes).await;
        Ok(())
    }
    open(&BREAKER).await;
    tokio::time::advance(SECOND * 5).await;
    let probe = BREAKER.call(async {
        sleep(ms(5)).await;
        call(ms(100)).await
    });
    let (probe, (beside, took)) = tokio::join!(probe, timed(call(ms(1))));
    probe.unwrap();
    beside.unwrap();
    assert_eq!(took, ms(106));
}

#[test]
fn nested_blocking_function_is_part_of_the_probe() {
    static BREAKER: Breaker = opens_after_two().open_for(Duration::from_millis(1));

    #[retry(breaker = BREAKER, blocking, attempts = 1, deadline = "200ms")]
    fn inner(fails: bool) -> io::Result<u32> {
        if fails { Err(ErrorKind::ConnectionReset.into()) } else { Ok(1) }
    }
    #[retry(breaker = BREAKER, blocking, attempts = 1, deadline = "200ms")]
    fn outer() -> io::Result<u32> {
        inner(false)
    }
    for _ in 0..2 {
        inner(true).unwrap_err();
    }
    std::thread::sleep(ms(5));
    let outcome = outer().map_err(|error| error.to_string());
    assert_eq!((outcome, BREAKER.state()), (Ok(1), BreakerState::Closed));
}
