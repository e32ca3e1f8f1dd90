//! The state of a call, allocated on its first failure or when an observer is attached.

use core::fmt;
use core::pin::Pin;

use pin_project_lite::pin_project;

use crate::context::connections::{self, AttemptScope, ConnectionLog};
use crate::observe::sink;
use crate::observe::spans::{self, Spans};
use crate::util::clock::Instant;
use crate::util::sleep::{SharedTimer, TokioTimer};

/// One pointer: null until the call fails, waits for tokio's timer, or is observed.
pub(crate) struct CallState(Option<Pin<Box<Inner>>>);

pin_project! {
    /// 128 bytes with tokio's timer, which is most of it.
    struct Inner {
        #[pin]
        timer: TokioTimer,
        // Boxed, to keep the state of a failing call that nothing observes at its 128 bytes.
        observation: Option<Box<Observation>>,
        // This field and the next three share eight bytes, so they take no additional room.
        number: u32,
        // The tokens that the budget took for the current retry.
        paid: u16,
        phase: Phase,
        // Bits, because two `bool` would take another eight bytes.
        flags: u8,
    }
}

/// A nested call has already exhausted its own retries for the failure of this attempt.
const NESTED_EXHAUSTED: u8 = 1;
/// A failure of the call has been retried.
const HAS_RETRIED: u8 = 2;

/// The part of the call that a drop would cancel now.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Phase {
    /// Nothing: no attempt runs.
    Idle,
    Attempt,
    /// A pause, or the retry after it until that starts.
    Pause,
    /// Nothing: the success of the call has been emitted.
    Succeeded,
    /// Nothing: it has been emitted that the call gave up.
    GaveUp,
}

/// The additional state of an observed call.
struct Observation {
    since: Instant,
    spans: Spans,
    connections: ConnectionLog,
}

impl CallState {
    #[inline]
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// The state at the start of a call: observed if anything receives its events, and not null if the call owns something.
    #[inline]
    pub(crate) fn at_start(has_observer: bool, is_owning: bool) -> Self {
        let mut state = Self::none();
        if is_owning {
            state.keep();
        }
        if has_observer || sink::is_enabled() {
            state.observe();
        }
        state
    }

    /// Makes sure that the state exists.
    #[cold]
    pub(crate) fn keep(&mut self) {
        self.inner();
    }

    #[inline]
    pub(crate) fn exists(&self) -> bool {
        self.0.is_some()
    }

    #[inline]
    fn inner(&mut self) -> Pin<&mut Inner> {
        self.0.get_or_insert_with(allocate).as_mut()
    }

    /// The number of the current attempt, or of the next one during a pause.
    #[inline]
    pub(crate) fn number(&self) -> u32 {
        self.0.as_ref().map_or(1, |inner| inner.number)
    }

    /// Starts a pause after a failure, or after a value that is not ready yet. The next attempt follows it. The budget took `paid`
    /// tokens for it.
    #[inline]
    pub(crate) fn start_pause(&mut self, paid: u16, is_failure: bool) {
        let inner = self.inner().project();
        *inner.number = inner.number.saturating_add(1);
        *inner.paid = paid;
        *inner.phase = Phase::Pause;
        *inner.flags = *inner.flags & !NESTED_EXHAUSTED | if is_failure { HAS_RETRIED } else { 0 };
    }

    #[cold]
    pub(crate) fn charge(&mut self, attempts: u32) {
        let number = self.inner().project().number;
        *number = number.saturating_add(attempts);
    }

    /// Takes a pause back that has just been started: the call ends instead.
    #[cold]
    pub(crate) fn withdraw_pause(&mut self) {
        let inner = self.inner().project();
        *inner.number = inner.number.saturating_sub(1).max(1);
        *inner.paid = 0;
        *inner.phase = Phase::GaveUp;
    }

