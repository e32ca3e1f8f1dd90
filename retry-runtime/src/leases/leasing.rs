//! The task that takes leases.
//!
//! It sleeps until a failure asks for a lease. It has one request at a time, and repeats none.

use core::fmt;
use core::future::poll_fn;
use core::panic::AssertUnwindSafe;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::panic::catch_unwind;

use super::store::{Lease, LeaseRequest, LeaseStore};
use crate::policy::budget::Budget;
use crate::policy::budget::lease_settings::{LeaseEvent, LeaseEventKind, LeaseSettings};
use crate::util::clock::Instant;
use crate::util::host;
use crate::util::sync::Relaxed;

/// The time between two requests while the pool is not full, on average.
const PERIOD: Duration = Duration::from_secs(1);
/// The longest wait after the first failure of the store. Each further failure doubles it.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// Leases.
impl Budget {
    /// Takes leases from the store. The future never ends: spawn it once in each process, and keep it as long as the process makes
    /// calls.
    ///
    /// It asks the store when a failure leaves less than half of the largest lease, and once a second while the pool is not full and
    /// there is something to return. Otherwise it sleeps, so a fleet without failures sends nothing.
    ///
    /// # Panics
    ///
    /// Panics if the budget is not [leased](Self::leased), or if another future of it already takes leases.
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any time, and another one may take its place. Tokens that it has fetched stay valid until their
    /// time is over; those of a request on its way are lost.
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn lease_from<S: LeaseStore>(&self, store: S) -> impl Future<Output = ()> {
        self.lease_until(store, core::future::pending())
    }

    /// Takes leases from the store until `shutdown` ends, and then returns to the pool what is left of the lease. That takes at most
    /// twice the [`store_timeout`](Self::store_timeout). Otherwise as [`lease_from`](Self::lease_from).
    ///
    /// # Panics
    ///
    /// As `lease_from`.
    #[cfg(feature = "tokio")]
    #[track_caller]
    pub fn lease_until<S: LeaseStore>(&self, store: S, shutdown: impl Future<Output = ()>) -> impl Future<Output = ()> {
        self.lease_with(store, shutdown, host::sleep)
    }

    /// Takes leases from the store until `shutdown` ends, with a sleep function: for async runtimes other than tokio. Otherwise as
    /// [`lease_until`](Self::lease_until).
    ///
    /// # Panics
    ///
    /// As `lease_from`.
    #[track_caller]
    pub fn lease_with<S, F, T>(
        &self,
        store: S,
        shutdown: impl Future<Output = ()>,
        sleep: F,
    ) -> impl Future<Output = ()>
    where
        S: LeaseStore,
        F: Fn(Duration) -> T,
        T: Future<Output = ()>,
    {
        let settings = *self.lease().settings().expect("the budget has no leases: start with `Budget::leased`");
        assert!(self.lease().claim(), "another future already takes leases for this budget: spawn one in each process");
        let now = Instant::now();
        let leasing = Leasing {
            budget: self,
            settings,
            store,
            sleep,
            failures: 0,
            asked: now,
            earliest: now,
            returns: None,
            is_below: false,
        };
        leasing.run(shutdown)
    }
}

struct Leasing<'a, S, F> {
    budget: &'a Budget,
    settings: LeaseSettings,
    store: S,
    sleep: F,
    /// The number of requests that have failed since the last answer.
    failures: u32,
    /// The time just before the last request that was answered.
    asked: Instant,
    /// The time before which no request is sent.
    earliest: Instant,
    /// The time at which what is left of the lease is returned.
    returns: Option<Instant>,
    /// True if the pool was not full at the last answer.
    is_below: bool,
}

impl<S, F> Drop for Leasing<'_, S, F> {
    fn drop(&mut self) {
        self.budget.lease().release(self.budget.word());
    }
}

