//! The engine: runs the attempts of one call, decides what follows each, and reacts to the decision.
//!
//! `decide` decides, without side effects. `react` does everything that a decision entails, in one order. `core` joins the call with
//! its state, and `executor` is the public face of it. Everything that only failing or observed calls need is cold, not generic, and
//! compiled once: it sees the call as a `&dyn Call`. The parts of such a function are inlined into it, to keep failing
//! calls cheap too.

pub(crate) mod attempt_context;
pub(crate) mod attempt_future;
pub(crate) mod call;
#[cfg(feature = "reqwest")]
pub(crate) mod caller_limit;
pub(crate) mod cannot_cut;
pub(crate) mod core;
pub(crate) mod decide;
mod delay_after;
pub(crate) mod emit;
pub(crate) mod executor;
pub(crate) mod hooks;
#[cfg(any(feature = "tracing", feature = "connection-events"))]
mod in_span;
#[cfg(not(any(feature = "tracing", feature = "connection-events")))]
#[path = "in_span_off.rs"]
mod in_span;
pub(crate) mod loop_error;
pub(crate) mod macro_call;
pub(crate) mod manual_call;
pub(crate) mod owned_pause;
pub(crate) mod pause;
mod payment;
pub(crate) mod react;
pub(crate) mod report;
pub(crate) mod retrying;
pub(crate) mod run;
pub(crate) mod run_parts;
pub(crate) mod situation;
pub(crate) mod state;
pub(crate) mod time_limit;
