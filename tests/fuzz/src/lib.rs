//! Fuzz targets: each is a function of bytes that panics if the library breaks a promise. `tests/fuzz/run` runs them.

#[cfg(feature = "libfuzzer")]
pub use libfuzzer_sys;

mod input;
#[cfg(not(feature = "libfuzzer"))]
pub mod random_inputs;

pub use input::{Input, text};

/// Makes a program of a target: libFuzzer's or, without a C++ compiler, one that runs random inputs.
#[macro_export]
macro_rules! target {
    ($target:path) => {
        #[cfg(feature = "libfuzzer")]
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $target(bytes));

        #[cfg(not(feature = "libfuzzer"))]
        fn main() -> std::process::ExitCode {
            $crate::random_inputs::run($target)
        }
    };
}
