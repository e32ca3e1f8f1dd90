//! Traits for classifying outcomes, as bounds on generic functions.
//!
//! `private/classify.rs` classifies the outcomes of the attribute and of `verdict!` without a bound, by method lookup. A
//! method such as `Executor::next` cannot do that, so it requires `Outcome`, or takes the verdict of `verdict!`.

use core::any::Any;
use core::fmt::{self, Display};

use crate::classify::class::Class;
use crate::classify::clients;
use crate::classify::condition::Condition;
use crate::classify::connection::Via;
use crate::classify::drain::{DrainBody, DrainLimits};
use crate::classify::failure::Failure;
use crate::classify::retryable::Retryable;
use crate::classify::verdict::{Classification, Verdict};

/// The outcome of an attempt: a `Result` whose error is [`Retryable`], an `Option`, whose `None` is a failure of unknown
/// class, or any type that is [`Retryable`] itself.
///
/// [`Policy::run`](crate::Policy::run) and [`Executor::next`](crate::Executor::next) require this trait. The attribute
/// and [`verdict!`](crate::verdict) do not: they classify outcomes of any type. They also recognize an error that is an
/// `anyhow::Error`, and an `Ok` value of your own type that implements `Retryable`. This trait classifies only the `Ok`
/// values that this crate recognizes, such as `reqwest::Response`, and requires that the value does not borrow. For a
/// value that does, use the verdict of `verdict!`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be classified as success or failure",
    label = "neither a `Result` with an error that is `Retryable` and has a `Display`, nor an `Option`, nor `Retryable` itself",
    note = "for your own error, write `#[derive(Retryable)]` and `impl Display`; in a hand-written loop, `let verdict = verdict!(&outcome);` classifies any type",
    note = "for the types of reqwest, hyper, tonic and http, enable the feature of `retry-runtime` with that name"
)]
pub trait Outcome {
    /// The classification of both sides.
    #[doc(hidden)]
    fn classification(&self) -> Classification;

    /// The text of the failure for events.
    #[doc(hidden)]
    fn reason(&self) -> Option<&dyn Display> {
        None
    }

    /// Discards an outcome that is retried. Returns the work that remains for the pause.
    #[doc(hidden)]
    fn discard(self, _: DrainLimits) -> DrainBody
    where
        Self: Sized,
    {
        DrainBody::none()
    }
}

impl<T: 'static, E: Retryable + Display> Outcome for Result<T, E> {
    fn classification(&self) -> Classification {
        Classification::new(self.as_ref().ok().and_then(failure_of_value), self.as_ref().err().map(Failure::of))
    }
    fn reason(&self) -> Option<&dyn Display> {
        self.as_ref().err().map(|error| error as &dyn Display)
    }
    fn discard(self, limits: DrainLimits) -> DrainBody {
        clients::discard(&mut self.ok(), limits)
    }
}

impl<T: 'static> Outcome for Option<T> {
    fn classification(&self) -> Classification {
        let error = self.is_none().then_some(Failure::new(Class::Unknown));
        Classification::new(self.as_ref().and_then(failure_of_value), error)
    }
    fn discard(mut self, limits: DrainLimits) -> DrainBody {
        clients::discard(&mut self, limits)
    }
}

impl<R: Retryable> Outcome for R {
    fn classification(&self) -> Classification {
        Classification::new(Some(Failure::of(self)), None)
    }
}

fn failure_of_value<T: 'static>(value: &T) -> Option<Failure> {
    clients::failure_of_value(value as &dyn Any)
}

/// Classifies outcomes of type `O`. Implemented by `&`[`Condition`], for types that are an [`Outcome`], and by
/// [`Verdict`], for an outcome of any type that has been classified already.
pub trait Classifier<O> {
    #[doc(hidden)]
    fn classify<'o>(&self, outcome: &'o O) -> Classified<'o>;

    /// Discards an outcome that is retried. Returns the work that remains for the pause.
    #[doc(hidden)]
    fn discard(&self, outcome: O, limits: DrainLimits) -> DrainBody;
}

/// A classified outcome: everything that the engine needs to know about it, determined once.
#[derive(Clone, Copy)]
pub struct Classified<'o> {
    pub(crate) verdict: Verdict,
    pub(crate) via: Via,
    /// The error's own text. Without one, events show the status or the class.
    pub(crate) reason: Option<&'o dyn Display>,
}

impl fmt::Debug for Classified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Classified").field("verdict", &self.verdict).finish_non_exhaustive()
    }
}

impl<O: Outcome> Classifier<O> for &Condition {
    fn classify<'o>(&self, outcome: &'o O) -> Classified<'o> {
        let classification = outcome.classification();
        Classified { verdict: self.verdict(classification), via: classification.via(), reason: outcome.reason() }
    }
    fn discard(&self, outcome: O, limits: DrainLimits) -> DrainBody {
        outcome.discard(limits)
    }
}

impl<O> Classifier<O> for Verdict {
    fn classify<'o>(&self, _: &'o O) -> Classified<'o> {
        Classified { verdict: *self, via: Via::NONE, reason: None }
    }
    fn discard(&self, _: O, _: DrainLimits) -> DrainBody {
        DrainBody::none()
    }
}
