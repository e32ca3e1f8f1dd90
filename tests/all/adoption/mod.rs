//! Ten shapes of retry code in well-known projects: the form that their authors write today, and the library's form. Each pair is
//! run against the same scripted failures, and has to make the same attempts at the same times.
//!
//! Each shape is a file with the types that both forms use, a module `before`, a module `after`, and tests that run both. The
//! number of lines of a form is that of its module. Only blank lines, comments and `use` do not count. The operation itself (the
//! request, the commit) is outside the modules if its code is the same in both forms.

mod anyhow_in_a_task;
mod build_cache;
mod crates_of_today;
mod database_pool;
mod editor_search;
mod language_model;
mod lines;
mod object_store;
mod object_store_download;
mod package_manager;
mod storage_layer;
mod table_commit;
mod workflow_client;

use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::testing::Script;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// Notes of a run, with their times.
#[derive(Debug)]
struct Log {
    /// The start on tokio's paused clock. `None` for blocking code, whose time is the sum of its calls of [`sleep`].
    start: Option<Instant>,
    lines: Mutex<Vec<String>>,
}

thread_local! {
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Takes the place of `std::thread::sleep`.
fn sleep(delay: Duration) {
    SLEPT.set(SLEPT.get() + delay);
}

impl Log {
    fn new() -> Self {
        SLEPT.set(Duration::ZERO);
        Self { start: Handle::try_current().is_ok().then(Instant::now), lines: Mutex::default() }
    }

    fn note(&self, text: impl Display) {
        let time = self.start.map_or_else(|| SLEPT.get(), |start| start.elapsed());
        self.lines.lock().unwrap().push(format!("{time:?} {text}"));
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

/// A server that replies as scripted, and notes each request.
#[derive(Debug)]
struct Server<T> {
    replies: Script<T>,
    log: Log,
}

impl<T> Server<T> {
    fn new(replies: impl IntoIterator<Item = T>) -> Self {
        Self { replies: Script::new(replies), log: Log::new() }
    }

    fn reply(&self, request: impl Display) -> T {
        self.log.note(request);
        self.replies.next()
    }
}

/// A run: its outcome, and the notes of the attempts.
type Run = (String, Vec<String>);

fn run_of(outcome: &impl Debug, log: &Log) -> Run {
    (format!("{outcome:?}"), log.lines())
}

/// Checks that both forms have done the same, and that this is what is expected.
#[track_caller]
fn assert_same(before: &Run, after: &Run, outcome: &str, notes: &[&str]) {
    assert_eq!(before, after);
    assert_eq!((after.0.as_str(), after.1.iter().map(String::as_str).collect::<Vec<_>>()), (outcome, notes.to_vec()));
}

/// The random number of both forms.
fn half() -> f64 {
    0.5
}
