//! Calls that send nothing: retries of attempts that a breaker has rejected take no tokens, and calls under a caller whose time is
//! over fund none.

use futures_util::future::join_all;
use retry_runtime::breaker::BreakerState;
use retry_runtime::{Breaker, Deadline};

use super::*;
use crate::support::BreakerError;

const WAITING: Policy = Policy::fixed(Duration::from_millis(1)).attempts(3).deadline(Duration::from_secs(60));

/// A breaker that one response with 429 has just paused for 300 ms.
async fn paused() -> Breaker {
    let breaker = Breaker::new().pause_on_retry_after(SECOND);
    call(&breaker, Err(Fault::status(429).after(ms(300)))).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Paused);
    breaker
}

async fn call(breaker: &Breaker, outcome: Result<(), Fault>) -> Result<(), BreakerError> {
    breaker.call(async { Ok(outcome?) }).await
}

/// Counts the attempts that are admitted. This one of them succeeds.
async fn succeed_at(number: u32, attempts: &Attempts, breaker: &Breaker) -> Result<u32, BreakerError> {
    breaker.call(async { Ok(attempts.succeed_at(number, Fault::TRANSIENT)?) }).await
}

/// The number of calls that succeed, of 300 that find the breaker paused.
async fn successes_after_a_pause(budget: &Budget) -> usize {
    let breaker = paused().await;
    let calls = (0..300).map(|_| WAITING.run(|_| call(&breaker, Ok(()))).budget(budget));
    join_all(calls).await.iter().filter(|outcome| outcome.is_ok()).count()
}

#[tokio::test(start_paused = true)]
async fn retries_of_rejected_attempts_take_no_tokens() {
    for budget in [Budget::new(), Budget::new().capacity(5), Budget::ratio(1, 1, SECOND * 600)] {
        let tokens = budget.tokens();
        assert_eq!(successes_after_a_pause(&budget).await, 300, "{budget:?}");
        assert_eq!(budget.refusals(), 0);
        // The calls have taken nothing, and have given nothing back.
        assert!(budget.tokens() >= tokens, "{budget:?}");
    }
}

/// The first retry follows a rejection, and the second one a request that has failed.
#[tokio::test(start_paused = true)]
async fn retry_after_a_rejection_pays_as_usual_once_it_has_failed() {
    let breaker = Breaker::new().pause_on_retry_after(SECOND);
    for (succeeds_at, lost) in [(1, 0), (2, 0), (3, 5)] {
        let budget = Budget::new().capacity(100);
        let attempts = Attempts::new();
        call(&breaker, Err(Fault::status(429).after(ms(300)))).await.unwrap_err();
        let policy = WAITING.attempts(4);
        policy.run(|_| succeed_at(succeeds_at, &attempts, &breaker)).budget(&budget).await.unwrap();
        assert_eq!((attempts.count(), 100 - budget.tokens()), (succeeds_at, lost));
    }
}

/// A retry that has been paid for is rejected, and the next one takes nothing.
#[tokio::test(start_paused = true)]
async fn rejected_retry_keeps_the_tokens_that_it_took() {
    let budget = Budget::new().capacity(100);
    let breaker = Breaker::new().minimum_attempts(1).open_for(SECOND);
    let attempts = Attempts::new();
    WAITING.run(|_| succeed_at(2, &attempts, &breaker)).budget(&budget).await.unwrap();
    assert_eq!((attempts.count(), budget.tokens()), (2, 95));
}

#[tokio::test(start_paused = true)]
async fn calls_that_start_after_the_callers_deadline_fund_no_retries() {
    async fn tokens_after(caller: Duration) -> u32 {
        let budget = Budget::ratio(20, 0, SECOND * 600);
        let policy = POLICY.attempts(2);
        for _ in 0..1000 {
            let run = policy.run(async |_| Err::<(), _>(Fault::TRANSIENT)).budget(&budget);
            Deadline::after(caller).scope(run).await.unwrap_err();
        }
        budget.tokens()
    }
    assert_eq!(tokens_after(Duration::ZERO).await, 0);
    // A call whose retry is refused for lack of tokens counts.
    assert!(tokens_after(SECOND * 3600).await < 200);
}
