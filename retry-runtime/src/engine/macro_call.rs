//! The call of an annotated function: its constant part, and the parts that only some functions have.

use core::borrow::Borrow;
use core::fmt;
use std::sync::Arc;

use crate::classify::condition::Condition;
use crate::engine::call::{Call, History};
use crate::observe::event::Observer;
use crate::observe::stats::named::{CountersOf, NamedStats, of_function};
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

/// The constant part of an annotated function's calls.
#[derive(Clone, Copy, Debug)]
pub struct CallSpec {
    name: &'static str,
    policy: Policy,
    pub(crate) condition: Condition,
    counters: CountersOf,
}

impl CallSpec {
    /// From the name in events, the policy and the condition of the attribute, and the counters that
    /// [`counters!`](crate::private::counters) makes.
    pub const fn new(name: &'static str, policy: Policy, condition: Condition, counters: CountersOf) -> Self {
        Self { name, policy, condition, counters }
    }
}

/// The call of an annotated function. The other parts are `()` unless the attribute needs them.
///
/// The spec is a reference, and not a type parameter such as a closure: functions that need no other part share all code of the engine.
#[derive(Clone, Copy)]
pub struct MacroCall<P = (), O = (), N = ()> {
    spec: &'static CallSpec,
    policy: P,
    observer: O,
    history: N,
}

impl MacroCall {
    /// A call that has only the spec.
    #[inline]
    pub fn new(spec: &'static CallSpec) -> Self {
        Self { spec, policy: (), observer: (), history: () }
    }
}

impl<P, O, N> MacroCall<P, O, N> {
    /// Says that the policy of the spec has a budget. Other calls do not look for one when they succeed.
    #[inline]
    pub fn with_budget(self) -> MacroCall<Budgeted, O, N> {
        let Self { spec, observer, history, policy: _ } = self;
        MacroCall { spec, policy: Budgeted, observer, history }
    }

    /// Pays from this budget, instead of the policy's.
    #[inline(always)]
    pub fn with_own_budget(self, budget: &Budget) -> MacroCall<Paying<'_, P>, O, N> {
        let Self { spec, policy, observer, history } = self;
        MacroCall { spec, policy: Paying { policy, budget }, observer, history }
    }

    /// Adds a policy that is only known at run time.
    #[inline]
    pub fn with_policy<Q: PolicySource>(self, policy: Q) -> MacroCall<Q::Given, O, N> {
        let Self { spec, observer, history, policy: _ } = self;
        MacroCall { spec, policy: policy.given(), observer, history }
    }

    /// Adds an observer.
    // It is kept as a trait object. With a type parameter, a value that is not an observer would cause a second error, at the
    // call of the engine.
    #[inline]
    pub fn with_observer<Q: Observer>(self, observer: &Q) -> MacroCall<P, &dyn Observer, N> {
        let Self { spec, policy, history, observer: _ } = self;
        MacroCall { spec, policy, observer, history }
    }

    /// Adds the history that some policies and bodies need. The clock of the deadline starts here.
    #[inline]
    pub fn with_history(self) -> MacroCall<P, O, History> {
        let Self { spec, policy, observer, history: _ } = self;
        MacroCall { spec, policy, observer, history: History::new() }
    }
}

impl<P, O, N> MacroCall<P, O, N> {
    #[inline]
    pub(crate) fn condition(&self) -> &'static Condition {
        &self.spec.condition
    }
}

impl<P, O, N> Sealed for MacroCall<P, O, N> {}

impl<P, O, N> Call for MacroCall<P, O, N>
where
    P: MaybePolicy,
    O: MaybeObserver,
    N: MaybeHistory,
{
    #[inline]
    fn policy(&self) -> &Policy {
        self.policy.or(&self.spec.policy)
    }
    #[inline]
    fn budget(&self) -> Option<&Budget> {
        self.policy.budget(&self.spec.policy)
    }
    fn name(&self) -> &str {
        self.spec.name
    }
    #[inline]
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer.get()
    }
    #[inline]
    fn history(&self) -> Option<&History> {
        self.history.get()
    }
    #[inline]
    fn history_mut(&mut self) -> Option<&mut History> {
        self.history.get_mut()
    }
    #[inline]
    fn stats(&self) -> NamedStats {
        let CallSpec { name, counters, .. } = self.spec;
        of_function(name, *counters)
    }
}

