//! Reads and checks the attribute's arguments. Imports the specification and `errors`, and nothing that reads or writes the
//! annotated function.
//!
//! The modules in order; each imports only those above it:
//!
//! - `model`: the arguments as they were written
//! - `scan`: the ends of values
//! - `value`, `code`, `status`: one reader for each kind of value
//! - `migration_hints`: advice for the names of other libraries
//! - `parse`: reads `key = value, …` into the model
//! - `values`: the values that are known at compile time
//! - `check`: the rules between arguments, mapped to positions

pub(crate) mod check;
pub(crate) mod code;
pub(crate) mod model;
pub(crate) mod parse;
pub(crate) mod scan;
pub(crate) mod values;

mod migration_hints;
mod status;
mod value;
