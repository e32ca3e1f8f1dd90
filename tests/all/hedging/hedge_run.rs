//! `Hedge::run`: which copy wins, which copies are dropped, and what takes tokens from the budget.

use std::sync::atomic::{AtomicU32, Ordering};

use retry_runtime::{Budget, Policy};
use tokio::time::sleep;

use super::{Copies, HEDGE};
use crate::support::{Attempts, Fault, SECOND, ms, timed};

#[tokio::test(start_paused = true)]
async fn fast_attempt_starts_no_copy() {
    let attempts = Attempts::new();
    let (outcome, took) = timed(HEDGE.run(|_| async {
        attempts.start();
        sleep(ms(50)).await;
        Ok::<_, Fault>(())
    }))
    .await;
    outcome.unwrap();
    assert_eq!((attempts.count(), took), (1, ms(50)));
}

#[tokio::test(start_paused = true)]
async fn first_success_wins_and_the_other_copies_are_dropped() {
    let copies = Copies::default();
    let takes = [ms(500), ms(20)];
    let call = HEDGE.run(|number| copies.run(number, takes[number as usize - 1], None));
    let (outcome, took) = timed(call).await;
    assert_eq!((outcome, took, copies.dropped()), (Ok(2), ms(70), vec![1]));
    // The first copy may still win.
    let copies = Copies::default();
    let takes = [ms(60), ms(500)];
    let (outcome, took) = timed(HEDGE.run(|number| copies.run(number, takes[number as usize - 1], None))).await;
    assert_eq!((outcome, took, copies.dropped()), (Ok(1), ms(60), vec![2]));
}

#[tokio::test(start_paused = true)]
async fn copies_start_at_regular_intervals_up_to_the_maximum() {
    for (hedge, starts) in [(HEDGE, 2), (HEDGE.max(4), 4)] {
        let attempts = Attempts::new();
        let call = hedge.run(|_| async {
            attempts.start();
            sleep(SECOND).await;
            Ok::<_, Fault>(())
        });
        call.await.unwrap();
        assert_eq!(attempts.count(), starts);
        assert!(attempts.delays().iter().all(|delay| *delay == ms(50)), "{:?}", attempts.delays());
    }
}

#[tokio::test(start_paused = true)]
async fn failure_waits_for_the_running_copies() {
    let copies = Copies::default();
    let takes = [ms(60), ms(100)];
    let errors = [Some(Fault::TRANSIENT), None];
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, takes[n as usize - 1], errors[n as usize - 1]))).await;
    assert_eq!((outcome, took), (Ok(2), ms(150)));
    let errors = [Some(Fault::TRANSIENT), Some(Fault::PERMANENT)];
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, takes[n as usize - 1], errors[n as usize - 1]))).await;
    assert_eq!((outcome, took), (Err(Fault::PERMANENT), ms(150)));
    // A failure of the only copy is returned at once: retries are up to the loop.
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, ms(10), Some(Fault::TRANSIENT)))).await;
    assert_eq!((outcome, took), (Err(Fault::TRANSIENT), ms(10)));
}

#[tokio::test(start_paused = true)]
async fn copies_take_tokens_from_the_budget() {
    static BUDGET: Budget = Budget::new().capacity(10);
    let hedge = HEDGE.max(9).budget(|| &BUDGET);
    let attempts = Attempts::new();
    let call = hedge.run(|_| async {
        attempts.start();
        sleep(SECOND).await;
        Ok::<_, Fault>(())
    });
    call.await.unwrap();
    assert_eq!((attempts.count(), BUDGET.tokens()), (3, 0));
    assert!(BUDGET.refusals() > 0);
}

#[tokio::test(start_paused = true)]
async fn dropped_call_drops_all_copies() {
    let copies = Copies::default();
    let call = HEDGE.run(|number| copies.run(number, SECOND * 9, None));
    tokio::time::timeout(ms(100), call).await.unwrap_err();
    assert_eq!(copies.dropped(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_a_policy_may_be_hedged() {
    let calls = AtomicU32::new(0);
    let policy = Policy::fixed(SECOND).attempts(2);
    let call = policy.run(|_| {
        HEDGE.run(|_| async {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            sleep(ms(60)).await;
            if call < 2 { Err(Fault::TRANSIENT) } else { Ok(call) }
        })
    });
    let (outcome, took) = timed(call).await;
    assert_eq!((outcome, took), (Ok(2), ms(60 + 50) + SECOND + ms(60)));
}

#[tokio::test(start_paused = true)]
async fn hedged_future_can_be_spawned() {
    let call = tokio::spawn(async { HEDGE.run(|number| async move { Ok::<_, Fault>(number) }).await });
    assert_eq!(call.await.unwrap(), Ok(1));
}
