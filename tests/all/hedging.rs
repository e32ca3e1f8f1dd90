//! Hedged attempts: who wins, who is dropped, and who pays.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use retry_runtime::{Budget, Hedge, Policy};
use tokio::time::sleep;

use crate::support::{Attempts, Fault, SECOND, ms, timed};

const HEDGE: Hedge = Hedge::after(Duration::from_millis(50));

/// Each copy takes its time, and then gives its number or an error. Says which were dropped before their end.
#[derive(Default)]
struct Copies {
    dropped: Mutex<Vec<u32>>,
}

struct Running<'a>(&'a Copies, u32, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.2 {
            self.0.dropped.lock().unwrap().push(self.1);
        }
    }
}

impl Copies {
    async fn run(&self, number: u32, takes: Duration, error: Option<Fault>) -> Result<u32, Fault> {
        let mut running = Running(self, number, false);
        sleep(takes).await;
        running.2 = true;
        error.map_or(Ok(number), Err)
    }

    fn dropped(&self) -> Vec<u32> {
        self.dropped.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_time_is_alone() {
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
async fn the_first_good_answer_wins_and_the_losers_are_dropped() {
    let copies = Copies::default();
    let takes = [ms(500), ms(20)];
    let call = HEDGE.run(|number| copies.run(number, takes[number as usize - 1], None));
    let (outcome, took) = timed(call).await;
    assert_eq!((outcome, took, copies.dropped()), (Ok(2), ms(70), vec![1]));
    // The first may still win.
    let copies = Copies::default();
    let takes = [ms(60), ms(500)];
    let (outcome, took) = timed(HEDGE.run(|number| copies.run(number, takes[number as usize - 1], None))).await;
    assert_eq!((outcome, took, copies.dropped()), (Ok(1), ms(60), vec![2]));
}

#[tokio::test(start_paused = true)]
async fn there_are_as_many_copies_as_are_allowed_each_after_the_same_time() {
    for (hedge, starts) in [(HEDGE, 2), (HEDGE.at_most(4), 4)] {
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
async fn a_failure_waits_for_those_that_still_run() {
    let copies = Copies::default();
    let takes = [ms(60), ms(100)];
    let errors = [Some(Fault::TRANSIENT), None];
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, takes[n as usize - 1], errors[n as usize - 1]))).await;
    assert_eq!((outcome, took), (Ok(2), ms(150)));
    let errors = [Some(Fault::TRANSIENT), Some(Fault::PERMANENT)];
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, takes[n as usize - 1], errors[n as usize - 1]))).await;
    assert_eq!((outcome, took), (Err(Fault::PERMANENT), ms(150)));
    // Alone, it comes back at once: to try again is for the loop.
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, ms(10), Some(Fault::TRANSIENT)))).await;
    assert_eq!((outcome, took), (Err(Fault::TRANSIENT), ms(10)));
}

#[tokio::test(start_paused = true)]
async fn a_budget_pays_for_the_copies() {
    static BUDGET: Budget = Budget::new().capacity(10);
    let hedge = HEDGE.at_most(9).budget(|| &BUDGET);
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
async fn dropping_it_drops_all_copies() {
    let copies = Copies::default();
    let call = HEDGE.run(|number| copies.run(number, SECOND * 9, None));
    tokio::time::timeout(ms(100), call).await.unwrap_err();
    assert_eq!(copies.dropped(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_of_a_loop_may_be_hedged() {
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
async fn it_can_be_spawned() {
    let call = tokio::spawn(async { HEDGE.run(|number| async move { Ok::<_, Fault>(number) }).await });
    assert_eq!(call.await.unwrap(), Ok(1));
}
