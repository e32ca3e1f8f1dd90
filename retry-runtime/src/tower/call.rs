//! The state of a call of a tower service. The policy, the pause and the service below the retry layer share it.

use core::cell::Cell;
use core::fmt::{self, Display};
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::{Arc, Mutex, Weak};

use crate::classify::condition::Condition;
use crate::classify::verdict::Verdict;
use crate::engine::call::{Call, History};
use crate::engine::core::{ActiveCall, Core};
use crate::engine::executor::Executor;
use crate::engine::pause::poll_pause;
use crate::engine::{react, situation};
#[cfg(feature = "reqwest")]
use crate::http::redirects::Seen;
use crate::observe::event::{GiveUp, Observer};
use crate::observe::reason::FallbackReason;
use crate::observe::stats::named::{NO_OWN_STATS, NamedStats, of_loop};
use crate::policy::attempt::Attempt;
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;
use crate::util::sync::lock;

thread_local! {
    /// The call whose attempt is about to start. It gets from the policy to the service by this thread-local: tower asks
    /// the policy for a clone of the request, and calls the service directly after that.
    static STARTING: Cell<Option<Weak<Shared>>> = const { Cell::new(None) };
}

/// Sets the call whose attempt is about to start, or `None` for an attempt without a call.
pub(super) fn starts(call: Option<&Arc<Shared>>) {
    STARTING.set(call.map(Arc::downgrade));
}

/// Takes the call whose attempt is about to start.
pub(super) fn starting() -> Option<Weak<Shared>> {
    STARTING.take()
}

/// The attempt that is about to start. Without a call, whose request is sent only once, an attempt that knows the deadline around it.
pub(super) fn starting_attempt() -> Attempt {
    let call = starting();
    let attempt = call.as_ref().and_then(Weak::upgrade).map(|call| lock(&call).current());
    STARTING.set(call);
    attempt.unwrap_or_else(situation::single_attempt)
}

pub(super) type Shared = Mutex<Executor<Owned>>;

/// A call that is under way. If it is dropped during an attempt or a pause, it emits `Cancelled`.
pub(super) struct InFlight {
    pub(super) executor: Arc<Shared>,
    pub(super) condition: Condition,
    pub(super) is_waiting: bool,
}

impl InFlight {
    pub(super) fn begin(&self) {
        let mut executor = lock(&self.executor);
        #[cfg(feature = "reqwest")]
        {
            executor.core.active.call.seen = Seen::NONE;
        }
        executor.core.begin();
    }

    /// Returns whether the attempt sent a single request, with this method and this status, and so was not redirected.
    #[cfg(feature = "reqwest")]
    pub(super) fn sent_only(&self, method: &str, status: Option<u16>) -> bool {
        lock(&self.executor).core.active.call.seen.is_only(method, status)
    }

    /// Ends an attempt. Returns the pause before the next one, if there is a next one.
    pub(super) fn settle(&self, verdict: Verdict, reason: Option<&dyn Display>) -> Option<TowerPause> {
        let mut executor = lock(&self.executor);
        if verdict == Verdict::Done {
            executor.core.succeed();
            return None;
        }
        let delay = executor.core.fail(verdict, reason.unwrap_or(&FallbackReason::of(verdict)))?;
        Some(TowerPause { executor: self.executor.clone(), delay, is_armed: false })
    }

    /// Ends the call when the request cannot be cloned again. tower still sends the clone that it has, but does not ask the
    /// policy about the outcome.
    pub(super) fn abandon(&self) {
        self.begin();
        let ActiveCall { call, state } = &mut lock(&self.executor).core.active;
        react::abandoned(state, call, GiveUp::BodyUsedUp);
    }
}

/// The wait before the next attempt of a tower service.
///
/// The wait begins when the pause is first polled. A delay of zero takes no timer, but lets other tasks run once.
///
/// # Panics
///
/// If it is polled outside a tokio runtime whose time is enabled.
///
/// # Cancel safety
///
/// Dropping it ends the wait.
#[must_use = "a pause does nothing unless it is awaited"]
pub struct TowerPause {
    executor: Arc<Shared>,
    delay: Duration,
    is_armed: bool,
}

impl TowerPause {
    /// The length of the wait.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl Future for TowerPause {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { executor, delay, is_armed } = self.get_mut();
        let Core { active, sleep } = &mut lock(executor).core;
        poll_pause(&mut active.state, sleep, Pin::new(&mut ()), is_armed, *delay, cx)
    }
}

/// A call of a tower service, as the engine sees it. It owns its parts, because the futures of the policy cannot borrow
/// from it.
pub(super) struct Owned {
    pub(super) policy: Policy,
    pub(super) name: &'static str,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) history: History,
    /// True if the kind of the policy's requests has a method.
    pub(super) sends_requests: bool,
    /// The requests that reqwest sent in the current attempt.
    #[cfg(feature = "reqwest")]
    pub(super) seen: Seen,
}

impl Sealed for Owned {}

impl Call for Owned {
    fn policy(&self) -> &Policy {
        &self.policy
    }
    fn name(&self) -> &str {
        self.name
    }
    fn observer(&self) -> Option<&dyn Observer> {
        self.observer.as_deref()
    }
    fn history(&self) -> Option<&History> {
        Some(&self.history)
    }
    fn history_mut(&mut self) -> Option<&mut History> {
        Some(&mut self.history)
    }
    fn sends_requests(&self) -> bool {
        self.sends_requests
    }
    fn stats(&self) -> NamedStats {
        of_loop(NO_OWN_STATS, self.name)
    }
}

impl fmt::Debug for TowerPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerPause").field("delay", &self.delay).finish_non_exhaustive()
    }
}
