//! Compares compiler messages with the version of rustc that they were blessed with.
//!
//! Messages differ between compiler versions. With any version other than the one in the file `blessed-with`, [`run`] only
//! checks that each case in `fail` fails to compile and each case in `pass` compiles.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use trybuild::TestCases;

/// The compiler of this run, such as `rustc 1.95.0 (59807616e 2026-04-14)`.
const RUSTC: &str = env!("RUSTC_VERSION");

const BLESSED_WITH: &str = include_str!("blessed-with").trim_ascii();

/// The environment variable with the folder of cases, in the process that runs them without messages.
const CASES: &str = "UI_CASES_WITHOUT_MESSAGES";

/// Runs the test `test`. `add` adds its cases, from the folder `fail` or from a copy of it.
pub(crate) fn run(test: &str, add: impl Fn(&TestCases, &Path)) {
    if let Some(folder) = env::var_os(CASES) {
        add(&TestCases::new(), Path::new(&folder));
    } else if RUSTC.split(' ').nth(1) == Some(BLESSED_WITH) {
        add(&TestCases::new(), Path::new("fail"));
    } else {
        assert!(env::var_os("TRYBUILD").is_none(), "bless messages with rustc {BLESSED_WITH}: this is {RUSTC}");
        run_without_messages(test);
    }
}

/// Fails if an expected message quotes the standard library. rustc does that only if the component `rust-src` is installed, and the
/// names of the quoted files differ between versions.
pub(crate) fn messages_do_not_quote_the_standard_library() {
    let messages = files(Path::new("fail")).into_iter().filter(|file| file.extension().is_some_and(|e| e == "stderr"));
    let quotes: Vec<_> = messages.filter(|message| fs::read_to_string(message).unwrap().contains("$RUST")).collect();
    assert!(quotes.is_empty(), "change these cases so that rustc does not quote the standard library: {quotes:?}");
}

/// Runs the test on a copy of the cases without their messages. trybuild writes a missing message if it may overwrite messages, so it
/// fails only if a case compiles.
fn run_without_messages(test: &str) {
    // Without `eprintln!`, because the test harness captures its output if the test passes.
    let notice = format!(
        "{test}: messages are not compared, because they were blessed with rustc {BLESSED_WITH} and this is {RUSTC}\n"
    );
    io::stderr().write_all(notice.as_bytes()).unwrap();
    let copy = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_PKG_NAME")).join(test);
    copy_cases(&copy).unwrap();
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

fn copy_cases(copy: &Path) -> io::Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    for case in files(Path::new("fail")).into_iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
        let to = copy.join(case.strip_prefix("fail").unwrap());
        fs::create_dir_all(to.parent().unwrap())?;
        fs::copy(&case, to)?;
    }
    Ok(())
}

/// All files in a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (folders, mut found): (Vec<_>, Vec<_>) = entries(folder).into_iter().partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
