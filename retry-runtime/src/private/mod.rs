//! The only door for generated code. Nothing in here is stable.
//!
//! [`Classify`] finds out about a type without a bound on it: each level has methods with a `where` clause, and
//! dereferences to the next level, so that method lookup takes the first level whose clause holds. It works inside
//! generic functions, with the bounds that are in scope there.

use core::any::type_name;
use core::fmt::{self, Debug, Display};
use core::marker::PhantomData;
use core::ops::{Deref, RangeInclusive};
use core::time::Duration;
use std::error::Error;

mod required;

pub use self::required::*;
pub use crate::__tally as tally;
use crate::classify::chain;
use crate::classify::class::{Class, Failure, Retryable};
pub use crate::classify::condition::Classification;
use crate::classify::condition::Condition;
pub use crate::classify::outcome::ResultLike;
use crate::classify::timed_out::FromTimedOut;
pub use crate::engine::macro_call::{CallSpec, MacroCall, WhereCounted};
pub use crate::engine::pause::DropOutcome;
pub use crate::engine::time_limit::{Limited, ScopedOnly, Unlimited, limited};
pub use crate::load::breaker::{EachCopy, MaybeProbe, Pass, maybe_probe, maybe_probe_blocking, not_made};
pub use crate::load::copies::{HedgeOutcome, Hedged};
use crate::observe::reason;
#[cfg(any(feature = "metrics", feature = "report"))]
pub use crate::observe::stats::tally::Counters;
pub use borrowed::{ErrorObject, Lifetimes, MayBorrow};
pub use sleep::AsyncSleep;

mod borrowed;
mod sleep;

/// What is known of an outcome, at the first level that fits.
#[derive(Debug)]
pub struct Classify<'a, O>(BoxedError<'a, O>);
#[derive(Debug)]
pub struct BoxedError<'a, O>(PlainError<'a, O>);
#[derive(Debug)]
pub struct PlainError<'a, O>(ValueOnly<'a, O>);
#[derive(Debug)]
pub struct ValueOnly<'a, O>(Unclassified<'a, O>);
#[derive(Debug)]
pub struct Unclassified<'a, O>(NotAnOutcome<'a, O>);
#[derive(Debug)]
pub struct NotAnOutcome<'a, O>(&'a O);

impl<'a, O: ResultLike> Classify<'a, O> {
    #[inline(always)]
    pub fn new(outcome: &'a O) -> Self {
        Self(BoxedError(PlainError(ValueOnly(Unclassified(NotAnOutcome(outcome))))))
    }
}

/// [`Classify::new`] with the type written out, for the error of what is no outcome to point at it.
#[inline(always)]
pub fn classify<O: ResultLike>(outcome: &O) -> Classify<'_, O> {
    Classify::new(outcome)
}

macro_rules! levels {
    ($($level:ident => $next:ident),*) => {$(
        impl<'a, O> Deref for $level<'a, O> {
            type Target = $next<'a, O>;
            #[inline(always)]
            fn deref(&self) -> &$next<'a, O> {
                &self.0
            }
        }
    )*};
}
levels!(Classify => BoxedError, BoxedError => PlainError, PlainError => ValueOnly, ValueOnly => Unclassified, Unclassified => NotAnOutcome);

impl<'a, O> NotAnOutcome<'a, O> {
    /// The outcome; every level reaches it.
    #[inline(always)]
    fn get(&self) -> &'a O {
        self.0
    }
}

/// An error by itself, without the outcome around it.
#[derive(Debug)]
pub struct Alone<'a, E>(pub &'a E);

impl<E> ResultLike for Alone<'_, E> {
    type Value = ();
    type Error = E;
    fn value(&self) -> Option<&()> {
        None
    }
    fn error(&self) -> Option<&E> {
        Some(self.0)
    }
    fn into_value(self) -> Option<()> {
        None
    }
}

/// What the error knows: by its own type …
impl<O: ResultLike<Error: Retryable>> Classify<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(Failure::of)
    }
}

