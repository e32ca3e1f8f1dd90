//! The condition: the rule that decides which outcomes are worth another attempt, and the verdict that it gives on one
//! outcome.

use core::ops::RangeInclusive;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::statuses::Statuses;
use crate::classify::verdict::{Classification, NotSafe, REFUSED, Verdict};

/// The rule for which outcomes are worth another attempt: statuses, kinds of errors, methods.
///
/// A plain `Copy` value, built by `const fn`s. How often and when to retry is up to the [`Policy`](crate::Policy).
///
/// The rule is the same for `Ok(response)` and `Err(error)`:
///
/// 1. An outcome with a **status** is retried if [`on_status`](Self::on_status) lists the status. Without `on_status`,
///    the standard list applies: 408, 429, 500, 502, 503, 504.
/// 2. An **error without a status** is retried if [`on_error`](Self::on_error) includes it. Without `on_error`, transient
///    errors are retried if `on_status` is set, and all errors except permanent ones otherwise.
/// 3. `on_error` without `on_status` decides for every error. With both, an error is retried if either of them includes it.
///
/// ```
/// use retry_runtime::{Condition, OnError};
///
/// const CONDITION: Condition =
///     Condition::new().on_status(&[429..=429, 500..=599]).on_error(OnError::Transient);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Condition {
    statuses: Option<Statuses>,
    errors: Option<OnError>,
    methods: &'static [&'static str],
    guarded: bool,
    assume_no_redirects: bool,
}

/// The errors that are worth another attempt. See [`Condition::on_error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnError {
    /// All errors, permanent ones too.
    Any,
    /// Only errors that are classified as transient.
    Transient,
    /// No errors.
    Never,
}

impl Default for Condition {
    fn default() -> Self {
        Self::new()
    }
}

impl Condition {
    /// The standard condition: neither `on_status` nor `on_error` is set, and the methods are the idempotent ones of RFC
    /// 9110 §9.2.2: GET, HEAD, OPTIONS, TRACE, PUT, DELETE.
    pub const fn new() -> Self {
        Self {
            statuses: None,
            errors: None,
            methods: &["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"],
            guarded: false,
            assume_no_redirects: false,
        }
    }

    /// Sets the statuses that are worth another attempt, instead of the standard list (408, 429, 500, 502, 503, 504).
    /// Write a single code `c` as `c..=c`. With an empty slice, no status is retried. The condition keeps a copy, so the
    /// statuses may come from run-time values.
    ///
    /// From Rust 1.99 on, clippy's lint `single_range_in_vec_init` takes `&[503..=503]` for a mistyped list of numbers: allow it.
    ///
    /// # Panics
    ///
    /// Panics if a range is empty or extends beyond 100 to 599, or if two ranges overlap.
    #[track_caller]
    pub const fn on_status(self, statuses: &[RangeInclusive<u16>]) -> Self {
        Self { statuses: Some(Statuses::of(statuses)), ..self }
    }

    /// Sets the errors that are worth another attempt.
    pub const fn on_error(self, errors: OnError) -> Self {
        Self { errors: Some(errors), ..self }
    }

