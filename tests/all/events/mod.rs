//! Events: their content and order, as an observer and `tracing` receive them.

mod json;
mod observer;
mod owned;
mod reason;
mod tracing;
