//! Tests of compiler messages with the default features only. `TRYBUILD=overwrite cargo test -p
//! retry-ui-tests-default-features` blesses them.

#[path = "../harness.rs"]
mod harness;

use harness::run;

#[test]
fn checked() {
    run("checked", |cases, fail| cases.compile_fail(fail.join("*.rs")));
}

#[test]
fn built() {
    run("built", |cases, _| cases.pass("pass/*.rs"));
}

#[test]
fn messages_do_not_quote_the_standard_library() {
    harness::messages_do_not_quote_the_standard_library();
}