    /// Sets the methods of requests that may be resent after any failure, instead of the standard ones (see
    /// [`Condition::new`]).
    ///
    /// Methods are compared case-insensitively. [`for_method`](Self::for_method), `send_with_retry`, the middleware and the
    /// tower policy use the list. An empty slice lists no method.
    ///
    /// # Panics
    ///
    /// Panics if a method is not an HTTP token (RFC 9110 §5.6.2), because it is empty or contains a space or another
    /// separator.
    #[track_caller]
    pub const fn methods(self, methods: &'static [&'static str]) -> Self {
        let mut i = 0;
        while i < methods.len() {
            assert!(
                is_token(methods[i]),
                "a method is not an HTTP token: write one name in each string, such as `\"POST\"`"
            );
            i += 1;
        }
        Self { methods, ..self }
    }

    /// Assumes that no request is redirected, so that a POST is retried after a refused connection or a 429. Defaults to
    /// off.
    ///
    /// reqwest follows redirects and hides them: even a refused connection may be that of a second server, after the first one has
    /// processed the request. So by default a POST through an ordinary client is not retried.
    ///
    /// Use this if the client is built with `redirect::Policy::none()`, or if the server does not redirect requests that
    /// have effects. If the assumption is wrong, a request that was already processed is resent.
    ///
    /// A client that is built with `track_redirects` or `trace_connections` does not need the assumption.
    ///
    /// ```
    /// use retry_runtime::Condition;
    ///
    /// const DIRECT: Condition = Condition::new().assume_no_redirects();
    /// ```
    pub const fn assume_no_redirects(self) -> Self {
        Self { assume_no_redirects: true, ..self }
    }

    /// Returns this condition for a request with the method `method`. If `method` is one of the condition's methods, the
    /// condition is unchanged. Otherwise it retries only requests that the server cannot have processed
    /// ([`Failure::is_unprocessed`]).
    ///
    /// ```
    /// # use retry_runtime::{Condition, Verdict, verdict};
    /// # use std::io::{Error, ErrorKind};
    /// let outcome: Result<(), Error> = Err(ErrorKind::TimedOut.into());
    /// let condition = Condition::new();
    /// assert!(matches!(verdict!(&outcome, condition.for_method("GET")), Verdict::Retry(_)));
    /// assert!(matches!(verdict!(&outcome, condition.for_method("POST")), Verdict::NotSafe(..)));
    /// let refused: Result<(), Error> = Err(ErrorKind::ConnectionRefused.into());
    /// assert!(matches!(verdict!(&refused, condition.for_method("POST")), Verdict::Retry(_)));
    /// ```
    pub fn for_method(self, method: &str) -> Self {
        Self { guarded: !self.lists_method(method), ..self }
    }

    /// Sets the guard that [`for_method`](Self::for_method) sets for an unlisted method, if `guarded` is true.
    #[cfg(feature = "reqwest")]
    pub(crate) const fn guarded(self, guarded: bool) -> Self {
        Self { guarded: self.guarded || guarded, ..self }
    }

    #[cfg(feature = "reqwest")]
    pub(crate) const fn is_guarded(&self) -> bool {
        self.guarded
    }

    /// Returns true if a response with this status is a success that the condition does not retry.
    #[cfg(feature = "reqwest")]
    #[inline]
    pub(crate) fn is_success(&self, status: u16) -> bool {
        status < Class::FIRST_FAILURE && (self.statuses.is_none() || !self.lists(status))
    }

    pub(crate) fn lists_method(&self, method: &str) -> bool {
        self.methods.iter().any(|listed| listed.eq_ignore_ascii_case(method))
    }

    /// The verdict on an error that describes this failure, for code that has the failure only: one that decides for
    /// [`Policy::delay_after`](crate::Policy::delay_after), or that has found its own type in a boxed error. A failure of
    /// the class [`Success`](Class::Success) counts as that of a value. To classify an outcome of any type, use
    /// [`verdict!`](crate::verdict).
    ///
    /// ```
    /// use retry_runtime::{Class, Condition, Failure, OnError, Verdict};
    ///
    /// let unknown = Failure::new(Class::Unknown);
    /// assert_eq!(Condition::new().verdict_on(unknown), Verdict::Retry(unknown));
    /// let transient_only = Condition::new().on_error(OnError::Transient);
    /// assert_eq!(transient_only.verdict_on(unknown), Verdict::GiveUp(unknown));
    /// ```
    #[must_use]
    pub fn verdict_on(&self, failure: Failure) -> Verdict {
        match failure.class() {
            Class::Success => self.of_value(failure),
            _ => self.of_error(failure, None),
        }
    }

    /// The verdict on an outcome, for [`verdict!`](crate::verdict): `value` and `error` are the failures that its two
    /// sides describe.
    #[doc(hidden)]
    pub fn judge(&self, value: Option<Failure>, error: Option<Failure>) -> Verdict {
        self.verdict(Classification::new(value, error))
    }

    #[inline(always)]
    pub(crate) fn verdict(&self, classification: Classification) -> Verdict {
        match classification {
            Classification { not_ready: true, value, .. } => Verdict::NotReady(value.unwrap_or(REFUSED)),
            Classification { error: Some(failure), decided, .. } => self.of_error(failure, decided),
            Classification { retried_by_on_ok: true, value, .. } => {
                self.retry_if(true, value.unwrap_or(REFUSED).refused())
            }
            Classification { value: Some(failure), .. } => self.of_value(failure),
            Classification { .. } => Verdict::Done,
        }
    }

    /// Returns true if an outcome is worth another attempt, even if resending the request is not safe.
    pub(crate) fn is_retried(&self, classification: Classification) -> bool {
        matches!(self.verdict(classification), Verdict::Retry(_) | Verdict::NotReady(_) | Verdict::NotSafe(..))
    }

    /// The verdict on a value, which is a success unless its status is listed or its class is retried.
    fn of_value(&self, failure: Failure) -> Verdict {
        match failure.status() {
            Some(status) if self.lists(status) => self.retry_if(true, failure),
            _ if failure.class() == Class::Success => Verdict::Done,
            Some(_) => Verdict::GiveUp(failure),
            None => self.retry_if(self.retries_class(failure.class()), failure),
        }
    }

    /// The verdict on an error. `decided` is the result of an `on_error` that is a predicate.
    #[inline(always)]
    fn of_error(&self, failure: Failure, decided: Option<bool>) -> Verdict {
        let by_error = decided.or_else(|| self.errors.map(|errors| errors.include(failure.class())));
        let is_retried = match (failure.status(), by_error) {
            (Some(status), None) => self.lists(status),
            (Some(status), Some(by_error)) => by_error || (self.statuses.is_some() && self.lists(status)),
            (None, Some(by_error)) => by_error,
            (None, None) => self.retries_class(failure.class()),
        };
        self.retry_if(is_retried, failure)
    }

    /// Returns true if `on_status` or, without it, the standard list contains this status.
    fn lists(&self, status: u16) -> bool {
        match &self.statuses {
            Some(statuses) => statuses.contains(status),
            None => Class::of_status(status) == Class::Transient,
        }
    }

    /// Returns true if a failure of this class and without a status is worth another attempt.
    fn retries_class(&self, class: Class) -> bool {
        match (self.errors, self.statuses) {
            (Some(errors), _) => errors.include(class),
            (None, Some(_)) => class == Class::Transient,
            (None, None) => class != Class::Permanent,
        }
    }

    /// The verdict on a failure: retried if `is_retried`, and if resending the request is safe.
    #[inline(always)]
    fn retry_if(&self, is_retried: bool, failure: Failure) -> Verdict {
        match is_retried {
            false => Verdict::GiveUp(failure),
            true if self.guarded && !self.is_unprocessed(failure) => Verdict::NotSafe(failure, NotSafe::NotIdempotent),
            true => Verdict::Retry(failure),
        }
    }

    fn is_unprocessed(&self, failure: Failure) -> bool {
        let failure = if self.assume_no_redirects { failure.not_redirected() } else { failure };
        failure.is_unprocessed()
    }
}