impl<S, F, T> Leasing<'_, S, F>
where
    S: LeaseStore,
    F: Fn(Duration) -> T,
    T: Future<Output = ()>,
{
    async fn run(mut self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        while self.wait(shutdown.as_mut()).await {
            self.take_turn().await;
        }
        self.end_lease();
        self.ask(0).await;
    }

    /// Waits until there may be something to ask for. Returns false if leasing is to end.
    async fn wait(&self, mut shutdown: Pin<&mut impl Future<Output = ()>>) -> bool {
        let pause = self.earliest.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            let mut pause = pin!((self.sleep)(pause));
            if poll_fn(|cx| either(shutdown.as_mut().poll(cx), pause.as_mut().poll(cx))).await {
                return false;
            }
        }
        let period = self.is_below.then(|| (self.sleep)(period()));
        let returns = self.returns.map(|at| (self.sleep)(at.saturating_duration_since(Instant::now())));
        let (mut period, mut returns) = (pin!(period), pin!(returns));
        !poll_fn(|cx| {
            let is_over = demanded(self.budget, cx)
                || is_over(period.as_mut().as_pin_mut(), cx)
                || is_over(returns.as_mut().as_pin_mut(), cx);
            either(shutdown.as_mut().poll(cx), if is_over { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    /// Sends a request, if there is something to ask for or to return.
    async fn take_turn(&mut self) {
        let lease = self.budget.lease();
        if self.is_below && self.asked.elapsed() >= self.settings.time_to_live {
            // The pool exists no more, or other processes have asked since then.
            self.set_below(false);
        }
        let is_demanded = lease.take_demand();
        if !is_demanded && self.returns.is_some_and(|at| at <= Instant::now()) {
            self.end_lease();
        }
        self.ask(if is_demanded { lease.wanted(self.budget.word()) } else { 0 }).await;
    }

    fn end_lease(&mut self) {
        self.returns = None;
        self.budget.lease().end_lease(self.budget.word());
    }

    /// Asks for this number of tokens, and sends the credit along.
    async fn ask(&mut self, want: u32) {
        let lease = self.budget.lease();
        let credit = lease.take_credit();
        if want == 0 && credit == 0 {
            return;
        }
        let (capacity, time_to_live) = (lease.capacity(), self.settings.time_to_live);
        let request = LeaseRequest { credit, want, capacity, time_to_live };
        let asked = Instant::now();
        lease.counts.asked.fetch_add(1, Relaxed);
        match self.answer(request).await {
            Ok(answer) => self.accept(asked, request, answer),
            Err(reason) => self.fail(&reason),
        }
    }

    /// Waits for the answer of the store, for as long as the settings allow.
    async fn answer(&self, request: LeaseRequest) -> Result<Lease, Reason<S::Error>> {
        let limit = self.settings.store_timeout;
        let until = Instant::now() + limit;
        let mut timer = pin!((self.sleep)(limit));
        let Ok(answer) = catch_unwind(AssertUnwindSafe(|| self.store.lease(request))) else {
            return Err(Reason::Panicked);
        };
        let mut future = pin!(Some(answer));
        let answer = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| poll(future.as_mut(), cx))) {
            Err(_) => Poll::Ready(Err(Reason::Panicked)),
            Ok(Poll::Ready(answer)) => Poll::Ready(answer.map_err(Reason::Error)),
            // The clock, because a timer may stay pending in a task that uses up its share of time.
            Ok(Poll::Pending) if timer.as_mut().poll(cx).is_ready() || Instant::now() >= until => {
                Poll::Ready(Err(Reason::Late(limit)))
            }
            Ok(Poll::Pending) => Poll::Pending,
        })
        .await;
        // The destructor is foreign code too.
        let dropped = catch_unwind(AssertUnwindSafe(|| future.set(None)));
        let answer = if dropped.is_ok() { answer? } else { return Err(Reason::Panicked) };
        if answer.granted > request.want || answer.left > request.capacity {
            return Err(Reason::Impossible(request, answer));
        }
        Ok(answer)
    }

    fn accept(&mut self, asked: Instant, request: LeaseRequest, Lease { granted, left }: Lease) {
        let lease = self.budget.lease();
        if granted > 0 {
            lease.grant(self.budget.word(), asked, &self.settings, granted);
            self.returns = Some(asked + self.settings.valid_for * 3 / 4);
        }
        lease.counts.credited.fetch_add(request.credit.into(), Relaxed);
        self.asked = asked;
        self.set_below(left < request.capacity);
        // An empty pool is not asked again at once, however many failures there are.
        self.earliest = if granted < request.want { asked + period() } else { asked };
        if self.failures > 0 {
            self.emit(LeaseEventKind::StoreRecovered { failures: self.failures });
            self.failures = 0;
        }
    }

    fn fail(&mut self, reason: &Reason<S::Error>) {
        self.budget.lease().counts.failed.fetch_add(1, Relaxed);
        if self.failures == 0 {
            // The error is foreign code too.
            let reason = catch_unwind(AssertUnwindSafe(|| reason.to_string()));
            self.emit(LeaseEventKind::StoreFailed {
                reason: reason.as_deref().unwrap_or("the store's error panicked"),
            });
        }
        let longest = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(10)).min(LONGEST_BACKOFF);
        self.earliest = Instant::now() + longest.mul_f64(0.5 + host::random() / 2.0);
        self.failures = self.failures.saturating_add(1);
    }

    fn set_below(&mut self, is_below: bool) {
        self.is_below = is_below;
        self.budget.lease().collect(self.budget.word(), is_below);
    }

    fn emit(&self, kind: LeaseEventKind<'_>) {
        let event = LeaseEvent { name: self.settings.name, kind };
        let _ = catch_unwind(AssertUnwindSafe(|| {
            trace(&event);
            if let Some(listener) = self.settings.listener {
                listener(&event);
            }
        }));
    }
}