    /// True once a failure of the call has been retried. The number of the attempt does not tell that: it also counts attempts
    /// whose value was not ready, and those that were made elsewhere.
    #[inline]
    pub(crate) fn has_retried(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.flags & HAS_RETRIED != 0)
    }

    /// The tokens that the budget took for the current retry; `None` before a failure is retried.
    pub(crate) fn paid(&self) -> Option<u16> {
        self.0.as_ref().filter(|inner| inner.flags & HAS_RETRIED != 0).map(|inner| inner.paid)
    }

    /// True if a nested call has already exhausted its own retries for the failure of this attempt.
    pub(crate) fn nested_exhausted(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.flags & NESTED_EXHAUSTED != 0)
    }

    #[inline]
    pub(crate) fn set_nested_exhausted(&mut self, exhausted: bool) {
        if exhausted || self.exists() {
            let flags = self.inner().project().flags;
            *flags = *flags & !NESTED_EXHAUSTED | if exhausted { NESTED_EXHAUSTED } else { 0 };
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.0.as_ref().map_or(Phase::Idle, |inner| inner.phase)
    }

    /// True once the end of the call has been emitted.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.phase(), Phase::Succeeded | Phase::GaveUp)
    }

    /// Remembers that the call has given up, for a loop that may report its end again.
    #[cold]
    pub(crate) fn remember_end(&mut self) {
        self.keep();
        self.set_phase(Phase::GaveUp);
    }

    pub(crate) fn set_phase(&mut self, phase: Phase) {
        if let Some(inner) = &mut self.0 {
            *inner.as_mut().project().phase = phase;
        }
    }

    /// Starts to observe the call: events need the time since now.
    #[cold]
    pub(crate) fn observe(&mut self) {
        self.inner().project().observation.get_or_insert_with(|| {
            Box::new(Observation { since: Instant::now(), spans: Spans::none(), connections: ConnectionLog::new() })
        });
    }

    #[inline]
    pub(crate) fn is_observed(&self) -> bool {
        self.observation().is_some()
    }

    pub(crate) fn observed_since(&self) -> Option<Instant> {
        self.observation().map(|observation| observation.since)
    }

    pub(crate) fn observed_since_mut(&mut self) -> Option<&mut Instant> {
        self.observation_mut().map(|observation| &mut observation.since)
    }

    pub(crate) fn spans(&self) -> Option<&Spans> {
        self.observation().map(|observation| &observation.spans)
    }

    pub(crate) fn spans_mut(&mut self) -> Option<&mut Spans> {
        self.observation_mut().map(|observation| &mut observation.spans)
    }

    pub(crate) fn connections(&self) -> Option<&ConnectionLog> {
        self.observation().map(|observation| &observation.connections)
    }

    /// Enters the span of the attempt, and makes the attempt the one that connection events belong to, until the guard is dropped.
    #[inline]
    pub(crate) fn enter(&self) -> Option<EnteredAttempt<'_>> {
        // Known when the library is compiled, so that a call is not looked at for nothing.
        if !spans::ENABLED && !connections::ENABLED {
            return None;
        }
        self.0.as_ref().and_then(|inner| enter(inner))
    }

    #[inline]
    fn observation(&self) -> Option<&Observation> {
        self.0.as_ref()?.observation.as_deref()
    }

    fn observation_mut(&mut self) -> Option<&mut Observation> {
        self.0.as_mut()?.as_mut().project().observation.as_deref_mut()
    }
}

#[inline(never)]
fn allocate() -> Pin<Box<Inner>> {
    Box::pin(Inner {
        timer: TokioTimer::default(),
        observation: None,
        number: 1,
        paid: 0,
        phase: Phase::Idle,
        flags: 0,
    })
}

/// An attempt while it is polled.
#[allow(dead_code, reason = "the guards restore on drop")]
pub(crate) struct EnteredAttempt<'a> {
    span: spans::Entered<'a>,
    attempt: AttemptScope,
}

#[cold]
#[inline(never)]
fn enter(inner: &Inner) -> Option<EnteredAttempt<'_>> {
    let Observation { spans, connections, .. } = inner.observation.as_deref()?;
    Some(EnteredAttempt { span: spans.enter(), attempt: connections.enter(inner.number) })
}

impl SharedTimer for CallState {
    #[inline]
    fn timer(&mut self) -> Pin<&mut TokioTimer> {
        self.inner().project().timer
    }

    fn existing_timer(&self) -> Option<&TokioTimer> {
        self.0.as_ref().map(|inner| &inner.timer)
    }
}

/// Keeps the drop of the box, which seldom exists, out of the code of calls that succeed.
impl Drop for CallState {
    #[inline]
    fn drop(&mut self) {
        if let Some(inner) = self.0.take() {
            deallocate(inner);
        }
    }
}

#[cold]
#[inline(never)]
fn deallocate(inner: Pin<Box<Inner>>) {
    drop(inner);
}

impl fmt::Debug for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallState").field(&self.exists()).finish()
    }
}
