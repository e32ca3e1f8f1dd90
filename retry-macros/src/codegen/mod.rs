//! Writes the function again, with the loop around its body. Imports `args` and `input`.
//!
//! The modules in order; each imports only those above it:
//!
//! - `tokens`: the positions and paths of generated tokens
//! - `lifetimes`, `required`, `rewrite`: the types and tokens of the signature
//! - `policy`: the constants of the function
//! - `docs`: the section "Retries" of its documentation
//! - `expansion`: the state that the next four share
//! - `outcome`, `attempt`, `copies`, `expand`: the code of a call, from the inside out

pub(crate) mod expand;
pub(crate) mod lifetimes;
pub(crate) mod tokens;

mod attempt;
mod copies;
mod docs;
mod expansion;
mod outcome;
mod policy;
mod required;
mod rewrite;