/// The reasons for which a request fails.
enum Reason<E> {
    Error(E),
    Late(Duration),
    Panicked,
    Impossible(LeaseRequest, Lease),
}

impl<E: fmt::Display> fmt::Display for Reason<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Late(limit) => write!(f, "no answer within {limit:?}"),
            Self::Panicked => f.write_str("the store panicked"),
            Self::Impossible(LeaseRequest { want, capacity, .. }, Lease { granted, left }) => {
                write!(f, "impossible answer: {granted} of {want} tokens granted, {left} of {capacity} left")
            }
        }
    }
}

/// The time until the next request, with jitter, so that the processes of a fleet do not ask at the same time.
fn period() -> Duration {
    PERIOD.mul_f64(0.75 + host::random() / 2.0)
}

/// Ready when a failure asks for a lease.
fn demanded(budget: &Budget, cx: &Context<'_>) -> bool {
    budget.lease().is_demanded(cx.waker())
}

/// Polls the future of the store, which exists until its answer is there.
fn poll<T>(future: Pin<&mut Option<impl Future<Output = T>>>, cx: &mut Context<'_>) -> Poll<T> {
    future.as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
}

/// True if there is a timer and it has ended.
fn is_over(timer: Option<Pin<&mut impl Future<Output = ()>>>, cx: &mut Context<'_>) -> bool {
    timer.is_some_and(|timer| timer.poll(cx).is_ready())
}

/// Ready with true if the first has ended, and with false if only the second has.
fn either(first: Poll<()>, second: Poll<()>) -> Poll<bool> {
    match (first, second) {
        (Poll::Ready(()), _) => Poll::Ready(true),
        (_, Poll::Ready(())) => Poll::Ready(false),
        _ => Poll::Pending,
    }
}

#[cfg(feature = "tracing")]
fn trace(event: &LeaseEvent<'_>) {
    let name = event.name;
    match event.kind {
        LeaseEventKind::StoreFailed { reason } => {
            tracing::warn!(target: "retry", name, reason, "no leases: only the reserve pays for retries");
        }
        LeaseEventKind::StoreRecovered { failures } => {
            tracing::info!(target: "retry", name, failures, "leases are available again");
        }
    }
}

#[cfg(not(feature = "tracing"))]
fn trace(_: &LeaseEvent<'_>) {}
