//! The call of a hand-written loop, of `Policy::run` and of requests.

use core::fmt;
use core::mem::ManuallyDrop;
use std::borrow::Cow;
use std::sync::Arc;

use crate::engine::call::{Call, History};
use crate::observe::event::Observer;
use crate::observe::stats::named::{NO_OWN_STATS, NamedStats, OwnStats, of_loop};
use crate::policy::budget::Budget;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;
use crate::util::shared::Shared;

/// The call of a hand-written loop. Made by [`Executor::new`](crate::Executor::new).
pub struct ManualCall<'a> {
    policy: &'a Policy,
    /// `None` is `retry`: one word to write for most loops, not two.
    name: Option<&'a str>,
    observer: Option<&'a dyn Observer>,
    /// Missing only if nothing can ask for it.
    history: Option<History>,
    stats: OwnStats,
    sends_requests: bool,
    /// Null for a call that only borrows, as most do: it allocates nothing then.
    ///
    /// Dropped by [`release`](Call::release). With a destructor, an executor would be built on the stack and moved into the future, and a
    /// success would take 46 instructions more.
    owned: ManuallyDrop<Option<Box<Owned<'a>>>>,
}

/// The parts that a call owns, or seldom has.
#[derive(Clone, Default)]
struct Owned<'a> {
    policy: Option<Policy>,
    name: Option<String>,
    budget: Option<Shared<'a, Budget>>,
}

impl<'a> ManualCall<'a> {
    /// A call under a policy that it borrows.
    #[inline(always)]
    pub(crate) const fn new(policy: &'a Policy, name: Option<&'a str>, history: Option<History>) -> Self {
        Self {
            policy,
            name,
            observer: None,
            history,
            stats: NO_OWN_STATS,
            sends_requests: false,
            owned: ManuallyDrop::new(None),
        }
    }

    pub(crate) fn set_policy(&mut self, policy: Policy) {
        self.owned().policy = Some(policy);
    }

    #[inline]
    pub(crate) fn set_name(&mut self, name: Cow<'a, str>) {
        match name {
            Cow::Borrowed(name) => self.name = Some(name),
            Cow::Owned(name) => self.owned().name = Some(name),
        }
    }

    pub(crate) fn set_budget(&mut self, budget: Shared<'a, Budget>) {
        self.owned().budget = Some(budget);
    }

    pub(crate) const fn set_observer(&mut self, observer: Option<&'a dyn Observer>) {
        self.observer = observer;
    }

    /// Each attempt is an HTTP request.
    #[cfg(feature = "reqwest")]
    pub(crate) const fn send_requests(&mut self) {
        self.sends_requests = true;
    }

    #[cfg(any(feature = "metrics", feature = "report"))]
    pub(crate) const fn set_stats(&mut self, stats: OwnStats) {
        self.stats = stats;
    }

    /// Starts the past of the call anew.
    pub(crate) const fn set_history(&mut self, history: Option<History>) {
        self.history = history;
    }

    #[cold]
    fn owned(&mut self) -> &mut Owned<'a> {
        self.owned.get_or_insert_default()
    }
}

impl Sealed for ManualCall<'_> {}

impl Call for ManualCall<'_> {
    #[inline(always)]
    fn policy(&self) -> &Policy {
        match &*self.owned {
            None => self.policy,
            Some(owned) => owned.policy.as_ref().unwrap_or(self.policy),
        }
    }
    #[inline(always)]
    fn budget(&self) -> Option<&Budget> {
        if let Some(Owned { budget: Some(budget), .. }) = self.owned.as_deref() {
            return Some(budget);
        }
        self.policy().budget.map(|budget| budget())
    }
    fn name(&self) -> &str {
        match self.owned.as_deref() {
            Some(Owned { name: Some(name), .. }) => name,
            _ => self.name.unwrap_or("retry"),
        }
    }
    #[inline(always)]
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer
    }
    #[inline(always)]
    fn history(&self) -> Option<&History> {
        self.history.as_ref()
    }
    #[inline(always)]
    fn history_mut(&mut self) -> Option<&mut History> {
        self.history.as_mut()
    }
    fn sends_requests(&self) -> bool {
        self.sends_requests
    }
    #[inline(always)]
    fn stats(&self) -> NamedStats {
        of_loop(self.stats, self.name())
    }
    #[inline(always)]
    fn policy_without_state(&self) -> &Policy {
        self.policy
    }
    #[inline(always)]
    fn budget_without_state(&self) -> Option<&Budget> {
        self.policy.budget.map(|budget| budget())
    }
    #[inline]
    fn is_owning(&self) -> bool {
        self.owned.is_some()
    }
    #[cold]
    fn release(&mut self) {
        drop(self.owned.take());
    }
}

impl fmt::Debug for ManualCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualCall")
            .field("policy", self.policy())
            .field("name", &self.name())
            .field("history", &self.history)
            .finish_non_exhaustive()
    }
}

/// A policy for [`Executor::new`](crate::Executor::new): a `Policy`, a `&Policy` or an `Arc<Policy>`.
///
/// An executor borrows a `&Policy` and copies the others, for which it allocates once.
#[diagnostic::on_unimplemented(
    message = "an executor takes a `Policy`, a `&Policy` or an `Arc<Policy>`",
    label = "not a policy",
    note = "if it is in a `LazyLock`, write `&*policy`"
)]
pub trait IntoPolicy<'a>: Sealed {
    /// The policy, if it can be borrowed for as long as the executor lives.
    #[doc(hidden)]
    fn borrowed(&self) -> Option<&'a Policy> {
        None
    }

    // `&mut self`, because clippy then does not advise a caller to write `policy` instead of `&policy`, which would allocate.
    #[doc(hidden)]
    fn copied(&mut self) -> Policy;
}

#[diagnostic::do_not_recommend]
impl<'a> IntoPolicy<'a> for &'a Policy {
    #[inline(always)]
    fn borrowed(&self) -> Option<&'a Policy> {
        Some(self)
    }
    fn copied(&mut self) -> Policy {
        **self
    }
}

#[diagnostic::do_not_recommend]
impl<'a> IntoPolicy<'a> for &'a Arc<Policy> {
    #[inline(always)]
    fn borrowed(&self) -> Option<&'a Policy> {
        Some(self)
    }
    fn copied(&mut self) -> Policy {
        ***self
    }
}

#[diagnostic::do_not_recommend]
impl IntoPolicy<'_> for Policy {
    fn copied(&mut self) -> Policy {
        *self
    }
}

#[diagnostic::do_not_recommend]
impl IntoPolicy<'_> for Arc<Policy> {
    fn copied(&mut self) -> Policy {
        **self
    }
}

impl Sealed for Policy {}
impl Sealed for &Policy {}
impl Sealed for &Arc<Policy> {}
impl Sealed for Arc<Policy> {}
