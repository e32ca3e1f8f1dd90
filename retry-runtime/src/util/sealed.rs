//! Keeps the traits that only this crate implements open for what they will have to know.

/// Cannot be named outside of this crate.
pub trait Sealed {}
