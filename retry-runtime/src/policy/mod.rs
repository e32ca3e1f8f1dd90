//! Policies: how often and when to retry. Which outcomes are retried is up to `classify`.
//!
//! May import `util`, `context` and `classify`.

pub(crate) mod attempt;
pub(crate) mod backoff;
pub(crate) mod budget;
pub(crate) mod builder;
pub(crate) mod display;
pub(crate) mod event_level;
pub(crate) mod jitter;
pub(crate) mod nested;
pub(crate) mod schedule;
