//! The specification of a retry policy: one copy of everything that both the attribute `#[retry]` and configuration files
//! need to know. The attribute reads it at compile time, `retry-runtime` at run time.
//!
//! | module | contents |
//! |---|---|
//! | [`key`] | the table of arguments: name, kind, example, default, section of the documentation |
//! | [`keywords`] | the values that are keywords: backoffs, jitters, conditions |
//! | [`duration`] | the grammar of durations |
//! | [`number`] | the rules about one number or duration |
//! | [`invalid`] | the messages about the values of a policy |
//! | [`schedule`] | the formulas and defaults of delays |
//! | [`values`] | the known values of one policy, and the delays that follow from them |
//! | [`rules`] | the rules between arguments, each with its message |
//! | [`suggest`] | "did you mean" |
//!
//! Each module imports only modules below it in this order: `rules`, `values`, `schedule`, `key`, `number`, `keywords`,
//! `invalid`, `duration`, `suggest`.
//!
//! Not for direct use: it changes with `retry-runtime`, and each version of `retry-runtime` requires exactly one version of
//! this package.

#![forbid(unsafe_code)]

pub mod duration;
pub mod invalid;
pub mod key;
pub mod keywords;
pub mod number;
pub mod rules;
pub mod schedule;
pub mod suggest;
pub mod values;
