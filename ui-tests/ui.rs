//! Compiler messages, read as a user would. `TRYBUILD=overwrite cargo test -p retry-ui-tests` blesses them.
//!
//! Messages differ between compiler versions, so they are compared only with the version in the file `blessed-with`. With
//! any other one, the tests check that each case in `fail` fails to compile and each case in `pass` compiles.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use trybuild::TestCases;

/// The theme whose mistakes only a build finds: `cargo check` does not evaluate the constants of a function.
const BUILT: &str = "constants";

/// The compiler of this run, such as `rustc 1.95.0 (59807616e 2026-04-14)`.
const RUSTC: &str = env!("RUSTC_VERSION");

const BLESSED_WITH: &str = include_str!("blessed-with").trim_ascii();

/// Set in the process that runs the cases of a folder without messages.
const CASES: &str = "UI_CASES_WITHOUT_MESSAGES";

/// All in one run of `cargo check`, which is what trybuild does where no case is expected to compile.
#[test]
fn checked() {
    run("checked", |cases, fail| {
        for theme in themes(fail).filter(|theme| !theme.ends_with(BUILT)) {
            cases.compile_fail(theme.join("*.rs"));
        }
    });
}

/// One by one with `cargo build`, which is what trybuild does where some case is expected to compile.
#[test]
fn built() {
    run("built", |cases, fail| {
        cases.pass("pass/*.rs");
        cases.compile_fail(fail.join(BUILT).join("*.rs"));
    });
}

/// rustc quotes it only where the component `rust-src` is installed, and names its files by the version.
#[test]
fn messages_do_not_quote_the_standard_library() {
    let quotes: Vec<_> = themes(Path::new("fail"))
        .flat_map(|theme| files(&theme, "stderr"))
        .filter(|message| fs::read_to_string(message).unwrap().contains("$RUST"))
        .collect();
    assert!(quotes.is_empty(), "word these cases so that rustc need not point into the standard library: {quotes:?}");
}

/// Compares messages with the version that they were blessed with; with any other one, only looks for errors.
fn run(test: &str, add: impl Fn(&TestCases, &Path)) {
    if let Some(folder) = env::var_os(CASES) {
        add(&TestCases::new(), Path::new(&folder));
    } else if RUSTC.split(' ').nth(1) == Some(BLESSED_WITH) {
        add(&TestCases::new(), Path::new("fail"));
    } else {
        assert!(env::var_os("TRYBUILD").is_none(), "bless messages with rustc {BLESSED_WITH}: this is {RUSTC}");
        run_without_messages(test);
    }
}

/// Runs the test once more on a copy of the cases that has no messages: trybuild writes those it misses when it is told
/// to overwrite them, and so fails only where a case compiles.
fn run_without_messages(test: &str) {
    // Not by `eprintln!`, which the test harness captures where a test passes.
    let left_out = format!(
        "{test}: messages are not compared, for they were blessed with rustc {BLESSED_WITH} and this is {RUSTC}"
    );
    writeln!(io::stderr(), "{left_out}").unwrap();
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    for theme in themes(Path::new("fail")) {
        copy_cases(&theme, &copy.join(theme.file_name().unwrap())).unwrap();
    }
    let filters = env::args().filter(|argument| argument.starts_with("trybuild="));
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .args(filters)
        .env(CASES, &copy)
        .env("TRYBUILD", "overwrite")
        .output()
        .unwrap();
    let Output { status, stdout, stderr } = output;
    assert!(status.success(), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
}

fn copy_cases(theme: &Path, copy: &Path) -> io::Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    fs::create_dir_all(copy)?;
    for case in files(theme, "rs") {
        fs::copy(&case, copy.join(case.file_name().unwrap()))?;
    }
    Ok(())
}

fn themes(fail: &Path) -> impl Iterator<Item = PathBuf> {
    entries(fail).into_iter().filter(|path| path.is_dir())
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    entries(folder).into_iter().filter(|path| path.extension() == Some(OsStr::new(extension))).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
