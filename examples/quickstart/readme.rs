//! Compares the output of the quickstart with the README.

use std::env::{self, consts::EXE_SUFFIX};
use std::fs;
use std::process::Command;

#[test]
fn quickstart_prints_what_the_readme_shows() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    let printed = output_of_quickstart();
    let events: Vec<_> = readme.lines().filter(|line| line.starts_with("INFO retry{")).collect();
    assert!(events.len() > 1, "the README shows no events of the quickstart");
    for event in events {
        // The elapsed time differs in each run.
        let (event, _) = event.split_once(" elapsed=").unwrap();
        assert!(printed.contains(event), "the quickstart does not print a line of the README: {event}\n{printed}");
    }
    assert!(printed.contains("result: 200 OK"), "{printed}");
}

/// Runs the quickstart. `cargo test` puts this test into `deps`, and the examples into a folder beside it.
fn output_of_quickstart() -> String {
    let test = env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join(format!("examples/quickstart{EXE_SUFFIX}"));
    let output = Command::new(example).env_remove("RUST_LOG").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
