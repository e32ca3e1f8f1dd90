//! Tests of compiler messages. `TRYBUILD=overwrite cargo test -p retry-ui-tests` blesses them. Read each one as a user would.

mod harness;

use harness::{entries, run};

/// The theme whose mistakes only a build finds, because `cargo check` does not evaluate the constants of a function.
const BUILT: &str = "constants";

/// Checks all cases in one run of `cargo check`. trybuild does that if no case is expected to compile.
#[test]
fn checked() {
    run("checked", |cases, fail| {
        for theme in entries(fail).iter().filter(|theme| !theme.ends_with(BUILT)) {
            cases.compile_fail(theme.join("*.rs"));
        }
    });
}

/// Builds the cases one by one with `cargo build`. trybuild does that if a case is expected to compile.
#[test]
fn built() {
    run("built", |cases, fail| {
        cases.pass("pass/*.rs");
        cases.compile_fail(fail.join(BUILT).join("*.rs"));
    });
}

#[test]
fn messages_do_not_quote_the_standard_library() {
    harness::messages_do_not_quote_the_standard_library();
}
