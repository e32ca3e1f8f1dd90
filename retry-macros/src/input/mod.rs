//! Reads the annotated function, and the block in `retrying!`. Imports `args`, because `blocking` decides which of them are allowed.

pub(crate) mod async_block;
pub(crate) mod block;
pub(crate) mod function;
pub(crate) mod single_await;
