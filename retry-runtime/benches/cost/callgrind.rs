//! Instructions, counted by valgrind's callgrind, in which the program runs itself again.

use std::env::current_exe;
use std::process::Command;

/// The instructions of this program with these arguments; `None` where there is no valgrind.
pub(crate) fn counted(arguments: &[&str]) -> Option<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(current_exe().unwrap())
        .args(arguments)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : "));
    let (_, count) = collected.unwrap_or_else(|| panic!("callgrind failed:\n{said}"));
    Some(count.trim().parse().unwrap())
}
