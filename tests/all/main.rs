//! Behaviour through the public API, a module a theme.

mod smoke;
