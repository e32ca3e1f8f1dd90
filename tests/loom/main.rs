//! Checks of the budget and the circuit breaker in every interleaving of threads. No token is lost or created.
//!
//! The modules are the library's own files, with loom's atomics and lock in place of the standard ones. `--cfg loom` is not an
//! option: it would change the dependencies as well, and loom's types cannot be created in a `const`.

use loom::model;
use loom::thread;
use std::sync::Arc;

use crate::budget::Budget;
use crate::budget::ratio::{Share, Windows};
use crate::util::sync::use_shard;

mod breaker;
#[path = "../../retry-runtime/src/policy/budget/mod.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::missing_panics_doc,
    reason = "the library's file contains more than the tests use"
)]
mod budget;
#[path = "../../retry-runtime/src/load/breaker/gate.rs"]
#[allow(dead_code, unreachable_pub, reason = "the library's file contains more than the tests use")]
mod gate;
#[path = "../../retry-runtime/src/load/breaker/pause.rs"]
#[allow(dead_code, reason = "the library's file contains more than the tests use")]
mod pause;
#[path = "../../retry-runtime/src/load/breaker/window.rs"]
mod window;

/// Replaces the library's `util`.
mod util {
    #[path = "../../../retry-runtime/src/util/shards.rs"]
    pub(crate) mod shards;
    pub(crate) mod sync;

    /// Each test takes less than one window of a budget, so the real clock is good enough.
    pub(crate) mod clock {
        pub(crate) use std::time::Instant;
    }
}

/// Runs each function in its own thread, one of them in the current thread. Returns their results.
fn in_threads<S: Send + Sync + 'static, T: Send + 'static>(shared: &Arc<S>, work: &[fn(&S) -> T]) -> Vec<T> {
    let (here, there) = work.split_first().expect("at least one function");
    let spawn = |work: &fn(&S) -> T| {
        let (shared, work) = (Arc::clone(shared), *work);
        thread::spawn(move || work(&shared))
    };
    let threads: Vec<_> = there.iter().map(spawn).collect();
    let here = here(shared);
    [here]
        .into_iter()
        .chain(threads.into_iter().map(|thread| thread.join().expect("the thread does not panic")))
        .collect()
}

/// Creates loom's atomics now, so that threads do not race for that: the library's own atomics need no such step.
fn full(budget: Budget) -> Arc<Budget> {
    let _ = (budget.tokens(), budget.refusals());
    Arc::new(budget)
}

fn pay(budget: &Budget) -> bool {
    budget.pay(false).is_some()
}

fn assert_within(budget: &Budget, capacity: u32) {
    assert!(budget.tokens() <= capacity, "{} tokens of {capacity}", budget.tokens());
}

#[test]
fn number_of_paid_retries_matches_the_tokens() {
    model(|| {
        let budget = full(Budget::new().capacity(12));
        let paid = in_threads(&budget, &[pay, pay, pay]);
        assert_eq!(paid.into_iter().filter(|paid| *paid).count(), 2);
        assert_eq!((budget.tokens(), budget.refusals()), (2, 1));
    });
}

#[test]
fn returned_tokens_fill_the_budget_again() {
    model(|| {
        let budget = full(Budget::new().capacity(10));
        let retry_that_succeeds: fn(&Budget) = |budget| {
            let paid = budget.pay(false).expect("tokens for two retries");
            assert_within(budget, 10);
            budget.give_back(paid);
            assert_within(budget, 10);
        };
        in_threads(&budget, &[retry_that_succeeds, retry_that_succeeds]);
        assert_eq!((budget.tokens(), budget.refusals()), (10, 0));
    });
}

#[test]
fn successes_never_exceed_the_capacity() {
    model(|| {
        let budget = full(Budget::new().capacity(10).retry_cost(3).success_gain(2));
        assert!(pay(&budget));
        let success: fn(&Budget) = |budget| {
            budget.succeeded_at_once();
            assert_within(budget, 10);
        };
        in_threads(&budget, &[success, success]);
        assert_eq!(budget.tokens(), 10);
    });
}

#[test]
fn no_token_is_lost_between_a_retry_and_successes() {
    model(|| {
        let budget = full(Budget::new().capacity(20));
        assert!(pay(&budget) && pay(&budget));
        let success: fn(&Budget) = Budget::succeeded_at_once;
        in_threads(&budget, &[success, success, |budget| assert!(pay(budget))]);
        assert_eq!(budget.tokens(), 20 - 3 * 5 + 2);
    });
}

/// The capacity grows with each success.
#[test]
fn no_token_is_lost_while_the_capacity_grows() {
    model(|| {
        let budget = full(Budget::new());
        let success: fn(&Budget) = Budget::succeeded_at_once;
        let retry: fn(&Budget) = |budget| {
            budget.count_call();
            assert!(pay(budget));
        };
        in_threads(&budget, &[success, retry]);
        assert_eq!((budget.tokens(), budget.refusals()), (15 - 5 + 1, 0));
    });
}

