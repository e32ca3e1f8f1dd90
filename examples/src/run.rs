//! Tests that run an example and compare its output. Each example ends by itself and without an error.

use std::env::{self, consts::EXE_SUFFIX};
use std::process::Command;

/// Runs an example and returns its output. `cargo test` puts the test into `deps`, and the examples into a folder beside it.
///
/// # Panics
///
/// Panics if the example has not been built, or fails.
#[must_use]
pub fn output_of(example: &str) -> String {
    let test = env::current_exe().expect("the path of this test");
    let directory = test.ancestors().nth(2).expect("the directory of the profile").join("examples");
    let output = Command::new(directory.join(format!("{example}{EXE_SUFFIX}")))
        .env_remove("RUST_LOG")
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{example}`, which `cargo test` of its package builds: {error}"));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{example}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr));
    text
}

/// Defines a test for each example, with the texts that it prints.
#[macro_export]
macro_rules! prints {
    ($($example:ident: $($line:literal),+;)*) => {$(
        #[test]
        fn $example() {
            let text = $crate::output_of(stringify!($example));
            $(assert!(text.contains($line), "the output does not contain `{}`:\n{text}", $line);)+
        }
    )*};
}
