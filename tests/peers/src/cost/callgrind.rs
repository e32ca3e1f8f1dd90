//! Instruction counts by valgrind's callgrind, which runs this program again.

use std::env::current_exe;
use std::process::Command;

/// Returns the instructions of one call.
pub(crate) fn instructions(case: &str, name: &str) -> f64 {
    let (few, many) = (50, 550);
    let of = |times: u64| collected(&["count", case, name, &times.to_string()]);
    // Take the difference, so that the work before and after the calls does not count.
    (of(many) - of(few)) / (many - few) as f64
}

fn collected(arguments: &[&str]) -> f64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(current_exe().unwrap())
        .args(arguments)
        .output()
        .expect("valgrind is not installed");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let collected = stderr.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.unwrap_or_else(|| panic!("callgrind failed:\n{stderr}"));
    count.trim().parse().unwrap()
}
