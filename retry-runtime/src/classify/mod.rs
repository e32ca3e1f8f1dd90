//! Classification: whether an outcome is a success, and whether a failure is worth another attempt.
//!
//! May import `util`.

pub(crate) mod chain;
pub(crate) mod class;
pub(crate) mod clients;
pub(crate) mod condition;
pub(crate) mod mark;
pub(crate) mod outcome;
pub(crate) mod timed_out;
