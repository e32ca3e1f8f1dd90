//! The supertrait that seals traits. Only this crate implements a sealed trait, so adding a method to one is not a
//! breaking change.

/// Seals a trait: no other crate can name this one, so no other crate can implement its subtraits.
pub trait Sealed {}
