//! `retrying!`: the arguments of the attribute in front of a block.

#![allow(clippy::let_and_return, reason = "the cases cover what users may write, not what they should write")]

mod arguments;
mod events;
mod forms;
mod futures;
mod nesting;
mod types;
