//! Hedged attempts in difficult conditions: a copy that never yields, and a breaker that is half-open.

use std::io::{self, ErrorKind};
use std::time::Duration;

use retry_runtime::breaker::BreakerState;
use retry_runtime::{Breaker, Budget, Hedge, retry};
use tokio::time::sleep;

use crate::support::{Attempts, Fault, Recorder, SECOND, ms, timed};

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

/// A breaker that opens on the second failure, for five seconds.
const fn opens_after_two() -> Breaker {
    Breaker::new().minimum_calls(2)
}

#[tokio::test(start_paused = true)]
async fn copy_rejected_by_the_breaker_takes_no_tokens_and_emits_no_event() {
    static BREAKER: Breaker = opens_after_two();
    static BUDGET: Budget = Budget::new().success_gain(0);

    #[retry(hedge = "50ms", hedge_max = 4, attempts = 1, breaker = BREAKER, budget = BUDGET, observer = recorder)]
    async fn call(recorder: &Recorder, takes: Duration, succeeds: bool) -> io::Result<()> {
        sleep(takes).await;
        if succeeds { Ok(()) } else { Err(ErrorKind::ConnectionReset.into()) }
    }
    let recorder = Recorder::new();
    for _ in 0..2 {
        call(&recorder, ms(1), false).await.unwrap_err();
    }
    tokio::time::advance(SECOND * 5).await;
    recorder.lines();
    let (outcome, took) = timed(call(&recorder, ms(300), true)).await;
    outcome.unwrap();
    assert_eq!((took, BREAKER.state(), BUDGET.tokens()), (ms(300), BreakerState::Closed, 500));
    assert_eq!(recorder.lines(), ["1/1 AttemptStarted", "1/1 Succeeded"]);
    // The closed breaker lets copies through.
    call(&recorder, ms(120), true).await.unwrap();
    assert_eq!((recorder.lines().len(), BUDGET.tokens()), (4, 490));
}

/// The copy obtains the probe's permission from the breaker, and then the budget rejects it.
#[tokio::test(start_paused = true)]
async fn copy_rejected_by_the_budget_frees_the_probe() {
    static BREAKER: Breaker = opens_after_two();
    static BUDGET: Budget = Budget::new().capacity(5);

    #[retry(hedge = "6s", hedge_max = 3, attempts = 1, breaker = BREAKER, budget = BUDGET)]
    async fn call(attempts: &Attempts) -> io::Result<u32> {
        match attempts.start() {
            1 => sleep(SECOND * 30).await,
            2 | 3 => return Err(ErrorKind::ConnectionReset.into()),
            _ => {}
        }
        Ok(1)
    }
    #[retry(attempts = 2, start = "1ms", budget = BUDGET)]
    async fn spend() -> Result<(), Fault> {
        Err(Fault::TRANSIENT)
    }
    let attempts = Attempts::new();
    let others = async {
        sleep(ms(1)).await;
        for _ in 0..2 {
            call(&attempts).await.unwrap_err();
        }
        spend().await.unwrap_err();
        assert_eq!((BREAKER.state(), BUDGET.tokens()), (BreakerState::Open, 0));
        sleep(SECOND * 8).await;
        assert_eq!((BREAKER.state(), attempts.count()), (BreakerState::HalfOpen, 3));
        call(&attempts).await.unwrap();
        assert_eq!(BREAKER.state(), BreakerState::Closed);
    };
    let (outcome, ()) = tokio::join!(call(&attempts), others);
    outcome.unwrap();
}

/// The copy has the permission of the probe, so its outcome decides the state of the breaker.
#[tokio::test(start_paused = true)]
async fn hedged_copy_may_be_the_probe() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(hedge = "6s", attempts = 1, breaker = BREAKER)]
    async fn call(attempts: &Attempts) -> io::Result<u32> {
        let number = attempts.start();
        match number {
            1 => sleep(SECOND * 30).await,
            2 | 3 => return Err(ErrorKind::ConnectionReset.into()),
            _ => {}
        }
        Ok(number)
    }
    let attempts = Attempts::new();
    let others = async {
        sleep(ms(1)).await;
        for _ in 0..2 {
            call(&attempts).await.unwrap_err();
        }
        assert_eq!(BREAKER.state(), BreakerState::Open);
    };
    let (outcome, ()) = tokio::join!(call(&attempts), others);
    assert_eq!((outcome.unwrap(), BREAKER.state()), (4, BreakerState::Closed));
}