/// … by the search along the chain of a boxed error of any crate, such as `anyhow::Error` …
impl<O: ResultLike<Error: Deref<Target = dyn Error + Send + Sync>>> BoxedError<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(|error| chain::search(&**error))
    }
}

/// … by the search along its sources …
impl<O: ResultLike<Error: Error>> PlainError<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(|error| chain::search_sources(error))
    }
}

/// … or nothing.
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(|_| Failure::new(Class::Unknown))
    }
}

/// The `Failure` of an answer, by its own type, or none. Errors that borrow reach this level too.
impl<O: ResultLike<Value: Retryable>> ValueOnly<'_, O> {
    #[inline(always)]
    pub fn __value(&self) -> Option<Failure> {
        self.get().value().map(Failure::of)
    }
}
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __value(&self) -> Option<Failure> {
        None
    }
}

/// Whether there is nothing to decide: a success of a type that has nothing to say.
impl<O: ResultLike<Value: Retryable>> ValueOnly<'_, O> {
    #[inline(always)]
    pub fn __is_plain_success(&self) -> bool {
        false
    }
}
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __is_plain_success(&self) -> bool {
        self.get().error().is_none()
    }
}

/// The text of an error: its chain of sources where it has one, else its `Display`, else its `Debug`, else its type's name.
impl<'a, O: ResultLike<Error: Error>> Classify<'a, O> {
    #[inline(always)]
    pub fn __reason(&self) -> Reason<'a, O, Chained> {
        Reason(self.get(), Chained)
    }
}
impl<'a, O: ResultLike<Error: Deref<Target = dyn Error + Send + Sync>>> BoxedError<'a, O> {
    #[inline(always)]
    pub fn __reason(&self) -> Reason<'a, O, Boxed> {
        Reason(self.get(), Boxed)
    }
}
impl<'a, O: ResultLike<Error: Display>> PlainError<'a, O> {
    #[inline(always)]
    pub fn __reason(&self) -> Reason<'a, O, Shown> {
        Reason(self.get(), Shown)
    }
}
impl<'a, O: ResultLike<Error: Debug>> ValueOnly<'a, O> {
    #[inline(always)]
    pub fn __reason(&self) -> Reason<'a, O, Debugged> {
        Reason(self.get(), Debugged)
    }
}
impl<'a, O: ResultLike> Unclassified<'a, O> {
    #[inline(always)]
    pub fn __reason(&self) -> Reason<'a, O, Named> {
        Reason(self.get(), Named)
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Reason<'a, O, How>(&'a O, How);

/// A way to show an error. Nothing is shown of an answer: the engine has the words for that.
macro_rules! ways {
    ($($how:ident($($bound:tt)*): |$error:ident, $f:ident| $show:expr;)*) => {$(
        #[derive(Clone, Copy, Debug)]
        pub struct $how;

        impl<O: ResultLike<Error: $($bound)*>> Display for Reason<'_, O, $how> {
            fn fmt(&self, $f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.error().map_or(Ok(()), |$error| $show)
            }
        }
    )*};
}
ways! {
    Chained(Error): |error, f| reason::write_chain(error, f);
    Boxed(Deref<Target = dyn Error + Send + Sync>): |error, f| reason::write_chain(&**error, f);
    Object(ErrorObject): |error, f| reason::write_chain(error.object(), f);
    Shown(Display): |error, f| write!(f, "{error}");
    Debugged(Debug): |error, f| write!(f, "{error:?}");
    Named(Sized): |_error, f| f.write_str(type_name::<O::Error>());
}

/// How an outcome is put away before the next attempt.
#[cfg(feature = "http")]
impl<O: ResultLike<Value: crate::classify::clients::drain::Unread>> ValueOnly<'_, O> {
    #[inline(always)]
    pub fn __discard(&self) -> crate::classify::clients::drain::ReadToEnd {
        crate::classify::clients::drain::ReadToEnd
    }
}
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __discard(&self) -> DropOutcome {
        DropOutcome
    }
}

