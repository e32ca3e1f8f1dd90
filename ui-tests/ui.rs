//! What the compiler says, read as a user would. `TRYBUILD=overwrite cargo test -p retry-ui-tests` blesses.

use std::fs;

/// The theme whose mistakes only a build finds: `cargo check` does not evaluate the constants of a function.
const BUILT: &str = "constants";

/// All in one run of `cargo check`, which is what trybuild does where no case is to pass.
#[test]
fn checked() {
    let cases = trybuild::TestCases::new();
    for theme in fs::read_dir("fail").unwrap() {
        let theme = theme.unwrap().path();
        if !theme.ends_with(BUILT) {
            cases.compile_fail(theme.join("*.rs"));
        }
    }
}

/// One by one with `cargo build`, which is what trybuild does where some case is to pass.
#[test]
fn built() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail(format!("fail/{BUILT}/*.rs"));
}
