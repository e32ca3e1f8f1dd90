//! The call of an annotated function: what is constant about it, and the parts that only some functions have.

use core::borrow::Borrow;
use core::fmt;
use std::sync::Arc;

use crate::Policy;
use crate::call::{Call, Notes};
use crate::condition::Condition;
use crate::event::Observer;
use crate::sealed::Sealed;

/// What is constant about an annotated function.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    name: &'static str,
    policy: Policy,
    pub(crate) condition: Condition,
    #[allow(dead_code, reason = "read where calls are counted")]
    counts: WhereCounted,
}

impl Plan {
    /// The name in events, what the attribute says of policy and condition, and what [`tally!`](crate::private::tally) gives.
    pub const fn new(name: &'static str, policy: Policy, condition: Condition, counts: WhereCounted) -> Self {
        Self { name, policy, condition, counts }
    }
}

/// A function, for a constant may not refer to a static that changes before Rust 1.91.
#[cfg(any(feature = "metrics", feature = "report"))]
pub type WhereCounted = fn() -> &'static crate::tally::Counts;
/// Nowhere.
#[cfg(not(any(feature = "metrics", feature = "report")))]
pub type WhereCounted = ();

/// The call of an annotated function. `F` is a closure without captures, so that the plan takes no room in the
/// future; the other parts are `()` where the attribute does not ask for them.
#[derive(Clone, Copy)]
pub struct Annotated<F, P = (), O = (), N = ()> {
    plan: F,
    policy: P,
    observer: O,
    notes: N,
}

impl<F: Fn() -> &'static Plan> Annotated<F> {
    /// With nothing but the plan.
    #[inline(always)]
    pub fn new(plan: F) -> Self {
        Self { plan, policy: (), observer: (), notes: () }
    }
}

impl<F, P, O, N> Annotated<F, P, O, N> {
    /// With a policy that is only known at run time.
    #[inline(always)]
    pub fn with_policy<Q: PolicySource>(self, policy: Q) -> Annotated<F, Q::Given, O, N> {
        let Self { plan, observer, notes, policy: _ } = self;
        Annotated { plan, policy: policy.given(), observer, notes }
    }

    /// With somebody who listens.
    // As a trait object, for the error of what does not listen to be the only one.
    #[inline(always)]
    pub fn with_observer<Q: Observer>(self, observer: &Q) -> Annotated<F, P, &dyn Observer, N> {
        let Self { plan, policy, notes, observer: _ } = self;
        Annotated { plan, policy, observer, notes }
    }

    /// With what only some policies and bodies ask for. The clock of the deadline starts here.
    #[inline]
    pub fn with_notes(self) -> Annotated<F, P, O, Notes> {
        let Self { plan, policy, observer, notes: _ } = self;
        Annotated { plan, policy, observer, notes: Notes::new() }
    }
}

impl<F: Fn() -> &'static Plan, P, O, N> Annotated<F, P, O, N> {
    #[inline(always)]
    pub(crate) fn condition(&self) -> &'static Condition {
        &(self.plan)().condition
    }
}

impl<F, P, O, N> Sealed for Annotated<F, P, O, N> {}

impl<F, P, O, N> Call for Annotated<F, P, O, N>
where
    F: Fn() -> &'static Plan + Send + Sync,
    P: MaybePolicy,
    O: MaybeObserver,
    N: MaybeNotes,
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
    fn notes(&self) -> Option<&Notes> {
        self.notes.get()
    }
    #[inline(always)]
    fn notes_mut(&mut self) -> Option<&mut Notes> {
        self.notes.get_mut()
    }
    #[cfg(any(feature = "metrics", feature = "report"))]
    #[inline(always)]
    fn counted(&self) -> crate::tally::Counted {
        let Plan { name, counts, .. } = (self.plan)();
        crate::tally::Counted { name, counts: counts() }
    }
}

impl<F, P, O, N> fmt::Debug for Annotated<F, P, O, N> {
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

#[cfg(feature = "serde")]
#[diagnostic::do_not_recommend]
impl PolicySource for crate::NamedPolicy {
    type Given = Given<Policy>;
    #[inline(always)]
    fn given(self) -> Given<Policy> {
        Given(self.get())
    }
}

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

/// [`Notes`], or `()`.
pub trait MaybeNotes: Send + Sync {
    /// The notes, if there are any.
    fn get(&self) -> Option<&Notes>;
    /// The same, to write them.
    fn get_mut(&mut self) -> Option<&mut Notes>;
}

impl MaybeNotes for () {
    #[inline(always)]
    fn get(&self) -> Option<&Notes> {
        None
    }
    #[inline(always)]
    fn get_mut(&mut self) -> Option<&mut Notes> {
        None
    }
}

impl MaybeNotes for Notes {
    fn get(&self) -> Option<&Notes> {
        Some(self)
    }
    fn get_mut(&mut self) -> Option<&mut Notes> {
        Some(self)
    }
}
