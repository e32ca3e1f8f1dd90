//! `track`: reports to the caller about the attempts of a call.

use std::error::Error;
use std::io;
use std::time::Duration;

use retry_runtime::http::SendWithRetry;
use retry_runtime::track::RetryError;
use retry_runtime::{Class, Executor, Policy, Retryable, retry, track};
use tokio::time::{sleep, timeout};

use crate::support::server::{Reply, Server};
use crate::support::{Attempts, Fault, SECOND, ms};

#[retry(attempts = 3, start = "1s")]
async fn call(attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
    sleep(ms(10)).await;
    attempts.succeed_at(succeed_at, Fault::status(503))
}

#[tokio::test(start_paused = true)]
async fn report_contains_attempts_and_elapsed_time() {
    for (succeed_at, elapsed) in [(1, ms(10)), (2, ms(1020)), (3, ms(3030))] {
        let report = track(call(&Attempts::new(), succeed_at)).await;
        assert_eq!((report.attempts(), report.elapsed()), (succeed_at, elapsed));
        assert_eq!(report.outcome, Ok(succeed_at));
        assert!(report.failures().is_empty(), "the history is empty by default");
    }
}

#[tokio::test(start_paused = true)]
async fn failure_becomes_one_error_with_a_history() {
    let exhausted = track(call(&Attempts::new(), 9)).history(16).await.into_result().unwrap_err();
    assert_eq!(exhausted.to_string(), "failed after 3 attempts in 3.03s");
    assert_eq!(exhausted.source().unwrap().downcast_ref(), Some(&Fault::status(503)));
    let failures: Vec<_> = exhausted.failures().iter().map(|f| (f.to_string(), f.class, f.status, f.delay)).collect();
    let failure = |n, delay| (format!("attempt {n}: fault"), Class::Transient, Some(503), delay);
    assert_eq!(failures, [failure(1, Some(SECOND)), failure(2, Some(SECOND * 2)), failure(3, None)]);
    assert_eq!(exhausted.into_last(), Fault::status(503));
}

#[tokio::test(start_paused = true)]
async fn history_keeps_the_last_failures() {
    for (limit, kept) in [(0, [].as_slice()), (1, &[3]), (2, &[2, 3]), (9, &[1, 2, 3])] {
        let report = track(call(&Attempts::new(), 9)).history(limit).await;
        let numbers: Vec<_> = report.failures().iter().map(|failure| failure.attempt).collect();
        assert_eq!(numbers, kept);
        assert_eq!(report.attempts(), 3);
    }
}

/// A loop may report again how it ended. Another attempt after that is another failure.
#[test]
fn failure_that_is_reported_twice_is_kept_once() {
    for (attempts, failures) in [(1, 1), (2, 2)] {
        let report = track(|| {
            let mut retry = Executor::new(&const { Policy::new().attempts(1) });
            for _ in 0..attempts {
                let error = retry.attempt_blocking(|| "no");
                let error = retry.pause(error).unwrap_err();
                retry.fail(error);
            }
        });
        assert_eq!(report.history(9).block().failures().len(), failures);
    }
}

