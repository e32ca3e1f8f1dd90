//! Instruction counts by valgrind's callgrind, which runs this program again.

use std::env::current_exe;
use std::process::Command;

/// Returns the instructions of this program with these arguments, or `None` if valgrind is not installed.
pub(crate) fn count_instructions(arguments: &[&str]) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(current_exe().unwrap())
        .args(arguments)
        .output()
        .ok()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let collected = stderr.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.unwrap_or_else(|| panic!("callgrind failed:\n{stderr}"));
    Some(count.trim().parse().unwrap())
}
