//! Compiler messages, read as a user would. `TRYBUILD=overwrite cargo test -p retry-ui-tests` blesses them.

mod harness;

use harness::{entries, run};

/// The theme whose mistakes only a build finds: `cargo check` does not evaluate the constants of a function.
const BUILT: &str = "constants";

/// All in one run of `cargo check`, which is what trybuild does where no case is expected to compile.
#[test]
fn checked() {
    run("checked", |cases, fail| {
        for theme in entries(fail).iter().filter(|theme| !theme.ends_with(BUILT)) {
            cases.compile_fail(theme.join("*.rs"));
        }
    });
}

/// One by one with `cargo build`, which is what trybuild does where some case is expected to compile.
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
