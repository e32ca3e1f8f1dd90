//! The types of values that the attribute and the derive macro name: statuses and delays.

use core::ops::{Deref, RangeInclusive};
use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;

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
