//! The ratio budget: its windows, and the calls that count in them.

use super::*;

#[tokio::test(start_paused = true)]
async fn ratio_allows_a_share_of_the_calls_plus_a_reserve() {
    let (policy, budget) = policy!(Budget::ratio(20, 2, Duration::from_secs(3600)));
    let policy = policy.attempts(2);
    let mut retries = 0;
    for _ in 0..100 {
        retries += fail(&policy, Fault::TRANSIENT).await - 1;
    }
    // 20 percent of 100 calls, and a reserve of two.
    assert_eq!((retries, budget.tokens(), budget.refusals()), (22, 0, 78));
}

#[tokio::test(start_paused = true)]
async fn successes_count_as_calls_and_the_ratio_is_not_rounded() {
    let (policy, budget) = policy!(Budget::ratio(60, 0, Duration::from_secs(3600)));
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 0);
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 1);
    for _ in 2..100 {
        succeed_at(&policy, 1).await;
    }
    assert_eq!(budget.tokens(), 60);
}

#[tokio::test(start_paused = true)]
async fn new_window_starts_with_the_reserve() {
    let (policy, budget) = policy!(Budget::ratio(100, 1, Duration::from_secs(10)));
    for _ in 0..5 {
        succeed_at(&policy, 1).await;
    }
    assert_eq!(budget.tokens(), 6);
    tokio::time::advance(SECOND * 10).await;
    assert_eq!(budget.tokens(), 1);
    assert_eq!(fail(&policy.attempts(2), Fault::TRANSIENT).await, 2);
    // The reserve paid for the retry, and the call itself added a token.
    assert_eq!(budget.tokens(), 1);
}

#[tokio::test(start_paused = true)]
async fn few_successes_are_counted_too_early_and_none_after_a_failure() {
    let (policy, budget) = policy!(Budget::ratio(100, 0, Duration::from_secs(10)));
    // Not enough that any of them is counted without reading the clock.
    for _ in 0..17 {
        succeed_at(&policy, 1).await;
    }
    tokio::time::advance(SECOND * 10).await;
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 0);
    succeed_at(&policy, 1).await;
    assert_eq!(budget.tokens(), 1);

    tokio::time::advance(SECOND * 10).await;
    for _ in 0..10_000 {
        succeed_at(&policy, 1).await;
    }
    assert_eq!(budget.tokens(), 10_000);
    tokio::time::advance(SECOND * 10).await;
    for _ in 0..163 {
        succeed_at(&policy, 1).await;
    }
    let tokens = budget.tokens();
    assert!((100..=163).contains(&tokens), "{tokens} tokens");

    for _ in 0..10_000 {
        succeed_at(&policy, 1).await;
    }
    tokio::time::advance(SECOND * 10).await;
    // Its call pays for its retry.
    assert_eq!(fail(&policy.attempts(2), Fault::TRANSIENT).await, 2);
    for _ in 0..10 {
        succeed_at(&policy, 1).await;
    }
    assert_eq!(budget.tokens(), 10);
}

/// The calls are counted in different shards. Each retry needs two of them.
#[test]
fn two_threads_pay_for_exactly_the_share() {
    static BUDGET: Budget = Budget::ratio(50, 7, Duration::from_secs(3600));
    let policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| &BUDGET);
    let work = || (0..200_000).filter(|_| retries(&policy)).count();
    let paid = thread::scope(|scope| {
        let (one, two) = (scope.spawn(work), scope.spawn(work));
        one.join().unwrap() + two.join().unwrap()
    });
    assert!(paid <= 200_007, "{paid} paid");
    // Each call that was counted paid for half a retry, and none was paid twice.
    assert_eq!(u64::from(BUDGET.tokens()) + paid as u64, 200_007);
    assert_eq!(BUDGET.refusals() + paid as u64, 400_000);
}
