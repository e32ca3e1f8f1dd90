//! What most calls never need: made by the first failure, or where somebody listens.

use core::fmt;
use core::pin::Pin;
#[cfg(feature = "tokio")]
use core::task::{Context, Poll};
#[cfg(feature = "tokio")]
use core::time::Duration;

use pin_project_lite::pin_project;

#[cfg(feature = "connection-events")]
use std::sync::Arc;

#[cfg(feature = "connection-events")]
use crate::context::connections::{self, AttemptHandle, ConnectionLog};
#[cfg(feature = "tracing")]
use crate::observe::spans::Spans;
use crate::util::clock::Instant;

/// One pointer: nothing, or what a failing or observed call needs.
pub struct CallState(Option<Pin<Box<Inner>>>);

pin_project! {
    /// 128 bytes with tokio's timer, which is most of it.
    struct Inner {
        #[pin]
        timer: Timer,
        // Apart, to keep a failing call to which nobody listens at its 128 bytes.
        watch: Option<Box<Watch>>,
        number: u32,
        // What the budget took for the retry that runs, or is about to.
        paid: u16,
        phase: Phase,
        // The last failure inside of the attempt that runs has had its retries.
        nested_exhausted: bool,
    }
}

#[cfg(feature = "tokio")]
type Timer = Option<tokio::time::Sleep>;
#[cfg(not(feature = "tokio"))]
type Timer = ();

/// What would be cancelled if the call were dropped now.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Phase {
    /// Nothing.
    Idle,
    Attempt,
    /// A pause, or the retry after it, until that starts.
    Pause,
    /// Nothing, and all has been said.
    Ended,
}

/// What is needed where somebody listens.
struct Watch {
    since: Instant,
    #[cfg(feature = "tracing")]
    spans: Spans,
    /// What happens on the wire, if a client is set up to tell.
    #[cfg(feature = "connection-events")]
    log: Arc<ConnectionLog>,
}

impl CallState {
    #[inline(always)]
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    #[inline(always)]
    pub(crate) fn exists(&self) -> bool {
        self.0.is_some()
    }

    #[inline(always)]
    fn inner(&mut self) -> Pin<&mut Inner> {
        self.0.get_or_insert_with(make).as_mut()
    }

    /// The number of the attempt that runs, or is about to.
    pub(crate) fn number(&self) -> u32 {
        self.0.as_ref().map_or(1, |inside| inside.number)
    }

    /// A pause, and then the next attempt, for which the budget took `paid`.
    #[inline(always)]
    pub(crate) fn count(&mut self, paid: u16) {
        let inside = self.inner().project();
        *inside.number = inside.number.saturating_add(1);
        *inside.paid = paid;
        *inside.phase = Phase::Pause;
        *inside.nested_exhausted = false;
    }

    /// What the budget took for the retry that runs, or is about to; `None` for a first attempt.
    pub(crate) fn paid(&self) -> Option<u16> {
        self.0.as_ref().filter(|inside| inside.number > 1).map(|inside| inside.paid)
    }

    /// Whether the last failure inside of the attempt that runs has had its retries.
    pub(crate) fn nested_exhausted(&self) -> bool {
        self.0.as_ref().is_some_and(|inside| inside.nested_exhausted)
    }

