//! Classification of an outcome of any type, without a trait bound on it.
//!
//! Generated code chooses three things by the types of an outcome, one after the other: how its value is classified, how its error is
//! classified, and how the error is described.
//!
//! ```text
//! classify::<Result<T, E>>(&outcome).__step().__step().__step()
//! Probe<O>  ─►  WithValue<O, V>  ─►  WithError<O, V, E>  ─►  Kind<O, V, E, T>
//! ```
//!
//! Each `__step` has several implementations with different bounds. Method lookup takes the first whose bound holds, in the
//! order in which it tries receivers: the inherent method, then the traits [`ByValue`], [`ByRef`] and [`ByMut`], then what is behind
//! `Deref`. That also works inside generic functions, with the bounds that are in scope there. A single trait could not do the same,
//! because its implementations would overlap. Levels that all dereference to each other would need no import of traits in the user's
//! function, but take rustc three times as long: it looks at all levels for each method.
//!
//! None of this exists at run time: all of these types are zero-sized.

use core::any::type_name;
use core::fmt::{self, Debug, Display};
use core::marker::PhantomData;
use core::ops::Deref;
use std::error::Error;

use crate::classify::chain;
use crate::classify::class::Class;
use crate::classify::condition::Condition;
use crate::classify::drain::{Cleanup, DrainLimits, NoCleanup};
use crate::classify::failure::Failure;
use crate::classify::outcome_kind::OutcomeKind;
use crate::classify::result_like::ResultLike;
use crate::classify::retryable::Retryable;
use crate::classify::search::search;
use crate::classify::verdict::Classification;
use crate::observe::reason;
use crate::private::error_object::ErrorObject;

