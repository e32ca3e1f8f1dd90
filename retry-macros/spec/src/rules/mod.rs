//! The rules between arguments. Each rule is one function over [`Values`], with its message.
//!
//! A rule holds unless the known values break it: a value that is unknown breaks no rule. Rules about one value are in
//! [`number`](crate::number), because files check them while they read.

use crate::values::Values;
use broken::Rules;
pub use broken::{At, Broken};
pub use limits::first_delay_reaches_deadline;
pub use schedule::{already_random, needs_upper_bound};

mod broken;
mod conditions;
mod limits;
mod schedule;

/// Checks all rules, and returns those that are broken.
#[must_use]
pub fn check(values: &Values) -> Vec<Broken> {
    let mut rules = Rules { values, broken: Vec::new() };
    rules.schedule();
    rules.limits();
    rules.conditions();
    rules.broken
}

#[cfg(test)]
mod tests;
