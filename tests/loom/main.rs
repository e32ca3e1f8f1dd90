//! Proofs on the budget and the breaker, for every order in which threads can be interleaved. Tokens are neither lost nor made.
//!
//! The modules are the library's own files, with loom's atomics and lock in place of the standard ones. A `--cfg loom` would
//! change the dependencies as well, and neither could be made in a `const`.

use loom::model;
use loom::thread;
use std::sync::Arc;

use crate::budget::Budget;

mod breaker;
#[path = "../../retry-runtime/src/policy/budget.rs"]
#[allow(dead_code, unreachable_pub, clippy::missing_panics_doc, reason = "of a library, of which this uses little")]
mod budget;
#[path = "../../retry-runtime/src/load/breaker/gate.rs"]
#[allow(dead_code, unreachable_pub, reason = "of a library, of which this uses little")]
mod gate;

/// Takes the place of the library's `util`.
mod util {
    pub(crate) mod sync;

    /// Each proof takes less than one window of a budget.
    pub(crate) mod clock {
        pub(crate) use std::time::Instant;
    }
}

/// Runs this in so many threads, the current one among them; gives what each of them gave.
fn in_threads<S: Send + Sync + 'static, T: Send + 'static>(shared: &Arc<S>, work: &[fn(&S) -> T]) -> Vec<T> {
    let (here, there) = work.split_first().expect("work");
    let spawn = |work: &fn(&S) -> T| {
        let (shared, work) = (Arc::clone(shared), *work);
        thread::spawn(move || work(&shared))
    };
    let threads: Vec<_> = there.iter().map(spawn).collect();
    let here = here(shared);
    [here].into_iter().chain(threads.into_iter().map(|thread| thread.join().expect("no panic"))).collect()
}

/// Has its atomics made before threads race for that, which is no matter of the library's.
fn full(budget: Budget) -> Arc<Budget> {
    let _ = (budget.tokens(), budget.refusals());
    Arc::new(budget)
}

fn pay(budget: &Budget) -> bool {
    budget.pay(false).is_some()
}

fn is_within(budget: &Budget, capacity: u32) {
    assert!(budget.tokens() <= capacity, "{} tokens of {capacity}", budget.tokens());
}

#[test]
fn as_many_retries_are_paid_for_as_there_are_tokens() {
    model(|| {
        let budget = full(Budget::new().capacity(12));
        let paid = in_threads(&budget, &[pay, pay, pay]);
        assert_eq!(paid.into_iter().filter(|paid| *paid).count(), 2);
        assert_eq!((budget.tokens(), budget.refusals()), (2, 1));
    });
}

#[test]
fn what_is_paid_and_given_back_leaves_the_budget_full() {
    model(|| {
        let budget = full(Budget::new().capacity(10));
        let retry_that_succeeds: fn(&Budget) = |budget| {
            let paid = budget.pay(false).expect("tokens for two");
            is_within(budget, 10);
            budget.give_back(paid);
            is_within(budget, 10);
        };
        in_threads(&budget, &[retry_that_succeeds, retry_that_succeeds]);
        assert_eq!((budget.tokens(), budget.refusals()), (10, 0));
    });
}

#[test]
fn successes_never_fill_a_budget_above_its_capacity() {
    model(|| {
        let budget = full(Budget::new().capacity(10).retry_cost(3).success_gain(2));
        assert!(pay(&budget));
        let success: fn(&Budget) = |budget| {
            budget.succeeded_at_once();
            is_within(budget, 10);
        };
        in_threads(&budget, &[success, success]);
        assert_eq!(budget.tokens(), 10);
    });
}

#[test]
fn a_retry_and_successes_lose_no_token() {
    model(|| {
        let budget = full(Budget::new().capacity(20));
        assert!(pay(&budget) && pay(&budget));
        let success: fn(&Budget) = Budget::succeeded_at_once;
        in_threads(&budget, &[success, success, |budget| assert!(pay(budget))]);
        assert_eq!(budget.tokens(), 20 - 3 * 5 + 2);
    });
}

#[test]
fn a_ratio_budget_counts_every_call_once() {
    model(|| {
        let budget = full(Budget::ratio(50, 1, std::time::Duration::from_secs(3600)));
        let call: fn(&Budget) -> bool = |budget| {
            budget.count_call();
            pay(budget)
        };
        let paid = in_threads(&budget, &[call, call]).into_iter().filter(|paid| *paid).count();
        // One from the reserve and one from two halves; the second only where both calls have been counted before it.
        let left = u32::try_from(2 - paid).expect("no more than there is");
        assert_eq!((budget.tokens(), budget.refusals()), (left, left.into()));
    });
}
