//! Classification: whether an outcome is a success, and whether a failure is worth another attempt.

pub(crate) mod breaker_open;
pub(crate) mod chain;
pub(crate) mod class;
pub(crate) mod clients;
pub(crate) mod condition;
pub(crate) mod connection;
pub(crate) mod drain;
pub(crate) mod failure;
pub(crate) mod mark;
pub(crate) mod no_retry;
pub(crate) mod not_ready;
pub(crate) mod outcome;
pub(crate) mod outcome_kind;
pub(crate) mod result_like;
pub(crate) mod retryable;
pub(crate) mod search;
pub(crate) mod statuses;
pub(crate) mod timed_out;
pub(crate) mod verdict;