#[derive(Clone, Copy, Debug)]
pub struct WithOnOk;

/// Whether an answer can be asked for the server's delay where there is no `on_ok`: it is where it says itself that it
/// is to be tried again.
impl<O: ResultLike<Value: Retryable>> ValueOnly<'_, O> {
    #[inline(always)]
    pub fn __reads_delay(&self) -> ReadsDelay<O> {
        ReadsDelay(PhantomData)
    }
}
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __reads_delay(&self) -> NeverReadsDelay {
        NeverReadsDelay
    }
}

#[derive(Clone, Copy, Debug)]
pub struct ReadsDelay<O>(PhantomData<fn(O)>);
#[derive(Clone, Copy, Debug)]
pub struct NeverReadsDelay;

#[diagnostic::on_unimplemented(
    message = "`server_delay` is never asked: no answer of this function is tried again",
    label = "nothing is known of the answer in this type",
    note = "write `on_ok`, or implement `retry_runtime::Retryable` for the answer; an error tells its delay by `Retryable::server_delay`"
)]
pub trait ReadsServerDelay<Tag> {}
#[diagnostic::do_not_recommend]
impl<O> ReadsServerDelay<ReadsDelay<O>> for O {}
/// Were there only one implementation, rustc would infer the tag from it, and complain of the tag that it is given.
#[diagnostic::do_not_recommend]
impl<O> ReadsServerDelay<WithOnOk> for O {}

/// The error of a `server_delay` that is never asked.
#[inline(always)]
pub fn require_server_delay_is_read<O: ReadsServerDelay<Tag>, Tag>(_: Tag) {}

/// The type of a constant in `on_status`.
#[diagnostic::on_unimplemented(
    message = "expected a status: a constant of type `u16` or `http::StatusCode`",
    label = "`{Self}` is not a status",
    note = "`http::StatusCode` is a status with the feature `http` of `retry-runtime`, or one that includes it, such as `reqwest`"
)]
pub trait StatusConstant {}

/// A constant in `on_status`. A trait has no constant methods, so each type has its own.
#[derive(Debug)]
pub struct Code<T>(Constant<T>);
#[derive(Debug)]
pub struct Constant<T>(T);

impl<T> Code<T> {
    #[inline(always)]
    pub const fn new(constant: T) -> Self {
        Self(Constant(constant))
    }
}

impl Code<u16> {
    #[inline(always)]
    pub const fn __code(&self) -> u16 {
        self.0.0
    }
}
#[cfg(feature = "http")]
impl Code<http::StatusCode> {
    #[inline(always)]
    pub const fn __code(&self) -> u16 {
        self.0.0.as_u16()
    }
}

impl<T> Deref for Code<T> {
    type Target = Constant<T>;
    fn deref(&self) -> &Constant<T> {
        &self.0
    }
}

/// A type without a method of its own: the bound, which nothing fulfils, is the error.
impl<T: Sized> Constant<T> {
    #[rustfmt::skip]
    pub const fn __code(&self) -> u16 where T: StatusConstant { 0 }
}

/// A constant in `on_status`, which is written only once.
#[inline(always)]
pub const fn status(code: u16) -> RangeInclusive<u16> {
    code..=code
}

/// A range with a constant in `on_status`. rustc's own would show the user where the standard library makes it.
#[inline(always)]
pub const fn statuses(first: u16, last: u16) -> RangeInclusive<u16> {
    first..=last
}

/// What `#[retryable(status = field)]` names.
#[diagnostic::on_unimplemented(
    message = "expected a status: a field of type `u16`, or of a `Copy` type that implements `Into<u16>`",
    label = "`{Self}` is not a status"
)]
pub trait StatusField {
    fn status(&self) -> u16;
}
#[diagnostic::do_not_recommend]
impl<T: Copy + Into<u16>> StatusField for T {
    fn status(&self) -> u16 {
        (*self).into()
    }
}

