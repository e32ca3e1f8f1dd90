//! The words that retry-runtime reads and says, wherever a policy is written: in the attribute at compile time, in a file
//! or the environment at run time. One grammar and one set of messages for both.
//!
//! Not for use by itself: it changes with retry-runtime, whose every version asks for exactly one version of it.

#![forbid(unsafe_code)]

pub mod duration;
pub mod keywords;
pub mod suggest;
