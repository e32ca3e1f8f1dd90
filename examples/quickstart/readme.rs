//! Compares the output of the quickstart with the README.

use std::env::{self, consts::EXE_SUFFIX};
use std::fs;
use std::process::Command;

#[test]
fn quickstart_prints_what_the_readme_shows() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let printed = output_of_quickstart();
    let shown: Vec<_> =
        readme.lines().filter(|line| line.contains("INFO retry{") || line.starts_with("todo:")).collect();
    assert_eq!(shown.len(), 6, "the README does not show the story of the quickstart");
    assert_eq!(
        printed.lines().count(),
        shown.len(),
        "the quickstart prints more or less than the README shows: {printed}"
    );
    for (shown, printed) in shown.into_iter().zip(printed.lines()) {
        assert!(is_shortened(shown, printed), "the quickstart does not print a line of the README: {shown}\n{printed}");
    }
    assert!(!printed.contains('\u{1b}'), "colors, although stdout is not a terminal: {printed}");
}

/// The README shortens the times, which differ in each run, and leaves out what it writes as `…`.
fn is_shortened(shown: &str, printed: &str) -> bool {
    let (shown, mut rest) = (after_time(shown), after_time(printed));
    shown.split('…').map(str::trim).all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

fn after_time(line: &str) -> &str {
    line.split_once("INFO").map_or(line, |(_, rest)| rest)
}

/// Runs the quickstart. `cargo test` puts this test into `deps`, and the examples into a folder beside it.
fn output_of_quickstart() -> String {
    let test = env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join(format!("examples/quickstart{EXE_SUFFIX}"));
    let output = Command::new(example).env_remove("RUST_LOG").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
