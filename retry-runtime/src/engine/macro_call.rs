//! The call of an annotated function: what is constant about it, and the parts that only some functions have.

use core::borrow::Borrow;
use core::fmt;
use std::sync::Arc;

use crate::classify::condition::Condition;
use crate::engine::call::{Call, History};
use crate::observe::event::Observer;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;

/// What is constant about an annotated function.
#[derive(Clone, Copy, Debug)]
pub struct CallSpec {
    name: &'static str,
    policy: Policy,
    pub(crate) condition: Condition,
    #[allow(dead_code, reason = "read where calls are counted")]
    counts: WhereCounted,
}

impl CallSpec {
    /// The name in events, what the attribute says of policy and condition, and what [`tally!`](crate::private::tally) gives.
    pub const fn new(name: &'static str, policy: Policy, condition: Condition, counts: WhereCounted) -> Self {
        Self { name, policy, condition, counts }
    }
}

/// A function, for a constant may not refer to a static that changes before Rust 1.91.
#[cfg(any(feature = "metrics", feature = "report"))]
pub type WhereCounted = fn() -> &'static crate::observe::stats::tally::Counters;
/// Nowhere.
#[cfg(not(any(feature = "metrics", feature = "report")))]
pub type WhereCounted = ();

/// The call of an annotated function. `F` is a closure without captures, so that the plan takes no room in the
/// future; the other parts are `()` where the attribute does not ask for them.
#[derive(Clone, Copy)]
pub struct MacroCall<F, P = (), O = (), N = ()> {
    plan: F,
    policy: P,
    observer: O,
    history: N,
}

impl<F: Fn() -> &'static CallSpec> MacroCall<F> {
    /// With nothing but the plan.
    #[inline(always)]
    pub fn new(plan: F) -> Self {
        Self { plan, policy: (), observer: (), history: () }
    }
}

impl<F, P, O, N> MacroCall<F, P, O, N> {
    /// With a policy that is only known at run time.
    #[inline(always)]
    pub fn with_policy<Q: PolicySource>(self, policy: Q) -> MacroCall<F, Q::Given, O, N> {
        let Self { plan, observer, history, policy: _ } = self;
        MacroCall { plan, policy: policy.given(), observer, history }
    }

    /// With somebody who listens.
    // As a trait object, for the error of what does not listen to be the only one.
    #[inline(always)]
    pub fn with_observer<Q: Observer>(self, observer: &Q) -> MacroCall<F, P, &dyn Observer, N> {
        let Self { plan, policy, history, observer: _ } = self;
        MacroCall { plan, policy, observer, history }
    }

    /// With what only some policies and bodies ask for. The clock of the deadline starts here.
    #[inline]
    pub fn with_history(self) -> MacroCall<F, P, O, History> {
        let Self { plan, policy, observer, history: _ } = self;
        MacroCall { plan, policy, observer, history: History::new() }
    }
}

impl<F: Fn() -> &'static CallSpec, P, O, N> MacroCall<F, P, O, N> {
    #[inline(always)]
    pub(crate) fn condition(&self) -> &'static Condition {
        &(self.plan)().condition
    }
}

impl<F, P, O, N> Sealed for MacroCall<F, P, O, N> {}

impl<F, P, O, N> Call for MacroCall<F, P, O, N>
where
    F: Fn() -> &'static CallSpec + Send + Sync,
    P: MaybePolicy,
    O: MaybeObserver,
    N: MaybeHistory,
{
    #[inline(always)]
    fn policy(&self) -> &Policy {
        self.policy.or(&(self.plan)().policy)
    }
    fn name(&self) -> &str {
        (self.plan)().name
    }
    #[inline(always)]
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer.get()
    }
    #[inline(always)]
    fn history(&self) -> Option<&History> {
        self.history.get()
    }
    #[inline(always)]
    fn history_mut(&mut self) -> Option<&mut History> {
        self.history.get_mut()
    }
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[inline(always)]
    fn counted(&self) -> crate::observe::stats::tally::NamedStats {
        let CallSpec { name, counts, .. } = (self.plan)();
        crate::observe::stats::tally::NamedStats { name, counts: counts() }
    }
}

impl<F, P, O, N> fmt::Debug for MacroCall<F, P, O, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Annotated").finish_non_exhaustive()
    }
}

/// What `policy = …` may be.
// The type that it gives is an associated one, for the error of what is no policy to be the only one.
#[diagnostic::on_unimplemented(
    message = "`policy` takes a `Policy`, a `&Policy` or an `Arc<Policy>`",
    label = "not a policy"
)]
pub trait PolicySource: Sized {
    /// What is kept of it.
    type Given: MaybePolicy;
    /// Keeps it.
    fn given(self) -> Self::Given;
}

macro_rules! sources {
    ($($source:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl PolicySource for $source {
            type Given = Given<Self>;
            #[inline(always)]
            fn given(self) -> Given<Self> {
                Given(self)
            }
        }
    )*};
}
sources!(Policy, &Policy, Arc<Policy>);

/// A policy that is given at run time.
#[derive(Clone, Copy, Debug)]
pub struct Given<P>(P);

/// A policy that is given at run time, or `()`.
pub trait MaybePolicy: Send + Sync {
    /// The given one, or else the constant one.
    fn or<'a>(&'a self, constant: &'static Policy) -> &'a Policy;
}

impl MaybePolicy for () {
    #[inline(always)]
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
    /// The observer, if there is one.
    fn get(&self) -> Option<&dyn Observer>;
}

impl MaybeObserver for () {
    #[inline(always)]
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
    /// The notes, if there are any.
    fn get(&self) -> Option<&History>;
    /// The same, to write them.
    fn get_mut(&mut self) -> Option<&mut History>;
}

impl MaybeHistory for () {
    #[inline(always)]
    fn get(&self) -> Option<&History> {
        None
    }
    #[inline(always)]
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
