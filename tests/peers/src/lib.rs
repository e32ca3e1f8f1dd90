//! Compiles both sides of the examples in `retry_runtime::guide::comparison`.

#[cfg(doctest)]
#[doc = include_str!("../../../retry-runtime/src/guide/comparison.md")]
mod comparison {}