#[tokio::test(start_paused = true)]
async fn success_has_a_history() {
    let report = track(call(&Attempts::new(), 2)).history(9).await;
    assert_eq!(report.failures().len(), 1);
    assert_eq!(report.into_result().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn manual_loops_and_closures_are_tracked() {
    const POLICY: Policy = Policy::fixed(SECOND).attempts(3);
    let attempts = Attempts::new();
    let manual = track(async {
        let mut retry = Executor::new(&POLICY);
        loop {
            match retry.attempt_to_end(async { attempts.succeed_at(2, "no") }).await {
                Ok(number) => break Ok::<_, &str>(retry.succeed(number)),
                Err(error) => retry.pause(error)?.await,
            }
        }
    });
    assert_eq!(manual.await.attempts(), 2);
    let closure = POLICY.run(|_| async { Err::<(), _>(io::Error::other("no")) });
    assert_eq!(track(closure).await.attempts(), 3);
}

#[tokio::test]
async fn request_is_tracked_and_its_history_contains_no_secret() {
    let server = Server::start([Reply::status(503)]).await;
    let policy = Policy::fixed(Duration::ZERO).attempts(2);
    let request = reqwest::Client::new().get(&server.url).send_with_retry(&policy);
    assert_eq!(track(request).await.attempts(), 2);
    drop(server);
    let nowhere = reqwest::Client::new().get("http://user:password@127.0.0.1:1/?token=secret").send_with_retry(&policy);
    let exhausted = track(nowhere).history(9).await.into_result().unwrap_err();
    let text = format!("{exhausted} {:?}", exhausted.failures());
    assert!(text.contains("127.0.0.1:1"), "{text}");
    assert!(!["password", "secret"].iter().any(|secret| text.contains(secret)), "{text}");
}

#[test]
fn blocking_function_is_tracked() {
    #[retry(blocking, backoff = "fixed", start = "0s")]
    fn read(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(3, Fault::UNKNOWN)
    }
    let report = track(|| read(&Attempts::new())).history(1).block();
    assert_eq!((report.attempts(), report.failures().len()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_are_tracked_separately() {
    let (first, second) = (Attempts::new(), Attempts::new());
    let (beside, one, three) =
        tokio::join!(call(&first, 2), track(call(&second, 1)), track(async { call(&Attempts::new(), 3).await }));
    assert_eq!((beside, one.attempts(), three.attempts()), (Ok(2), 1, 3));
}

#[tokio::test(start_paused = true)]
async fn outer_report_includes_nested_reports() {
    let both = track(async {
        call(&Attempts::new(), 2).await.unwrap();
        track(call(&Attempts::new(), 3)).await.attempts()
    })
    .history(2)
    .await;
    assert_eq!((both.outcome, both.attempts()), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn attempt_that_never_starts_does_not_count() {
    // Attempts at 0 and 1010 ms, and a pause from 1020 to 3020.
    for (dropped_after, attempts) in [(5, 1), (500, 1), (1015, 2), (1500, 2), (3025, 3)] {
        let call = async { timeout(ms(dropped_after), call(&Attempts::new(), 9)).await.unwrap_err() };
        assert_eq!(track(call).await.attempts(), attempts, "after {dropped_after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn attempt_after_a_dropped_pause_counts_once() {
    const POLICY: Policy = Policy::fixed(SECOND).attempts(3);
    let manual = track(async {
        let mut retry = Executor::new(&POLICY);
        retry.attempt_to_end(async {}).await;
        drop(retry.pause("no").unwrap());
        retry.attempt_to_end(async {}).await;
        // The loop may also run the attempt without the executor.
        retry.pause("no").unwrap().await;
        retry.succeed(());
    });
    assert_eq!(manual.await.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_a_dropped_nested_report_count_outside() {
    let outer = track(async {
        timeout(ms(1500), track(call(&Attempts::new(), 9)).history(9)).await.unwrap_err();
        call(&Attempts::new(), 2).await
    });
    let outer = outer.history(9).await;
    // `attempts` is one more than the number of retries: one retry of the dropped call, and one of the second call.
    assert_eq!(outer.attempts(), 3);
    let numbers: Vec<_> = outer.failures().iter().map(|failure| failure.attempt).collect();
    assert_eq!(numbers, [1, 2, 1]);
}

#[tokio::test(start_paused = true)]
async fn dropped_report_does_not_affect_the_next() {
    timeout(ms(1500), track(call(&Attempts::new(), 9)).history(9)).await.unwrap_err();
    assert_eq!(track(call(&Attempts::new(), 1)).await.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_error_has_the_class_of_the_last_failure() {
    #[retry(attempts = 2, start = "1s")]
    async fn outer(outside: &Attempts, fault: Fault) -> Result<u32, RetryError<Fault>> {
        outside.start();
        track(async { Err(fault) }).await.into_result()
    }
    for (fault, expected) in [(Fault::TRANSIENT, 2), (Fault::PERMANENT, 1)] {
        let outside = Attempts::new();
        let exhausted = outer(&outside, fault).await.unwrap_err();
        assert_eq!((outside.count(), exhausted.class()), (expected, fault.class()));
    }
}
