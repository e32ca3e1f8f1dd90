//! Reads and checks the attribute's arguments. Imports the specification and `errors`, and nothing of the function that the
//! attribute is on, except that `check` looks at its signature.

pub(crate) mod check;
pub(crate) mod code;
pub(crate) mod model;
pub(crate) mod parse;
pub(crate) mod scan;
pub(crate) mod values;

mod migration_hints;
mod status;
mod value;
