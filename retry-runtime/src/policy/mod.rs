//! Policies: the types used with [`Policy`](crate::Policy), which defines how often and when to retry.

// Which outcomes are retried is up to `classify`.

pub(crate) mod attempt;
pub(crate) mod backoff;
pub(crate) mod budget;
pub(crate) mod builder;
pub(crate) mod delay;
pub(crate) mod display;
mod drawn;
mod error;
pub(crate) mod event_level;
pub(crate) mod jitter;
pub(crate) mod nested;
mod owned_delays;
pub(crate) mod retry_after;
mod rules;
mod runtime_builder;
pub(crate) mod schedule;

pub use self::drawn::DrawnDelays;
pub use self::error::PolicyError;
pub use self::retry_after::{BeyondRetryAfter, WithinRetryAfter};
pub use self::runtime_builder::PolicyBuilder;