#[test]
fn number_of_paid_retries_matches_the_tokens_of_a_new_process() {
    model(|| {
        let budget = full(Budget::new());
        assert!(pay(&budget));
        let two: fn(&Budget) -> usize = |budget| (0..2).filter(|_| pay(budget)).count();
        let one: fn(&Budget) -> usize = |budget| pay(budget).into();
        assert_eq!(in_threads(&budget, &[two, one]).into_iter().sum::<usize>(), 2);
        assert_eq!((budget.tokens(), budget.refusals()), (0, 1));
    });
}

/// The last success that is counted settles the state. A retry in another thread ends that.
#[test]
fn no_token_is_lost_when_the_state_settles() {
    model(|| {
        let budget = full(Budget::new().success_gain(u16::MAX));
        let success: fn(&Budget) = Budget::succeeded_at_once;
        let retry_that_succeeds: fn(&Budget) = |budget| {
            budget.count_call();
            let paid = budget.pay(false).expect("tokens for three retries");
            budget.give_back(paid);
        };
        in_threads(&budget, &[success, retry_that_succeeds]);
        budget.succeeded_at_once();
        assert_eq!((budget.tokens(), budget.refusals()), (500, 0));
    });
}

#[test]
fn ratio_budget_counts_each_call_once() {
    model(|| {
        let budget = full(Budget::ratio(50, 1, std::time::Duration::from_secs(3600)));
        let call: fn(&Budget) -> bool = |budget| {
            budget.count_call();
            pay(budget)
        };
        let paid = in_threads(&budget, &[call, call]).into_iter().filter(|paid| *paid).count();
        // The reserve pays for one retry, and two calls at 50 percent pay for another. The second payment succeeds only if both
        // calls are counted before it.
        let left = u32::try_from(2 - paid).expect("at most two payments");
        assert_eq!((budget.tokens(), budget.refusals()), (left, left.into()));
    });
}

/// The threads do not share a counter. Whichever pays last sees the calls of both: the reserve pays for one retry, and two calls
/// at 50 percent for another.
#[test]
fn retry_sees_the_calls_of_all_shards() {
    model(|| {
        let budget = full(Budget::ratio(50, 1, std::time::Duration::from_secs(3600)));
        let call: fn(&Budget) -> bool = |budget| {
            budget.count_call();
            pay(budget)
        };
        let other: fn(&Budget) -> bool = |budget| {
            use_shard(1);
            budget.succeeded_at_once();
            pay(budget)
        };
        assert_eq!(in_threads(&budget, &[call, other]), [true; 2]);
        assert_eq!((budget.tokens(), budget.refusals()), (0, 0));
    });
}

const EACH: Share = Share { percent: 100, reserve: 0 };

/// Windows whose atomics exist, as those of [`full`].
fn windows() -> Arc<Windows> {
    let windows = Windows::new();
    let _ = windows.left(EACH, 0);
    Arc::new(windows)
}

/// A call and a retry in each of two windows. The window changes while both are counted.
#[test]
fn no_window_pays_for_the_calls_of_another() {
    model(|| {
        let windows = windows();
        let call: fn(&Windows) -> bool = |windows| {
            windows.count(true, || 1);
            windows.pay(EACH, 1)
        };
        let earlier: fn(&Windows) -> bool = |windows| {
            use_shard(1);
            windows.count(true, || 0);
            windows.pay(EACH, 0)
        };
        let paid = in_threads(&windows, &[call, earlier]).into_iter().filter(|paid| *paid).count();
        let left = windows.left(EACH, 1);
        // The earlier call may count in the first window, in the second, or not pay because its window is over.
        assert!(matches!((paid, left), (1 | 2, 0) | (1, 1)), "{paid} paid, {left} left");
        assert!(!windows.pay(Share { percent: 0, reserve: 0 }, 1));
    });
}

/// A thread that has counted many calls does not ask for the window with each. A retry of another thread tells it.
#[test]
fn call_counts_once_when_a_retry_begins_the_window() {
    model(|| {
        let windows = windows();
        (0..33).for_each(|_| windows.count(false, || 0));
        let retry: fn(&Windows) -> bool = |windows| {
            use_shard(1);
            windows.pay(EACH, 1)
        };
        let call: fn(&Windows) -> bool = |windows| {
            windows.count(false, || 1);
            true
        };
        let paid = in_threads(&windows, &[retry, call])[0];
        let (before, left) = (windows.left(EACH, 0), windows.left(EACH, 1));
        let in_window = u32::from(paid) + left;
        assert!(in_window <= 1, "{paid}, {before} and {left} left");
        // Of 34 calls in the first window, the next one would not ask either.
        use_shard(0);
        windows.pay(EACH, 1);
        let left = windows.left(EACH, 1);
        windows.count(false, || 1);
        assert_eq!(windows.left(EACH, 1), left + 1);
    });
}
