//! Messages of the compiler where only the default features are on. `TRYBUILD=overwrite cargo test -p
//! retry-ui-tests-default-features` blesses them.

#[test]
fn checked() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}

#[test]
fn built() {
    trybuild::TestCases::new().pass("pass/*.rs");
}
