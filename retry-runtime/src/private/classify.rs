//! Classification of an outcome of any type, without a trait bound on it.
//!
//! [`Classify`] has methods with a `where` clause. It dereferences to the next level, which has the same methods with
//! another clause. Method lookup takes the first level whose clause holds. That also works inside generic functions, with
//! the bounds that are in scope there. A trait could not do the same, because its implementations would overlap. Several
//! traits, between which method lookup chooses by the number of references, would have to be in scope in the user's
//! function. Inherent methods need no import.
//!
//! The methods begin with `__`, because a user's trait for all types may have a method of any other name, which method lookup
//! would find first.

use crate::private::error_object::ErrorObject;
use core::any::type_name;
use core::fmt::{self, Debug, Display};
use core::marker::PhantomData;
use core::ops::Deref;
use core::time::Duration;
use std::error::Error;

use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::condition::Condition;
use crate::classify::drain::DropOutcome;
use crate::classify::failure::Failure;
use crate::classify::result_like::ResultLike;
use crate::classify::retryable::Retryable;
use crate::classify::search::search;
use crate::classify::verdict::Classification;
use crate::observe::reason;

/// Classifies an outcome at the first level that fits.
#[derive(Debug)]
pub struct Classify<'a, O>(pub(super) BoxedError<'a, O>);
#[derive(Debug)]
pub struct BoxedError<'a, O>(pub(super) PlainError<'a, O>);
#[derive(Debug)]
pub struct PlainError<'a, O>(pub(super) ValueOnly<'a, O>);
#[derive(Debug)]
pub struct ValueOnly<'a, O>(pub(super) Unclassified<'a, O>);
#[derive(Debug)]
pub struct Unclassified<'a, O>(pub(super) NotAnOutcome<'a, O>);
#[derive(Debug)]
pub struct NotAnOutcome<'a, O>(pub(super) &'a O);

impl<'a, O: ResultLike> Classify<'a, O> {
    #[inline(always)]
    pub fn new(outcome: &'a O) -> Self {
        Self(BoxedError(PlainError(ValueOnly(Unclassified(NotAnOutcome(outcome))))))
    }
}

/// [`Classify::new`] as a function whose type argument generated code writes out, so that the compile error for a type that
/// cannot be an outcome points at the type.
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
    /// The outcome. This is the last level, so every level has this method.
    #[inline(always)]
    pub(super) fn get(&self) -> &'a O {
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

/// The classification of the error. First level: its type implements [`Retryable`].
impl<O: ResultLike<Error: Retryable>> Classify<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(Failure::of)
    }
}

/// Second level: a boxed error of any crate, such as `anyhow::Error`, by the search along its chain.
impl<O: ResultLike<Error: Deref<Target = dyn Error + Send + Sync>>> BoxedError<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(|error| search(&**error))
    }
}

/// Third level: any other [`Error`], by the search along its sources.
impl<O: ResultLike<Error: Error>> PlainError<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(|error| chain::search_sources(error))
    }
}

/// Last level: any other type, which cannot be classified.
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __error(&self) -> Option<Failure> {
        self.get().error().map(|_| Failure::new(Class::Unknown))
    }
}

/// The `Failure` of a value, if its type implements [`Retryable`]. At this level, because errors that borrow start here.
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

/// True for a value whose type is not [`Retryable`]: without `on_ok`, it is certainly a success.
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

/// The text of an error: with its sources if it is an [`Error`], else its `Display`, else its `Debug`, else the name of its
/// type.
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
pub struct Reason<'a, O, How>(pub(super) &'a O, pub(super) How);

/// The ways to write the text of an error. For a value nothing is written, because the engine has the text for that.
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

/// The way to discard an outcome before the next attempt: a response is drained, anything else is dropped.
#[cfg(feature = "http")]
impl<O: ResultLike<Value: crate::classify::clients::body::Undrained>> ValueOnly<'_, O> {
    #[inline(always)]
    pub fn __discard(&self) -> crate::classify::clients::body::DrainOutcome {
        crate::classify::clients::body::DrainOutcome
    }
}
impl<O: ResultLike> Unclassified<'_, O> {
    #[inline(always)]
    pub fn __discard(&self) -> DropOutcome {
        DropOutcome
    }
}

/// A tag for the second implementation of each requirement. With a single implementation, rustc would infer the tag from
/// it, and then report a mismatch with the tag that the method returns instead of the message of the trait.
#[derive(Clone, Copy, Debug)]
pub struct WithOnOk;

/// The tag that tells whether `server_delay` is ever called without `on_ok`. It is called only for values that are retried, and
/// without `on_ok` those are values whose type is [`Retryable`].
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
    message = "`server_delay` has no effect: a value of this function is never retried",
    label = "the value in this type cannot be classified as a failure",
    note = "write `on_ok`, or implement `retry_runtime::Retryable` for the value; the delay of an error is read from `Retryable::server_delay`"
)]
pub trait ReadsServerDelay<Tag> {}
#[diagnostic::do_not_recommend]
impl<O> ReadsServerDelay<ReadsDelay<O>> for O {}
/// The second implementation: see [`WithOnOk`].
#[diagnostic::do_not_recommend]
impl<O> ReadsServerDelay<WithOnOk> for O {}

/// Makes a `server_delay` that is never called a compile error.
#[inline(always)]
pub fn require_server_delay_is_read<O: ReadsServerDelay<Tag>, Tag>(_: Tag) {}

/// Calls of the user's closures and functions. Every level reaches these methods, and the outcome's type is known before
/// the closure, so the types of its parameters are inferred.
///
/// The closures are taken as `&mut dyn FnMut`, not by a bound. For a function with another signature, rustc then reports a
/// mismatch at the user's function. The error of a bound would also name these methods, which the user did not write.
impl<O: ResultLike> Unclassified<'_, O> {
    /// Calls `on_ok`. Returns true if it retries the value.
    #[inline(always)]
    pub fn __refused(&self, predicate: &mut dyn FnMut(&O::Value) -> bool) -> bool {
        self.get().value().is_some_and(predicate)
    }

    /// Calls `on_error`. Returns `None` for a value.
    #[inline(always)]
    pub fn __decided(&self, predicate: &mut dyn FnMut(&O::Error) -> bool) -> Option<bool> {
        self.get().error().map(predicate)
    }

    /// Calls `server_delay`, if the outcome is a value that is to be retried.
    #[inline]
    pub fn __delayed(
        &self,
        condition: &Condition,
        classification: Classification,
        read: &mut dyn FnMut(&O::Value) -> Option<Duration>,
    ) -> Classification {
        match self.get().value() {
            Some(value) if condition.is_retried(classification) => classification.server_delay(read(value)),
            _ => classification,
        }
    }
}

/// The methods for a type that cannot be an outcome. They compile for every type, so that the error of [`classify`] is the
/// only one.
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
