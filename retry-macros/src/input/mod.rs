//! Reads the annotated function. Imports `args`, because `blocking` decides which functions are allowed.

pub(crate) mod async_block;
pub(crate) mod function;
pub(crate) mod single_await;