/// The field that `#[retryable(server_delay = field)]` names.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a delay",
    label = "neither a `Duration` nor an `Option<Duration>`",
    note = "`server_delay = …` names a field of type `Duration` or `Option<Duration>`"
)]
pub trait DelayField {
    fn delay(&self) -> Option<Duration>;
}
#[diagnostic::do_not_recommend]
impl<T: Copy + Into<Option<Duration>>> DelayField for T {
    fn delay(&self) -> Option<Duration> {
        (*self).into()
    }
}

/// The status in a field.
pub fn status_in<T: StatusField>(field: &T) -> u16 {
    field.status()
}

/// The class of a variant whose status decides.
#[must_use]
pub fn class_of(status: Option<u16>) -> Class {
    status.map_or(Class::Unknown, Class::of_status)
}

/// The answers of the single methods of a derived error, for a variant without a source.
pub fn asked<R: Retryable + ?Sized>(error: &R) -> Failure {
    Failure::asked(error)
}

/// The delay in a field.
pub fn delay_in<T: DelayField>(field: &T) -> Option<Duration> {
    field.delay()
}

/// What the user asks. Methods that take the outcome first, so that the types of closures are inferred. All levels reach
/// them. A function of another signature cannot be cast to the object; a bound would name these methods in its error.
impl<O: ResultLike> Unclassified<'_, O> {
    /// `on_ok`.
    #[inline(always)]
    pub fn __refused(&self, predicate: &mut dyn FnMut(&O::Value) -> bool) -> bool {
        self.get().value().is_some_and(predicate)
    }

    /// `on_error`.
    #[inline(always)]
    pub fn __decided(&self, predicate: &mut dyn FnMut(&O::Error) -> bool) -> Option<bool> {
        self.get().error().map(predicate)
    }

    /// `server_delay`, asked of answers that are worth another attempt.
    #[inline]
    pub fn __delayed(
        &self,
        condition: &Condition,
        classification: Classification,
        read: &mut dyn FnMut(&O::Value) -> Option<Duration>,
    ) -> Classification {
        match self.get().value() {
            Some(value) if condition.wants_again(classification) => classification.server_delay(read(value)),
            _ => classification,
        }
    }
}

/// What is no outcome at all: the error of [`classify`] is to be the only one.
impl<O> NotAnOutcome<'_, O> {
    pub fn __is_plain_success(&self) -> bool {
        true
    }
    pub fn __value(&self) -> Option<Failure> {
        None
    }
    pub fn __error(&self) -> Option<Failure> {
        None
    }
    pub fn __reason(&self) -> &'static str {
        type_name::<O>()
    }
    pub fn __discard(&self) -> DropOutcome {
        DropOutcome
    }
    pub fn __refused<P>(&self, _: P) -> bool {
        false
    }
    pub fn __decided<P>(&self, _: P) -> Option<bool> {
        None
    }
    pub fn __reads_delay(&self) -> ReadsDelay<O> {
        ReadsDelay(PhantomData)
    }
    pub fn __delayed<P>(&self, _: &Condition, classification: Classification, _: P) -> Classification {
        classification
    }
}

/// Whether an attempt can be cut off, where only the run-time policy knows whether it is to be.
#[derive(Debug)]
pub struct Cutting<O>(MaybeCutting<O>);
#[derive(Debug)]
pub struct MaybeCutting<O>(PhantomData<fn() -> O>);

impl<O> Cutting<O> {
    #[inline(always)]
    pub const fn of() -> Self {
        Self(MaybeCutting(PhantomData))
    }
}

impl<O> Deref for Cutting<O> {
    type Target = MaybeCutting<O>;
    #[inline(always)]
    fn deref(&self) -> &MaybeCutting<O> {
        &self.0
    }
}

impl<O: FromTimedOut> Cutting<O> {
    #[inline(always)]
    pub fn __cut(&self) -> Limited<O> {
        limited()
    }
}
impl<O> MaybeCutting<O> {
    #[inline(always)]
    pub fn __cut(&self) -> ScopedOnly {
        ScopedOnly
    }
}
