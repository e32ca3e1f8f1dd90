//! The arguments of one attribute, as they were written. Imports no reader, so that readers and checks can share it.

use std::time::Duration;

use proc_macro2::{Ident, Span};
use retry_spec::key::Key;
use retry_spec::keywords::{self, BeyondRetryAfter, Events, Nested, WithinRetryAfter};
use syn::{Expr, ExprPath, LitStr, Path};

/// The value of one argument.
pub(crate) struct Arg<T> {
    pub key: Ident,
    pub value: T,
    /// The first token of the value.
    pub span: Span,
    /// The last token of the value.
    pub end: Span,
}

/// A literal, or the path of a constant that the compiler evaluates.
#[derive(Clone)]
pub(crate) enum Given<T> {
    Literal(T),
    Path(ExprPath),
}

pub(crate) enum Attempts {
    Number(u32),
    Unlimited,
    Path(ExprPath),
}

pub(crate) enum Backoff {
    Keyword(keywords::Backoff),
    Function(ExprPath),
    /// Evaluated for each delay, so it may capture.
    Closure(Expr),
}

/// A budget or a circuit breaker.
pub(crate) enum Shared {
    /// The path of a `static`.
    Static(ExprPath),
    /// An expression that is evaluated at each call, such as a field of `self`.
    Value(Expr),
}

pub(crate) enum Delays {
    /// Each delay with its first token.
    List(Vec<(Given<Duration>, Span)>),
    /// A constant of type `&'static [Duration]`.
    Path(ExprPath),
}

/// An inclusive range, or a single status without `last`.
pub(crate) struct StatusRange {
    pub first: StatusBound,
    pub last: Option<StatusBound>,
    pub span: Span,
}

pub(crate) enum StatusBound {
    Code(u16),
    Path(ExprPath),
}

pub(crate) enum OnError {
    Keyword(keywords::OnError),
    Predicate(Expr),
}

pub(crate) enum RetryAfter {
    AtMost(Given<Duration>),
    Ignore,
}

/// All arguments of an attribute.
#[derive(Default)]
pub(crate) struct Arguments {
    pub attempts: Option<Arg<Attempts>>,
    pub backoff: Option<Arg<Backoff>>,
    pub start: Option<Arg<Given<Duration>>>,
    pub factor: Option<Arg<Given<f64>>>,
    pub max_delay: Option<Arg<Given<Duration>>>,
    pub delays: Option<Arg<Delays>>,
    pub jitter: Option<Arg<keywords::Jitter>>,
    pub random_source: Option<Arg<ExprPath>>,
    pub on_status: Option<Arg<Vec<StatusRange>>>,
    pub on_error: Option<Arg<OnError>>,
    pub on_ok: Option<Arg<Expr>>,
    pub until: Option<Arg<Expr>>,
    pub error_delay: Option<Arg<Expr>>,
    pub on_retry: Option<Arg<Expr>>,
    pub retry_after: Option<Arg<RetryAfter>>,
    pub within_retry_after: Option<Arg<WithinRetryAfter>>,
    pub beyond_retry_after: Option<Arg<BeyondRetryAfter>>,
    pub server_delay: Option<Arg<Expr>>,
    pub drain_limit: Option<Arg<Given<usize>>>,
    pub drain_timeout: Option<Arg<Given<Duration>>>,
    pub deadline: Option<Arg<Given<Duration>>>,
    pub attempt_timeout: Option<Arg<Given<Duration>>>,
    pub budget: Option<Arg<Shared>>,
    pub nested: Option<Arg<Nested>>,
    pub events: Option<Arg<Events>>,
    pub breaker: Option<Arg<Shared>>,
    pub hedge: Option<Arg<Given<Duration>>>,
    pub hedge_max: Option<Arg<Given<u32>>>,
    pub policy: Option<Arg<Expr>>,
    pub bind: Option<Arg<Ident>>,
    pub clone: Option<Arg<Vec<Ident>>>,
    pub name: Option<Arg<Given<LitStr>>>,
    pub observer: Option<Arg<Expr>>,
    pub sleep: Option<Arg<ExprPath>>,
    pub blocking: Option<Ident>,
    pub krate: Option<Arg<Path>>,
    /// Every argument in the order in which it was written, also those whose value could not be read.
    pub written: Vec<Written>,
}

/// The position of an argument.
pub(crate) struct Written {
    pub key: Key,
    pub ident: Ident,
    /// The first token of the value. `None` without a value, or if it could not be read.
    pub value: Option<Span>,
}

impl Arguments {
    /// Returns `true` if the argument was written, even if its value could not be read.
    pub(crate) fn is_written(&self, key: Key) -> bool {
        self.written.iter().any(|written| written.key == key)
    }

    /// Returns `true` if nothing is retried.
    pub(crate) fn is_one_attempt(&self) -> bool {
        matches!(self.attempts, Some(Arg { value: Attempts::Number(1), .. }))
    }
}
