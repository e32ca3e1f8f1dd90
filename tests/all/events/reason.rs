//! The text of a failure in events.

use retry_runtime::{Executor, Policy, retry};

use crate::support::{FakeResponse, Fault, Recorder, SECOND};

macro_rules! reason {
    ($output:ty, $outcome:expr $(, $($arguments:tt)*)?) => {{
        #[retry(attempts = 1, observer = recorder $(, $($arguments)*)?)]
        async fn call(recorder: &Recorder) -> $output {
            $outcome
        }
        let recorder = Recorder::new();
        let _ = call(&recorder).await;
        let failed = recorder.lines().swap_remove(1);
        failed.split_once("reason: ").unwrap().1.trim_end_matches(" }").to_owned()
    }};
}

#[derive(Debug)]
struct Debugged(#[expect(dead_code, reason = "used by `Debug`")] u32);

struct Bare;

#[tokio::test]
async fn reason_is_display_or_debug_or_the_type_name() {
    assert_eq!(reason!(Result<(), Fault>, Err(Fault::UNKNOWN)), "fault");
    assert_eq!(reason!(Result<(), Debugged>, Err(Debugged(7))), "Debugged(7)");
    assert_eq!(reason!(Result<(), Bare>, Err(Bare)), "all::events::reason::Bare");
}

#[tokio::test]
async fn reason_of_a_response_is_its_status() {
    assert_eq!(reason!(Result<FakeResponse, Fault>, Ok(FakeResponse(503))), "status 503");
    assert_eq!(reason!(FakeResponse, FakeResponse(503)), "status 503");
    assert_eq!(reason!(Option<u32>, None), "no value");
    assert_eq!(reason!(Result<u32, Fault>, Ok(1), on_ok = |_| true), "`on_ok` asks for another attempt");
}

#[tokio::test]
async fn reason_hides_secrets_in_urls() {
    let shown = reason!(Result<(), String>, Err("for url (https://user:pw@host/path?key=secret) and more".to_owned()));
    assert_eq!(shown, "for url (https://***@host/path?***) and more");
}

#[tokio::test(start_paused = true)]
async fn reason_hides_secrets_in_manual_loops() {
    let recorder = Recorder::new();
    let policy = Policy::new();
    let mut retry = Executor::new(&policy).observer(&*recorder);
    let _ = retry.pause("https://user:pw@host/?key=secret");
    let _ = retry.fail("https://user:pw@host/?key=secret");
    let lines = recorder.lines().join("\n");
    assert!(!lines.contains("pw") && !lines.contains("secret"), "{lines}");
    assert_eq!(lines.matches("https://***@host/?***").count(), 2);
}

/// The `Display` text of each event.
#[test]
fn event_displays_as_one_readable_line() {
    struct Lines(std::sync::Mutex<Vec<String>>);
    impl retry_runtime::Observer for Lines {
        fn on_event(&self, event: &retry_runtime::Event<'_>) {
            self.0.lock().unwrap().push(event.to_string());
        }
    }
    let lines = Lines(Default::default());
    let policy = Policy::fixed(SECOND).attempts(2);
    let mut retry = Executor::new(&policy).observer(&lines);
    let error = retry.attempt_blocking(|| "no");
    retry.pause(error).unwrap().block_with(|_| ());
    let error = retry.attempt_blocking(|| "no");
    assert_eq!(retry.pause(error).unwrap_err(), "no");
    drop(retry);
    let expected = [
        "attempt 1 of 2 starts",
        "attempt 1 of 2 failed: no",
        "next attempt in 1s",
        "attempt 2 of 2 starts",
        "attempt 2 of 2 failed: no",
        "gave up after attempt 2 of 2: no attempt is left",
    ];
    assert_eq!(*lines.0.lock().unwrap(), expected);
}
