//! Runs examples in tests: each ends by itself, without an error, and prints what it is there to show.

use std::env::{self, consts::EXE_SUFFIX};
use std::process::Command;

/// Runs an example and returns what it prints. `cargo test` puts its test into `deps`, and the examples beside that.
///
/// # Panics
///
/// When the example was not built, or fails.
#[must_use]
pub fn output_of(example: &str) -> String {
    let test = env::current_exe().expect("the path of this test");
    let directory = test.ancestors().nth(2).expect("the directory of the profile").join("examples");
    let output = Command::new(directory.join(format!("{example}{EXE_SUFFIX}")))
        .env_remove("RUST_LOG")
        .output()
        .unwrap_or_else(|error| panic!("`cargo test` of the example's package builds it: {error}"));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{example}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}

/// A test for each example: which texts it prints.
#[macro_export]
macro_rules! prints {
    ($($example:ident: $($line:literal),+;)*) => {$(
        #[test]
        fn $example() {
            let text = $crate::output_of(stringify!($example));
            $(assert!(text.contains($line), "no line has `{}`:\n{text}", $line);)+
        }
    )*};
}