    pub(crate) fn set_nested_exhausted(&mut self, nested_exhausted: bool) {
        if nested_exhausted || self.exists() {
            *self.inner().project().nested_exhausted = nested_exhausted;
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.0.as_ref().map_or(Phase::Idle, |inside| inside.phase)
    }

    pub(crate) fn set_phase(&mut self, phase: Phase) {
        if let Some(inside) = &mut self.0 {
            *inside.as_mut().project().phase = phase;
        }
    }

    /// Somebody listens, so the time is taken.
    #[cold]
    pub(crate) fn watch(&mut self) {
        self.inner().project().watch.get_or_insert_with(|| {
            Box::new(Watch {
                since: Instant::now(),
                #[cfg(feature = "tracing")]
                spans: Spans::none(),
                #[cfg(feature = "connection-events")]
                log: Arc::default(),
            })
        });
    }

    #[inline(always)]
    pub(crate) fn is_watched(&self) -> bool {
        self.0.as_ref().is_some_and(|inside| inside.watch.is_some())
    }

    /// When somebody began to listen.
    pub(crate) fn watched_since(&self) -> Option<Instant> {
        self.0.as_ref()?.watch.as_ref().map(|watch| watch.since)
    }
}

#[cfg(feature = "testing")]
impl CallState {
    pub(crate) fn watched_since_mut(&mut self) -> Option<&mut Instant> {
        self.0.as_mut()?.as_mut().project().watch.as_mut().map(|watch| &mut watch.since)
    }
}

#[inline(never)]
fn make() -> Pin<Box<Inner>> {
    Box::pin(Inner {
        timer: Timer::default(),
        watch: None,
        number: 1,
        paid: 0,
        phase: Phase::Idle,
        nested_exhausted: false,
    })
}

#[cfg(feature = "tracing")]
impl CallState {
    pub(crate) fn spans(&self) -> Option<&Spans> {
        self.0.as_ref()?.watch.as_ref().map(|watch| &watch.spans)
    }

    pub(crate) fn spans_mut(&mut self) -> Option<&mut Spans> {
        self.0.as_mut()?.as_mut().project().watch.as_mut().map(|watch| &mut watch.spans)
    }
}

/// An attempt that is being polled, for whoever asks where it is.
#[cfg(any(feature = "tracing", feature = "connection-events"))]
pub(crate) struct Entered<'a> {
    #[cfg(feature = "tracing")]
    _span: tracing::span::Entered<'a>,
    #[cfg(feature = "connection-events")]
    _attempt: connections::EnteredAttempt,
    #[cfg(not(feature = "tracing"))]
    _watch: core::marker::PhantomData<&'a ()>,
}

#[cfg(any(feature = "tracing", feature = "connection-events"))]
impl CallState {
    /// Enters the attempt until the guard is dropped.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<Entered<'_>> {
        self.0.as_ref().and_then(|inside| enter(inside))
    }
}

#[cfg(any(feature = "tracing", feature = "connection-events"))]
#[cold]
#[inline(never)]
fn enter(inside: &Inner) -> Option<Entered<'_>> {
    let watch = inside.watch.as_ref()?;
    Some(Entered {
        #[cfg(feature = "tracing")]
        _span: watch.spans.enter(),
        #[cfg(feature = "connection-events")]
        _attempt: connections::EnteredAttempt::new(Some(AttemptHandle {
            log: watch.log.clone(),
            attempt: inside.number,
        })),
        #[cfg(not(feature = "tracing"))]
        _watch: core::marker::PhantomData,
    })
}

#[cfg(feature = "connection-events")]
impl CallState {
    /// What is written down of the wire.
    pub(crate) fn log(&self) -> Option<Arc<ConnectionLog>> {
        Some(self.0.as_ref()?.watch.as_ref()?.log.clone())
    }
}

#[cfg(feature = "tokio")]
impl CallState {
    /// Makes a new timer, in the same place. One that was made before may belong to a runtime that has been shut down, and tokio
    /// panics where such a timer is reset.
    #[inline(always)]
    pub(crate) fn arm(&mut self, delay: Duration) {
        self.inner().project().timer.set(Some(tokio::time::sleep(delay)));
    }

    #[inline(always)]
    pub(crate) fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner().project().timer.as_pin_mut().map_or(Poll::Ready(()), |sleep| sleep.poll(cx))
    }

    pub(crate) fn timer_is_over(&self) -> bool {
        let timer = self.0.as_ref().and_then(|inside| inside.timer.as_ref());
        timer.is_some_and(|sleep| Instant::now() >= sleep.deadline())
    }
}

/// Keeps the drop of a box that is seldom there out of the way of calls that succeed.
impl Drop for CallState {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(inside) = self.0.take() {
            discard(inside);
        }
    }
}

#[cold]
#[inline(never)]
fn discard(inside: Pin<Box<Inner>>) {
    drop(inside);
}

impl fmt::Debug for CallState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rare").field(&self.exists()).finish()
    }
}
