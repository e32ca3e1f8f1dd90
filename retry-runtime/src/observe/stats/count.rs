//! Where calls are counted, for whoever asks: nobody without the features `metrics` and `report`.

#[cfg(any(feature = "metrics", feature = "report"))]
pub(crate) use on::*;

#[cfg(not(any(feature = "metrics", feature = "report")))]
pub(crate) use off::*;

#[cfg(any(feature = "metrics", feature = "report"))]
mod on {
    use crate::classify::class::Failure;
    use crate::engine::call::Call;
    use crate::engine::decide::Next;
    use crate::engine::state::{CallState, Phase};
    use crate::observe::stats::tally::CallStats;
    #[cfg(feature = "reqwest")]
    use crate::observe::stats::tally::NamedStats;

    /// Where a call is counted that has a tally of its own.
    pub(crate) type Own = Option<&'static CallStats>;

    /// A call succeeded with its first attempt.
    #[inline(always)]
    pub(crate) fn at_once(call: &impl Call) {
        call.counted().at_once();
    }

    /// The same of a request: until it fails, it has no executor.
    #[cfg(feature = "reqwest")]
    #[inline(always)]
    pub(crate) fn request_at_once(name: &str) {
        NamedStats::by_name(name).at_once();
    }

    /// A call succeeded of which more is kept.
    pub(crate) fn succeeded(state: &CallState, call: &dyn Call) {
        match state.number() {
            _ if state.phase() == Phase::Ended => {}
            1 => call.counted().at_once(),
            number => call.counted().recovered(number),
        }
    }

    /// The attempt of this number failed, and this follows.
    pub(crate) fn failed(number: u32, call: &dyn Call, failure: Failure, next: Next) {
        call.counted().failed(number, failure, next);
    }

    /// A call was dropped. In its first attempt it is not counted: where nobody listens, there is nothing yet to tell.
    pub(crate) fn cancelled(state: &CallState, call: &dyn Call) {
        if state.number() > 1 {
            call.counted().cancelled(state.number() - 1);
        }
    }
}

#[cfg(not(any(feature = "metrics", feature = "report")))]
mod off {
    use crate::classify::class::Failure;
    use crate::engine::call::Call;
    use crate::engine::decide::Next;
    use crate::engine::state::CallState;

    pub(crate) type Own = ();

    #[inline(always)]
    pub(crate) fn at_once(_: &impl Call) {}
    #[cfg(feature = "reqwest")]
    #[inline(always)]
    pub(crate) fn request_at_once(_: &str) {}
    #[inline(always)]
    pub(crate) fn succeeded(_: &CallState, _: &dyn Call) {}
    #[inline(always)]
    pub(crate) fn failed(_: u32, _: &dyn Call, _: Failure, _: Next) {}
    #[inline(always)]
    pub(crate) fn cancelled(_: &CallState, _: &dyn Call) {}
}