macro_rules! zero_sized {
    ($($(#[$doc:meta])* $name:ident<$($parameter:ident $(= $default:ty)?),*>;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<$($parameter $(= $default)?),*>(PhantomData<fn($($parameter),*)>);

        impl<$($parameter),*> $name<$($parameter),*> {
            #[inline]
            pub(super) const fn known() -> Self {
                Self(PhantomData)
            }
        }
        impl<$($parameter),*> Clone for $name<$($parameter),*> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<$($parameter),*> Copy for $name<$($parameter),*> {}
    )*};
}
zero_sized! {
    /// The start, before anything is chosen. `B` is [`Owned`], or [`Borrowed`] if the error is an error object that borrows.
    Probe<O, B = Owned>;
    /// The value is known.
    WithValue<O, V, B>;
    /// The value and the error are known.
    WithError<O, V, E>;
    /// The value and the error are known, and the error has no text.
    WithoutText<O, V>;
    /// The type is not an outcome. The other steps work all the same, so that the error of [`classify`] is the only one.
    NotAnOutcome<O>;
    /// Everything is known. This is the `OutcomeKind` of an annotated function without predicates.
    Kind<O, V, E, T>;
}

/// The first question, about the value and the error. Generated code writes the type argument out, so that the compile error for a
/// type that cannot be an outcome points at the type.
#[inline]
pub fn classify<O: ResultLike>(_: &O) -> Probe<O> {
    Probe::known()
}

/// Requires an outcome, for [`verdict!`](crate::verdict). The error for another type points at the argument.
#[inline]
pub fn outcome<O: ResultLike>(outcome: &O) -> &O {
    outcome
}

/// [`classify`] after [`outcome`].
#[inline]
pub fn probe<O>(_: &O) -> Probe<O> {
    Probe::known()
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

/// The second level of a question: tried after the inherent method.
pub trait ByValue {
    type Next;
    fn __step(self) -> Self::Next;
}
/// The third level.
pub trait ByRef {
    type Next;
    fn __step(&self) -> Self::Next;
}
/// The last level.
pub trait ByMut {
    type Next;
    fn __step(&mut self) -> Self::Next;
}

macro_rules! levels {
    ($($(#[$doc:meta])* $level:ident($($this:tt)+) [$($generics:tt)*] $from:ty => $to:ty;)*) => {$(
        $(#[$doc])*
        impl<$($generics)*> $level for $from {
            type Next = $to;
            #[inline]
            fn __step($($this)+) -> $to {
                <$to>::known()
            }
        }
    )*};
}
macro_rules! first_levels {
    ($($(#[$doc:meta])* [$($generics:tt)*] $from:ty => $to:ty;)*) => {$(
        $(#[$doc])*
        impl<$($generics)*> $from {
            #[inline]
            pub fn __step(self) -> $to {
                <$to>::known()
            }
        }
    )*};
}

/// The outcome owns its error, or the error is not an error object.
#[derive(Clone, Copy, Debug)]
pub struct Owned;
/// The error is an error object that borrows.
#[derive(Clone, Copy, Debug)]
pub struct Borrowed;

/// A response: its type is [`Retryable`], and its body is drained.
#[derive(Clone, Copy, Debug)]
pub struct Response;
/// A value whose type is [`Retryable`].
#[derive(Clone, Copy, Debug)]
pub struct Described;
/// Any other value: without `on_ok`, it is certainly a success.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

#[cfg(feature = "http")]
first_levels! {
    [O: ResultLike<Value: Retryable + crate::classify::clients::body::Undrained>, B] Probe<O, B> => WithValue<O, Response, B>;
}
levels! {
    ByValue(self) [O: ResultLike<Value: Retryable>, B] Probe<O, B> => WithValue<O, Described, B>;
    ByRef(&self) [O: ResultLike, B] Probe<O, B> => WithValue<O, Plain, B>;
    ByMut(&mut self) [O, B] Probe<O, B> => NotAnOutcome<O>;
}

/// An error whose type is [`Retryable`].
#[derive(Clone, Copy, Debug)]
pub struct Classified;
/// A boxed error of any crate, such as `anyhow::Error`, which is searched along its chain.
#[derive(Clone, Copy, Debug)]
pub struct Boxed;
/// Any other [`Error`], which is searched along its sources.
#[derive(Clone, Copy, Debug)]
pub struct OfSources;
/// An error object that borrows. It cannot be downcast itself, so only its sources are searched.
#[derive(Clone, Copy, Debug)]
pub struct Object;
/// An error that cannot be classified.
#[derive(Clone, Copy, Debug)]
pub struct Unclassified;

first_levels! {
    [O: ResultLike<Error: Retryable>, V] WithValue<O, V, Owned> => WithError<O, V, Classified>;
    [O, V] WithValue<O, V, Borrowed> => WithError<O, V, Object>;
}
levels! {
    ByValue(self) [O: ResultLike<Error: Deref<Target = dyn Error + Send + Sync>>, V] WithValue<O, V, Owned> => WithError<O, V, Boxed>;
    ByRef(&self) [O: ResultLike<Error: Error>, V] WithValue<O, V, Owned> => WithError<O, V, OfSources>;
    ByMut(&mut self) [O, V] WithValue<O, V, Owned> => WithError<O, V, Unclassified>;
}

/// The text of an error with its sources.
#[derive(Clone, Copy, Debug)]
pub struct Chained;
/// Its `Display`.
#[derive(Clone, Copy, Debug)]
pub struct Displayed;
/// Its `Debug`.
#[derive(Clone, Copy, Debug)]
pub struct Debugged;
/// The name of its type.
#[derive(Clone, Copy, Debug)]
pub struct Named;

first_levels! {
    [O, V] WithError<O, V, Boxed> => Kind<O, V, Boxed, Boxed>;
    [O, V] WithError<O, V, OfSources> => Kind<O, V, OfSources, Chained>;
    [O, V] WithError<O, V, Object> => Kind<O, V, Object, Object>;
    [O: ResultLike<Error: Error>, V] WithError<O, V, Classified> => Kind<O, V, Classified, Chained>;
    [O: ResultLike<Error: Display>, V] WithError<O, V, Unclassified> => Kind<O, V, Unclassified, Displayed>;
}
levels! {
    ByValue(self) [O: ResultLike<Error: Deref<Target = dyn Error + Send + Sync>>, V] WithError<O, V, Classified> => Kind<O, V, Classified, Boxed>;
    ByRef(&self) [O: ResultLike<Error: Display>, V] WithError<O, V, Classified> => Kind<O, V, Classified, Displayed>;
    ByMut(&mut self) [O: ResultLike<Error: Debug>, V] WithError<O, V, Classified> => Kind<O, V, Classified, Debugged>;
    ByValue(self) [O: ResultLike<Error: Debug>, V] WithError<O, V, Unclassified> => Kind<O, V, Unclassified, Debugged>;
    ByRef(&self) [O, V] WithError<O, V, Unclassified> => Kind<O, V, Unclassified, Named>;
}

/// A fifth level, for errors that are [`Classified`] and have no text.
impl<O, V> Deref for WithError<O, V, Classified> {
    type Target = WithoutText<O, V>;
    #[inline]
    fn deref(&self) -> &WithoutText<O, V> {
        const { &WithoutText::known() }
    }
}
impl<O, V> WithoutText<O, V> {
    /// The last level.
    #[inline]
    pub fn __step(&self) -> Kind<O, V, Classified, Named> {
        Kind::known()
    }
}

/// The classification of a value.
pub trait ValueKind<O: ResultLike> {
    const IS_PLAIN: bool = false;
    type Cleanup: Cleanup;
    fn failure(value: &O::Value) -> Option<Failure>;
    fn discard(outcome: O, limits: DrainLimits) -> Self::Cleanup;
}

#[cfg(feature = "http")]
impl<O: ResultLike<Value: Retryable + crate::classify::clients::body::Undrained>> ValueKind<O> for Response {
    type Cleanup = crate::classify::drain::DrainBody;
    #[inline]
    fn failure(value: &O::Value) -> Option<Failure> {
        Some(Failure::of(value))
    }
    #[inline]
    fn discard(outcome: O, limits: DrainLimits) -> Self::Cleanup {
        crate::classify::clients::body::drain(outcome, limits)
    }
}
impl<O: ResultLike<Value: Retryable>> ValueKind<O> for Described {
    type Cleanup = NoCleanup;
    #[inline]
    fn failure(value: &O::Value) -> Option<Failure> {
        Some(Failure::of(value))
    }
    #[inline]
    fn discard(_: O, _: DrainLimits) -> NoCleanup {
        NoCleanup
    }
}
impl<O: ResultLike> ValueKind<O> for Plain {
    const IS_PLAIN: bool = true;
    type Cleanup = NoCleanup;
    #[inline]
    fn failure(_: &O::Value) -> Option<Failure> {
        None
    }
    #[inline]
    fn discard(_: O, _: DrainLimits) -> NoCleanup {
        NoCleanup
    }
}

/// The classification of an error.
pub trait ErrorKind<O: ResultLike> {
    fn failure(error: &O::Error) -> Failure;
}

/// How an error is described. Nothing is written for a value, because the engine has the text for that.
pub trait TextKind<O: ResultLike> {
    fn write(error: &O::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

macro_rules! errors {
    ($($kind:ident [$($bound:tt)*]: |$error:ident| $failure:expr;)*) => {$(
        impl<O: ResultLike<Error: $($bound)*>> ErrorKind<O> for $kind {
            #[inline]
            fn failure($error: &O::Error) -> Failure {
                $failure
            }
        }
    )*};
}
errors! {
    Classified [Retryable]: |error| Failure::of(error);
    Boxed [Deref<Target = dyn Error + Send + Sync>]: |error| search(&**error);
    OfSources [Error]: |error| chain::search_sources(error);
    Object [ErrorObject]: |error| chain::search_sources(error.object());
    Unclassified [Sized]: |_error| Failure::new(Class::Unknown);
}

macro_rules! texts {
    ($($kind:ident [$($bound:tt)*]: |$error:ident, $f:ident| $write:expr;)*) => {$(
        impl<O: ResultLike<Error: $($bound)*>> TextKind<O> for $kind {
            fn write($error: &O::Error, $f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $write
            }
        }
    )*};
}
texts! {
    Chained [Error]: |error, f| reason::write_chain(error, f);
    Boxed [Deref<Target = dyn Error + Send + Sync>]: |error, f| reason::write_chain(&**error, f);
    Object [ErrorObject]: |error, f| reason::write_chain(error.object(), f);
    Displayed [Display]: |error, f| write!(f, "{error}");
    Debugged [Debug]: |error, f| write!(f, "{error:?}");
    Named [Sized]: |_error, f| f.write_str(type_name::<O::Error>());
}

impl<O: ResultLike, V, E: ErrorKind<O>> WithError<O, V, E> {
    /// The failure of the error, if the outcome is one.
    #[inline]
    pub fn error(self, outcome: &O) -> Option<Failure> {
        outcome.error().map(E::failure)
    }
}

impl<O: ResultLike, V: ValueKind<O>, E: ErrorKind<O>> WithError<O, V, E> {
    /// The failure of the value, if the outcome is one.
    #[inline]
    pub fn value(self, outcome: &O) -> Option<Failure> {
        outcome.value().and_then(V::failure)
    }
}

impl<O: ResultLike, V: ValueKind<O>, E: ErrorKind<O>, T> Kind<O, V, E, T> {
    /// The classification, without the user's predicates.
    #[inline]
    pub fn failures(self, outcome: &O) -> Classification {
        Classification::new(outcome.value().and_then(V::failure), outcome.error().map(E::failure))
    }
}

impl<O: ResultLike, V: ValueKind<O>, E: ErrorKind<O>, T: TextKind<O>> OutcomeKind<O> for Kind<O, V, E, T> {
    type Cleanup = V::Cleanup;

    #[inline]
    fn is_plain_success(&self, outcome: &O) -> bool {
        V::IS_PLAIN && outcome.error().is_none()
    }
    #[inline]
    fn classification(&mut self, outcome: &O, _: &Condition) -> Classification {
        self.failures(outcome)
    }
    #[inline]
    fn text(&self, outcome: &O) -> impl Display {
        Text::<O, T>(outcome, PhantomData)
    }
    #[inline]
    fn discard(self, outcome: O, limits: DrainLimits) -> V::Cleanup {
        V::discard(outcome, limits)
    }
}

struct Text<'o, O, T>(&'o O, PhantomData<T>);

impl<O: ResultLike, T: TextKind<O>> Display for Text<'_, O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error().map_or(Ok(()), |error| T::write(error, f))
    }
}
