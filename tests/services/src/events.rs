//! The reports of a service on its standard output: lines such as `started NAME 1790000000000000`, with the time in
//! microseconds since 1970. The processes of a test run on one machine, so their clocks agree.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use retry_runtime::server::Caller;

/// The current time in microseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Writes the line `EVENT NAME TIME`.
pub fn report(event: &str, name: &str) {
    write(&format!("{event} {name} {}\n", now()));
}

// One `write` for each line, so that lines of different threads do not mix. If the reader is gone, the service ends anyway.
fn write(line: &str) {
    drop(io::stdout().lock().write_all(line.as_bytes()));
}

/// Writes the line `received NAME TIME ATTEMPT MILLISECONDS`: what the request says about its caller. A part that it does not say is `-`.
pub(crate) fn report_caller(name: &str, caller: Option<&Caller>) {
    let Some(caller) = caller else { return };
    let attempt = caller.attempt().map_or("-".to_owned(), |attempt| attempt.to_string());
    let left = caller.time_left().map_or("-".to_owned(), |left| left.as_millis().to_string());
    write(&format!("received {name} {} {attempt} {left}\n", now()));
}

/// Reports `started` now, and `stopped` when it is dropped: at the end of the work, or when the work is cancelled.
#[derive(Debug)]
pub struct Working(String);

impl Working {
    /// Starts the work for the request of this name.
    #[must_use]
    pub fn on(name: &str) -> Self {
        report("started", name);
        Self(name.to_owned())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        report("stopped", &self.0);
    }
}
