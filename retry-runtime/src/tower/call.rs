//! A call of a tower service, which the policy, the pause and the service below the retry share.

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
use crate::engine::react;
#[cfg(feature = "reqwest")]
use crate::http::redirects::Seen;
use crate::observe::event::{GiveUp, Observer};
use crate::observe::reason::FallbackReason;
use crate::observe::stats::named::{NamedStats, OwnStats, of_loop};
use crate::policy::builder::Policy;
use crate::util::sealed::Sealed;
use crate::util::sync::lock;

thread_local! {
    /// The call that an attempt starts of. tower asks the policy for a clone and then calls the service, with nothing between.
    static STARTING: Cell<Option<Weak<Shared>>> = const { Cell::new(None) };
}

/// An attempt of this call starts, or one of no call.
pub(super) fn starts(call: Option<&Arc<Shared>>) {
    STARTING.set(call.map(Arc::downgrade));
}

/// The call that the attempt belongs to.
pub(super) fn starting() -> Option<Weak<Shared>> {
    STARTING.take()
}

pub(super) type Shared = Mutex<Executor<Owned>>;

/// A call that is under way. Dropped in an attempt or a pause, it says so.
pub(super) struct InFlight {
    pub(super) executor: Arc<Shared>,
    pub(super) condition: Condition,
    pub(super) is_waiting: bool,
}

impl InFlight {
    /// An attempt starts.
    pub(super) fn begin(&self) {
        let mut executor = lock(&self.executor);
        #[cfg(feature = "reqwest")]
        {
            executor.core.active.call.seen = Seen::NONE;
        }
        executor.core.begin();
    }

    /// Returns whether the attempt put one request on the wire, with this method and this status, and so was not redirected.
    #[cfg(feature = "reqwest")]
    pub(super) fn sent_only(&self, method: &str, status: Option<u16>) -> bool {
        lock(&self.executor).core.active.call.seen.is_only(method, status)
    }

    pub(super) fn settle(&self, verdict: Verdict, reason: Option<&dyn Display>) -> Option<TowerPause> {
        let mut executor = lock(&self.executor);
        if verdict == Verdict::Done {
            executor.core.succeed();
            return None;
        }
        let delay = executor.core.fail(verdict, reason.unwrap_or(&FallbackReason::of(verdict)))?;
        Some(TowerPause { executor: self.executor.clone(), delay, is_armed: false })
    }

    /// tower sends the last clone of the request, and does not ask the policy about its outcome.
    pub(super) fn abandon(&self) {
        self.begin();
        let ActiveCall { call, state } = &mut lock(&self.executor).core.active;
        react::abandoned(state, call, GiveUp::BodyUsedUp);
    }
}

/// The wait before the next attempt of a tower service.
///
/// The wait begins when it is first polled. A delay of zero takes no timer, but lets other tasks run once.
///
/// # Panics
///
/// When it is polled outside of a tokio runtime whose time is enabled.
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
    /// How long the wait is.
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

/// A call of a tower service.
pub(super) struct Owned {
    pub(super) policy: Policy,
    pub(super) name: &'static str,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) history: History,
    /// The requests of the attempt.
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
    fn stats(&self) -> NamedStats {
        of_loop(OwnStats::default(), self.name)
    }
}

impl fmt::Debug for TowerPause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerPause").field("delay", &self.delay).finish_non_exhaustive()
    }
}
