//! Three services in three processes, in a chain: each calls the next one, without and with coordination by headers.
//!
//! `cargo test -p retry-services -- --nocapture` prints what each service did.

mod attempts;
mod deadlines;
mod process;
