//! Where calls are counted, for whoever asks: nobody without the features `metrics` and `report`.

#[cfg(any(feature = "metrics", feature = "report"))]
pub(crate) use on::*;

#[cfg(not(any(feature = "metrics", feature = "report")))]
pub(crate) use off::*;

#[cfg(any(feature = "metrics", feature = "report"))]
mod on {
    use crate::Failure;
    use crate::call::Call;
    use crate::engine::Next;
    use crate::rare::{Phase, Rare};
    #[cfg(feature = "reqwest")]
    use crate::tally::Counted;
    use crate::tally::Tally;

    /// Where a call is counted that has a tally of its own.
    pub(crate) type Own = Option<&'static Tally>;

    /// A call succeeded with its first attempt.
    #[inline(always)]
    pub(crate) fn at_once(call: &impl Call) {
        call.counted().at_once();
    }

    /// The same of a request: until it fails, it has no executor.
    #[cfg(feature = "reqwest")]
    #[inline(always)]
    pub(crate) fn request_at_once(name: &str) {
        Counted::by_name(name).at_once();
    }

    /// A call succeeded of which more is kept.
    pub(crate) fn succeeded(rare: &Rare, call: &dyn Call) {
        match rare.number() {
            _ if rare.phase() == Phase::Ended => {}
            1 => call.counted().at_once(),
            number => call.counted().recovered(number),
        }
    }

    /// The attempt of this number failed, and this follows.
    pub(crate) fn failed(number: u32, call: &dyn Call, failure: Failure, next: Next) {
        call.counted().failed(number, failure, next);
    }

    /// A call was dropped. In its first attempt it is not counted: where nobody listens, there is nothing yet to tell.
    pub(crate) fn cancelled(rare: &Rare, call: &dyn Call) {
        if rare.number() > 1 {
            call.counted().cancelled(rare.number() - 1);
        }
    }
}

#[cfg(not(any(feature = "metrics", feature = "report")))]
mod off {
    use crate::Failure;
    use crate::call::Call;
    use crate::engine::Next;
    use crate::rare::Rare;

    pub(crate) type Own = ();

    #[inline(always)]
    pub(crate) fn at_once(_: &impl Call) {}
    #[cfg(feature = "reqwest")]
    #[inline(always)]
    pub(crate) fn request_at_once(_: &str) {}
    #[inline(always)]
    pub(crate) fn succeeded(_: &Rare, _: &dyn Call) {}
    #[inline(always)]
    pub(crate) fn failed(_: u32, _: &dyn Call, _: Failure, _: Next) {}
    #[inline(always)]
    pub(crate) fn cancelled(_: &Rare, _: &dyn Call) {}
}
