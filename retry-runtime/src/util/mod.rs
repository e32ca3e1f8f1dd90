//! Utilities that do not depend on retrying: the clock and the timer, atomics, masking of secrets, the process-wide switch.
//!
//! Imports nothing from the other folders.

pub(crate) mod clock;
pub(crate) mod durations;

pub(crate) mod mask;
pub(crate) mod sealed;
pub(crate) mod shards;
pub(crate) mod sleep;
pub(crate) mod switch;
pub(crate) mod sync;
