//! Hedged attempts with a copy that never yields.

use std::time::Duration;

use retry_runtime::{Hedge, retry};
use tokio::time::sleep;

use crate::support::{Attempts, Fault, SECOND, ms};

/// Uses up tokio's cooperative budget in a loop, so that no timer of its task becomes ready.
async fn never_yields() -> ! {
    loop {
        tokio::task::consume_budget().await;
    }
}

/// Runs the call while the paused clock advances by five seconds.
async fn beside_the_clock<O>(call: impl Future<Output = O>) -> (O, Duration) {
    let clock = async {
        for _ in 0..500 {
            tokio::time::advance(ms(10)).await;
        }
    };
    tokio::select! {
        biased;
        outcome = timed_any(call) => outcome,
        () = clock => panic!("the call ran for five seconds"),
    }
}

async fn timed_any<O>(call: impl Future<Output = O>) -> (O, Duration) {
    let start = tokio::time::Instant::now();
    (call.await, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn second_copy_starts_beside_one_that_never_yields() {
    #[retry(hedge = "20ms", attempts = 1)]
    async fn call(attempts: &Attempts) -> Result<u32, Fault> {
        if attempts.start() == 1 {
            never_yields().await;
        }
        // This wait ends although the other copy uses up the budget of the task.
        sleep(ms(10)).await;
        Ok(2)
    }
    let attempts = Attempts::new();
    let (outcome, took) = beside_the_clock(call(&attempts)).await;
    assert_eq!((outcome, attempts.count()), (Ok(2), 2));
    assert!(took >= ms(30) && took < SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn hedge_run_starts_a_second_copy_beside_one_that_never_yields() {
    const HEDGE: Hedge = Hedge::after(Duration::from_millis(20));
    let call = HEDGE.run(|number| async move {
        if number == 1 {
            never_yields().await;
        }
        sleep(ms(10)).await;
        Ok::<_, Fault>(number)
    });
    let (outcome, took) = beside_the_clock(call).await;
    assert_eq!(outcome, Ok(2));
    assert!(took >= ms(30) && took < SECOND, "{took:?}");
}
