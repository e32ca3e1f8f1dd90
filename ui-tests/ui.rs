//! What the compiler says, read as a user would. `TRYBUILD=overwrite cargo test -p retry-ui-tests` blesses.

#[test]
fn compiler_output() {
    let cases = trybuild::TestCases::new();
    cases.pass("pass/*.rs");
    cases.compile_fail("fail/*/*.rs");
}
