//! The window: which outcomes count, and for how long.

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use retry_runtime::Breaker;
use retry_runtime::breaker::BreakerState::{Closed, Open};
use tokio::time::advance;

use super::{fails, succeeds};
use crate::support::{SECOND, ms};

async fn all(breaker: &Breaker, successes: u32, failures: u32) {
    for _ in 0..successes {
        succeeds(breaker).await.unwrap();
    }
    for _ in 0..failures {
        fails(breaker).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn failures_count_for_nine_to_ten_tenths_of_the_window() {
    for (after, state) in [(ms(8_900), Open), (ms(9_000), Open), (ms(10_000), Closed), (SECOND * 3600, Closed)] {
        let breaker = Breaker::new().minimum_attempts(4);
        all(&breaker, 0, 3).await;
        advance(after).await;
        all(&breaker, 0, 1).await;
        assert_eq!(breaker.state(), state, "after {after:?}");
    }
    // At the end of a part of the window.
    for (after, state) in [(ms(9_099), Open), (ms(9_100), Closed)] {
        let breaker = Breaker::new().minimum_attempts(5);
        all(&breaker, 1, 0).await;
        advance(ms(900)).await;
        all(&breaker, 0, 3).await;
        advance(after).await;
        all(&breaker, 0, 2).await;
        assert_eq!(breaker.state(), state, "after {after:?}");
    }
}

/// Successes of some hours do not keep the breaker closed. Neither do they open it: those in the window count.
#[tokio::test(start_paused = true)]
async fn successes_before_the_window_do_not_count() {
    for each_second in [1, 15, 100, 10_000] {
        let breaker = Breaker::new().minimum_attempts(4);
        for _ in 0..30 {
            all(&breaker, each_second, 0).await;
            advance(SECOND).await;
        }
        // Of the window's ten parts, nine have the successes of a second, minus those that left early.
        let most = each_second * 9;
        let least = (most - most / 8).max(4);
        let mut failures = 0;
        while breaker.state() == Closed {
            let _ = fails(&breaker).await;
            failures += 1;
        }
        assert!((least..=most).contains(&failures), "{failures} failures, {each_second} successes a second");
        let breaker = Breaker::new().minimum_attempts(4);
        for _ in 0..30 {
            all(&breaker, each_second, 0).await;
            advance(SECOND).await;
        }
        advance(SECOND * 10).await;
        all(&breaker, 0, 3).await;
        assert_eq!(breaker.state(), Closed);
        all(&breaker, 0, 1).await;
        assert_eq!(breaker.state(), Open);
    }
}

/// Many successes at once do not read the clock for long. When the rate drops, the next ones still count with their time.
#[tokio::test(start_paused = true)]
async fn few_successes_after_many_count_with_their_time() {
    let breaker = Breaker::new().minimum_attempts(4);
    all(&breaker, 100_000, 0).await;
    advance(SECOND * 3600).await;
    // At most 63 of them count as an hour old.
    all(&breaker, 163, 0).await;
    all(&breaker, 0, 99).await;
    assert_eq!(breaker.state(), Closed);
    all(&breaker, 0, 64).await;
    assert_eq!(breaker.state(), Open);
}

/// The counts of a part are used again after 16 parts, here with the first success that does not read the clock.
#[tokio::test(start_paused = true)]
async fn success_is_not_counted_in_an_earlier_part_with_the_same_counter() {
    let breaker = Breaker::new().minimum_attempts(4);
    all(&breaker, 17, 0).await;
    advance(SECOND * 16).await;
    all(&breaker, 0, 1).await;
    all(&breaker, 1, 2).await;
    assert_eq!(breaker.state(), Open);
}

#[tokio::test(start_paused = true)]
async fn successful_probe_empties_the_window() {
    for open_for in [ms(1), SECOND * 5, SECOND * 16] {
        let breaker = Breaker::new().minimum_attempts(4).open_for(open_for);
        all(&breaker, 0, 4).await;
        assert_eq!(breaker.state(), Open);
        advance(open_for).await;
        all(&breaker, 1, 0).await;
        all(&breaker, 0, 3).await;
        assert_eq!(breaker.state(), Closed);
        all(&breaker, 0, 1).await;
        assert_eq!(breaker.state(), Open);
    }
}

#[tokio::test(start_paused = true)]
async fn success_from_before_the_breaker_opened_does_not_count_after_it_has_closed() {
    let breaker = Breaker::new().minimum_attempts(1);
    let earlier = breaker.call(async {
        tokio::time::sleep(SECOND * 10).await;
        io::Result::Ok(())
    });
    let others = async {
        tokio::time::sleep(SECOND).await;
        all(&breaker, 0, 1).await;
        tokio::time::sleep(SECOND * 8).await;
        // The probe, and as many as read the clock.
        all(&breaker, 1 + 17, 0).await;
        tokio::time::sleep(SECOND * 2).await;
        all(&breaker, 0, 16).await;
        assert_eq!(breaker.state(), Closed);
        // Half of 34. With the earlier success, it would be less.
        all(&breaker, 0, 1).await;
        assert_eq!(breaker.state(), Open);
    };
    let (outcome, ()) = tokio::join!(earlier, others);
    outcome.unwrap();
}

#[tokio::test(start_paused = true)]
async fn attempt_from_before_the_breaker_opened_does_not_count_after_it_has_closed() {
    let breaker = Breaker::new().minimum_attempts(1);
    let call = breaker.call(async {
        tokio::time::sleep(SECOND * 9).await;
        Err::<(), _>(io::Error::from(ErrorKind::ConnectionReset))
    });
    let open_and_close = async {
        tokio::time::sleep(SECOND).await;
        all(&breaker, 0, 1).await;
        assert_eq!(breaker.state(), Open);
        tokio::time::sleep(SECOND * 5).await;
        all(&breaker, 1, 0).await;
        assert_eq!(breaker.state(), Closed);
    };
    let (outcome, ()) = tokio::join!(call, open_and_close);
    outcome.unwrap_err();
    assert_eq!(breaker.state(), Closed);
}

/// The first poll of a call.
fn poll(breaker: &Breaker, failed: bool) -> Option<io::Result<()>> {
    let outcome = if failed { Err(io::Error::from(ErrorKind::ConnectionReset)) } else { Ok(()) };
    let call = pin!(breaker.call(async { outcome }));
    match call.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// Two threads make these calls each, and none may change the state.
fn in_two_threads(breaker: &Breaker, calls: u32, failed: bool) {
    let work = || {
        for _ in 0..calls {
            let _ = poll(breaker, failed);
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    assert_eq!(breaker.state(), Closed);
}

/// A single outcome more or less would open the breaker early or late.
fn counts_each(calls: u32) {
    let breaker = Breaker::new().window(Duration::from_secs(3600));
    in_two_threads(&breaker, calls, false);
    in_two_threads(&breaker, calls - 1, true);
    let _ = poll(&breaker, true);
    assert_eq!(breaker.state(), Closed);
    let _ = poll(&breaker, true);
    assert_eq!(breaker.state(), Open);
}

#[test]
fn no_outcome_is_lost_on_two_threads() {
    counts_each(50_000);
}

/// `cargo test -p retry-tests --test all -- --ignored ten_million`
#[test]
#[ignore = "takes ten seconds"]
fn no_outcome_of_ten_million_is_lost_on_two_threads() {
    counts_each(2_500_000);
}