impl<P, O, N> fmt::Debug for MacroCall<P, O, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacroCall").finish_non_exhaustive()
    }
}

/// The value of `policy = …`.
// The result is an associated type, so that rustc reports only one error for a value that is not a policy.
#[diagnostic::on_unimplemented(
    message = "`policy` takes a `Policy`, a `&Policy` or an `Arc<Policy>`",
    label = "not a policy"
)]
pub trait PolicySource: Sized {
    /// The policy as the call keeps it.
    type Given: MaybePolicy;
    /// Converts the value.
    fn given(self) -> Self::Given;
}

macro_rules! sources {
    ($($source:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl PolicySource for $source {
            type Given = Given<Self>;
            #[inline]
            fn given(self) -> Given<Self> {
                Given(self)
            }
        }
    )*};
}
sources!(Policy, &Policy, Arc<Policy>);

/// A policy that is known at run time.
#[derive(Clone, Copy, Debug)]
pub struct Given<P>(P);

/// A policy, and a budget that is not the policy's.
#[derive(Clone, Copy, Debug)]
pub struct Paying<'b, P> {
    policy: P,
    budget: &'b Budget,
}

/// Instead of `()`, if the constant policy has a budget.
#[derive(Clone, Copy, Debug)]
pub struct Budgeted;

/// A policy that is known at run time, [`Budgeted`], or `()`; or one of them with its own budget.
pub trait MaybePolicy: Send + Sync {
    /// The run-time policy, or else the constant one.
    fn or<'a>(&'a self, constant: &'static Policy) -> &'a Policy;

    /// The budget that pays for the retries.
    #[inline(always)]
    fn budget<'a>(&'a self, constant: &'static Policy) -> Option<&'a Budget> {
        self.or(constant).budget.map(|budget| budget())
    }
}

impl MaybePolicy for () {
    #[inline]
    fn or<'a>(&'a self, constant: &'static Policy) -> &'a Policy {
        constant
    }
    #[inline(always)]
    fn budget<'a>(&'a self, _: &'static Policy) -> Option<&'a Budget> {
        None
    }
}

impl<P: MaybePolicy> MaybePolicy for Paying<'_, P> {
    #[inline(always)]
    fn or<'a>(&'a self, constant: &'static Policy) -> &'a Policy {
        self.policy.or(constant)
    }
    #[inline(always)]
    fn budget<'a>(&'a self, _: &'static Policy) -> Option<&'a Budget> {
        Some(self.budget)
    }
}

impl MaybePolicy for Budgeted {
    #[inline]
    fn or<'a>(&'a self, constant: &'static Policy) -> &'a Policy {
        constant
    }
}

impl<P: Borrow<Policy> + Send + Sync> MaybePolicy for Given<P> {
    fn or<'a>(&'a self, _: &'static Policy) -> &'a Policy {
        self.0.borrow()
    }
}

/// An observer, or `()`.
pub trait MaybeObserver: Send + Sync {
    fn get(&self) -> Option<&dyn Observer>;
}

impl MaybeObserver for () {
    #[inline]
    fn get(&self) -> Option<&dyn Observer> {
        None
    }
}

impl MaybeObserver for &dyn Observer {
    fn get(&self) -> Option<&dyn Observer> {
        Some(*self)
    }
}

/// [`History`], or `()`.
pub trait MaybeHistory: Send + Sync {
    fn get(&self) -> Option<&History>;
    fn get_mut(&mut self) -> Option<&mut History>;
}

impl MaybeHistory for () {
    #[inline]
    fn get(&self) -> Option<&History> {
        None
    }
    #[inline]
    fn get_mut(&mut self) -> Option<&mut History> {
        None
    }
}

impl MaybeHistory for History {
    fn get(&self) -> Option<&History> {
        Some(self)
    }
    fn get_mut(&mut self) -> Option<&mut History> {
        Some(self)
    }
}
