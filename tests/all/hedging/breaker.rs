//! Hedged attempts and a circuit breaker.

use std::io::{self, ErrorKind};
use std::time::Duration;

use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::{Breaker, Budget, retry};
use tokio::time::sleep;

use super::Plan;
use crate::breakers::opens_after_two;
use crate::support::{Attempts, Fault, Recorder, SECOND, ms, timed};

#[tokio::test(start_paused = true)]
async fn copy_rejected_by_the_breaker_takes_no_tokens_and_emits_no_event() {
    static BREAKER: Breaker = opens_after_two();
    static BUDGET: Budget = Budget::new().capacity(500).success_gain(0);

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

#[tokio::test(start_paused = true)]
async fn each_copy_goes_through_the_breaker() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(2);

    #[retry(hedge = "50ms", hedge_max = 3, attempts = 1, breaker = BREAKER)]
    async fn call(attempts: &Attempts) -> io::Result<u32> {
        let number = attempts.start();
        sleep(ms(if number == 3 { 500 } else { 60 })).await;
        Err(ErrorKind::ConnectionReset.into())
    }
    let attempts = Attempts::new();
    // Two of the three failures open it.
    call(&attempts).await.unwrap_err();
    assert_eq!((attempts.count(), BREAKER.state()), (3, BreakerState::Open));
    let error = call(&attempts).await.unwrap_err();
    assert!(error.get_ref().unwrap().is::<BreakerOpen>());
    assert_eq!(attempts.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn breaker_counts_copies_that_are_cut_off_but_not_losers() {
    static BREAKER: Breaker = Breaker::new().minimum_attempts(4);

    #[retry(hedge = "50ms", attempts = 1, attempt_timeout = "200ms", breaker = BREAKER)]
    async fn call(plan: &Plan<2>) -> io::Result<u32> {
        plan.copy().await.map_err(io::Error::other)
    }
    for _ in 0..9 {
        call(&Plan::new([(SECOND, None), (ms(10), None)])).await.unwrap();
    }
    assert_eq!(BREAKER.state(), BreakerState::Closed);
    static LATE: Breaker = Breaker::new().minimum_attempts(4);

    #[retry(hedge = "50ms", attempts = 1, attempt_timeout = "200ms", breaker = LATE)]
    async fn late() -> io::Result<u32> {
        std::future::pending().await
    }
    late().await.unwrap_err();
    assert_eq!(LATE.state(), BreakerState::Closed);
    late().await.unwrap_err();
    assert_eq!(LATE.state(), BreakerState::Open);
}
