//! Events: their content and order, as an observer and `tracing` receive them.

mod observer;
mod owned;
mod reason;
mod tracing;
