//! Each setting, with two values that lead to different results.

use std::panic::catch_unwind;

use retry_runtime::retry;

use super::*;

/// The tokens of a process that has taken a lease, and its request.
async fn lease(budget: Budget) -> (u32, LeaseRequest) {
    let pool = Pool::new();
    let (budget, _) = process(budget, &pool);
    while fail(budget) {}
    answer().await;
    (budget.tokens(), pool.last())
}

#[tokio::test(start_paused = true)]
async fn sizes_and_times_reach_the_store() {
    let minute = SECOND * 60;
    assert_eq!(lease(Budget::leased(1)).await, (50, LeaseRequest::new(0, 50, 500, minute)));
    assert_eq!(lease(Budget::leased(1).lease_size(20)).await, (20, LeaseRequest::new(0, 20, 500, minute)));
    assert_eq!(lease(Budget::leased(1).capacity(30)).await, (30, LeaseRequest::new(0, 30, 30, minute)));
    // The reserve is part of what a process holds with a lease, which has at least one retry more.
    assert_eq!(lease(Budget::leased(20)).await, (105, LeaseRequest::new(0, 105, 500, minute)));
    let other = Budget::leased(1).pool_time_to_live(SECOND * 30);
    assert_eq!(lease(other).await, (50, LeaseRequest::new(0, 50, 500, SECOND * 30)));
}

#[tokio::test(start_paused = true)]
async fn costs_and_gains_are_those_of_other_budgets() {
    let budget = leak(Budget::leased(2).retry_cost(7));
    assert_eq!(budget.tokens(), 14);
    assert!(fail(budget) && fail(budget) && !fail(budget));
    let gain = leak(Budget::leased(2).success_gain(3));
    fail(gain);
    succeed(gain, 1);
    assert_eq!(gain.tokens(), 8);
    // With a lease, a timeout takes 20 tokens.
    let pool = Pool::new();
    let timeout = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    for (budget, left) in
        [(Budget::leased(0), 30), (Budget::leased(0).timeout_cost(8), 42), (Budget::leased(0).lease_size(15), 0)]
    {
        let (budget, _) = process(budget, &pool);
        fail(budget);
        answer().await;
        let policy = Policy::fixed(Duration::ZERO).attempts(2);
        policy.run(|_| async { Err::<(), _>(timeout()) }).budget(budget).await.unwrap_err();
        assert_eq!(budget.tokens(), left);
    }
}

#[tokio::test(start_paused = true)]
async fn lease_valid_for_sets_when_the_lease_is_returned() {
    for (time, tokens) in [(SECOND * 2, 5), (SECOND * 10, 50)] {
        let pool = Pool::new();
        let (budget, _) = process(Budget::leased(1).lease_valid_for(time), &pool);
        fail(budget);
        wait(SECOND * 3).await;
        assert_eq!(budget.tokens(), tokens, "{time:?}");
    }
}

/// With a lease no larger than the reserve, every failure asked for one, and none was ever void.
#[tokio::test(start_paused = true)]
async fn large_reserve_has_leases_that_begin_and_end_too() {
    for budget in [Budget::leased(10), Budget::leased(10).lease_size(5), Budget::leased(10).capacity(50)] {
        let pool = Pool::new();
        let (budget, _) = process(budget, &pool);
        fail(budget);
        answer().await;
        assert_eq!((budget.tokens(), pool.requests().len()), (55, 1));
        for _ in 0..5 {
            fail(budget);
            answer().await;
        }
        assert_eq!((budget.tokens(), pool.requests().len()), (30, 1));
        succeed(budget, 25);
        wait(SECOND * 8).await;
        assert_eq!((budget.tokens(), budget.lease_stats().credit), (50, 0));
        assert_eq!(pool.requests(), [(0, 10), (5, 0)]);
    }
}

#[test]
fn invalid_settings_panic_with_the_fix() {
    type Build = fn() -> Budget;
    let message = |build: Build| {
        let panic = catch_unwind(|| drop(build())).unwrap_err();
        panic
            .downcast_ref::<&str>()
            .map_or_else(|| panic.downcast_ref::<String>().unwrap().clone(), |text| (*text).to_owned())
    };
    let cases: [(Build, &str); 9] = [
        (|| Budget::leased(u16::MAX), "at most 65535 tokens"),
        (|| Budget::leased(1).lease_size(4), "raise `lease_size`"),
        (|| Budget::leased(1).retry_cost(51), "raise `lease_size`"),
        (|| Budget::leased(1).store_timeout(Duration::ZERO), "at least a millisecond"),
        (|| Budget::leased(1).store_timeout(SECOND * 10), "shorter than `lease_valid_for`"),
        (|| Budget::leased(1).pool_time_to_live(SECOND * 19), "at least twice `lease_valid_for`"),
        (|| Budget::leased(1).pool_time_to_live(Duration::MAX), "at most a day"),
        (|| Budget::new().lease_size(50), "start with `Budget::leased`"),
        (|| Budget::ratio(20, 1, SECOND).name("api"), "start with `Budget::leased`"),
    ];
    for (build, text) in cases {
        let message = message(build);
        assert!(message.contains(text), "{message}");
    }
}

#[test]
fn budget_without_leases_has_no_stats_and_takes_no_leases() {
    let budget = leak(Budget::new());
    assert_eq!(format!("{:?}", budget.lease_stats()), format!("{:?}", leak(Budget::ratio(1, 1, SECOND)).lease_stats()));
    let pool = Pool(Mutex::default());
    let pool = Arc::new(pool);
    assert!(catch_unwind(std::panic::AssertUnwindSafe(|| drop(budget.lease_from(pool.client())))).is_err());
}

#[tokio::test(start_paused = true)]
async fn annotated_functions_use_a_leased_budget() {
    static FLEET: Budget = Budget::leased(1);
    #[retry(start = "1s", budget = FLEET)]
    async fn call() -> Result<(), Fault> {
        Err(Fault::TRANSIENT)
    }
    let pool = Pool::new();
    tokio::spawn(FLEET.lease_from(pool.client()));
    call().await.unwrap_err();
    // The reserve paid for the first retry, and the lease for the second.
    assert_eq!((FLEET.tokens(), FLEET.refusals()), (45, 0));
}