impl OnError {
    fn include(self, class: Class) -> bool {
        match self {
            Self::Any => true,
            Self::Transient => class == Class::Transient,
            Self::Never => false,
        }
    }
}

/// Returns true if `text` is an HTTP token, as every method is. A loop over bytes, because iterators are not `const`.
const fn is_token(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let is_separator = matches!(
            bytes[i],
            b'"' | b'('
                | b')'
                | b','
                | b'/'
                | b':'
                | b';'
                | b'<'
                | b'='
                | b'>'
                | b'?'
                | b'@'
                | b'['
                | b'\\'
                | b']'
                | b'{'
                | b'}'
        );
        if !bytes[i].is_ascii_graphic() || is_separator {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    struct Busy;

    impl crate::classify::retryable::Retryable for Busy {
        fn class(&self) -> Class {
            Class::Transient
        }
        fn status(&self) -> Option<u16> {
            Some(503)
        }
    }

    #[test]
    fn a_503_with_a_delay_from_its_body_counts_as_unprocessed() {
        let condition = Condition::new().for_method("POST");
        let classification = Classification::new(Some(Failure::of(&Busy)), None);
        assert!(matches!(condition.verdict(classification.server_delay(None)), Verdict::NotSafe(..)));
        let read = classification.server_delay(Some(Duration::ZERO));
        assert!(matches!(condition.verdict(read), Verdict::Retry(_)));
    }

    #[test]
    fn a_delay_can_be_read_from_a_value_that_is_not_classified() {
        let refused = Classification::new(None, None).on_ok(true).server_delay(Some(Duration::ZERO));
        let failure = Condition::new().verdict(refused).failure().unwrap();
        assert_eq!((failure.class(), failure.server_delay()), (Class::Unknown, Some(Duration::ZERO)));
    }
}
