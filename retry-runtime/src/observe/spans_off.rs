//! The empty twin of `spans.rs`, without the feature `tracing`.

use core::sync::atomic::AtomicBool;

use crate::observe::event::Event;
use crate::policy::event_level::EventLevel;

pub(crate) const ENABLED: bool = false;

/// The spans of a call: none.
#[derive(Debug)]
pub(crate) struct Spans;

impl Spans {
    pub(crate) const fn none() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn start(&mut self, _: &str, _: u32, _: EventLevel) {}

    #[inline(always)]
    pub(crate) fn send_requests(&mut self) {}

    #[inline(always)]
    pub(crate) fn end_attempt(&mut self) {}

    #[inline(always)]
    pub(crate) fn enter(&self) -> Entered<'_> {
        Entered(core::marker::PhantomData)
    }

    #[inline(always)]
    pub(crate) fn enter_call(&self) -> Entered<'_> {
        Entered(core::marker::PhantomData)
    }
}

/// The span of an attempt or of a call, while it is entered.
pub(crate) struct Entered<'a>(core::marker::PhantomData<&'a Spans>);

#[inline(always)]
pub(crate) const fn is_enabled() -> bool {
    false
}

#[inline(always)]
pub(crate) const fn is_logged() -> bool {
    false
}

#[inline(always)]
pub(crate) fn emit(_: Option<&Spans>, _: EventLevel, _: bool, _: &Event<'_>) {}

#[inline(always)]
pub(crate) fn warn_once(_: &AtomicBool, _: &str, _: EventLevel, _: core::fmt::Arguments<'_>) {}
