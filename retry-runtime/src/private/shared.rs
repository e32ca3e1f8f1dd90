//! Budgets and circuit breakers of annotated functions: in a `static`, or the value of an expression.

use core::time::Duration;
use std::sync::Arc;

use crate::classify::not_ready::{FromNotReady, NotReady};
use crate::load::breaker::Breaker;
use crate::policy::attempt::Attempt;
use crate::policy::budget::Budget;

/// The value of a `static`, which the attribute names in a closure: see `must_be_a_static_of_type_budget_or_breaker_not_a_const`.
#[inline(always)]
pub fn of_static<T>(place: fn() -> &'static T) -> &'static T {
    place()
}

/// The value of `budget = EXPRESSION`.
#[diagnostic::on_unimplemented(
    message = "`budget` takes a `Budget`, an `Arc<Budget>`, or a reference to one",
    label = "not a budget"
)]
pub trait BudgetSource {
    #[doc(hidden)]
    fn get(&self) -> &Budget;
}

/// The value of `breaker = EXPRESSION`.
#[diagnostic::on_unimplemented(
    message = "`breaker` takes a `Breaker`, an `Arc<Breaker>`, or a reference to one",
    label = "not a circuit breaker"
)]
pub trait BreakerSource {
    #[doc(hidden)]
    fn get(&self) -> &Breaker;
}

macro_rules! sources {
    ($source:ident, $ty:ident) => {
        #[diagnostic::do_not_recommend]
        impl $source for $ty {
            #[inline(always)]
            fn get(&self) -> &$ty {
                self
            }
        }

        #[diagnostic::do_not_recommend]
        impl<S: $source> $source for &S {
            #[inline(always)]
            fn get(&self) -> &$ty {
                (**self).get()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<S: $source> $source for Arc<S> {
            #[inline(always)]
            fn get(&self) -> &$ty {
                (**self).get()
            }
        }
    };
}
sources!(BudgetSource, Budget);
sources!(BreakerSource, Breaker);

/// Reads the value of `budget = EXPRESSION`.
#[inline(always)]
pub fn budget<S: BudgetSource>(source: &S) -> &Budget {
    source.get()
}

/// Reads the value of `breaker = EXPRESSION`.
#[inline(always)]
pub fn breaker<S: BreakerSource>(source: &S) -> &Breaker {
    source.get()
}

/// The backoff of a policy whose function has a closure as its backoff. The engine calls the closure instead.
pub const fn backoff_is_a_closure(_: &Attempt) -> Duration {
    Duration::ZERO
}

/// Makes the outcome of a call whose value was never ready.
#[inline(always)]
pub fn not_ready<O: FromNotReady>() -> fn(NotReady) -> O {
    O::from_not_ready
}
