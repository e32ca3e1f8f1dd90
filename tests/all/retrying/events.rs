//! Events of `retrying!`: the same as those of an annotated function.

use retry_runtime::{Policy, retry, retrying};
use tokio::time::sleep;

use crate::support::trace::record;
use crate::support::{Attempts, Fault, Recorder, SECOND, recorded_blocking_sleep};

/// The outcomes of the attempts: each fails with the next fault, and then one succeeds.
const SCRIPTS: [&[Fault]; 5] = [
    &[],
    &[Fault::TRANSIENT],
    &[Fault::status(503), Fault::UNKNOWN, Fault::TRANSIENT, Fault::TRANSIENT],
    &[Fault::PERMANENT],
    &[Fault::status(429).after(SECOND), Fault::PERMANENT],
];

fn next(script: &[Fault], attempts: &Attempts) -> Result<u32, Fault> {
    let number = attempts.start();
    script.get(number as usize - 1).map_or(Ok(number), |fault| Err(*fault))
}

#[tokio::test(start_paused = true)]
async fn a_block_emits_the_events_of_an_annotated_function() {
    #[retry(attempts = 4, start = "1s", on_status = [503, 429], name = "call", observer = recorder)]
    async fn annotated(recorder: &Recorder, script: &[Fault], attempts: &Attempts) -> Result<u32, Fault> {
        next(script, attempts)
    }
    for script in SCRIPTS {
        let (one, other) = (Recorder::new(), Recorder::new());
        let (first, second) = (Attempts::new(), Attempts::new());
        let expected = annotated(&one, script, &first).await;
        let call =
            retrying!(attempts = 4, start = "1s", on_status = [503, 429], name = "call", observer = other, async {
                next(script, &second)
            });
        assert_eq!(call.await, expected);
        assert_eq!(other.lines(), one.lines());
        assert_eq!((other.names(), other.elapsed()), (one.names(), one.elapsed()));
        assert_eq!(second.delays(), first.delays());
    }
}

#[test]
fn a_blocking_closure_emits_the_events_of_an_annotated_function() {
    #[retry(blocking, attempts = 4, name = "call", observer = recorder, sleep = recorded_blocking_sleep, start = "1s")]
    fn annotated(recorder: &Recorder, script: &[Fault], attempts: &Attempts) -> Result<u32, Fault> {
        next(script, attempts)
    }
    for script in SCRIPTS {
        let (one, other) = (Recorder::new(), Recorder::new());
        let (first, second) = (Attempts::new(), Attempts::new());
        let expected = one.record_blocking_sleeps(|| annotated(&one, script, &first));
        let outcome = other.record_blocking_sleeps(|| {
            retrying!(
                blocking,
                attempts = 4,
                start = "1s",
                name = "call",
                observer = other,
                sleep = recorded_blocking_sleep,
                || next(script, &second)
            )
        });
        assert_eq!(outcome, expected);
        assert_eq!((other.lines(), other.slept()), (one.lines(), one.slept()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_cancelled() {
    let recorder = Recorder::new();
    let call = retrying!(observer = recorder, async {
        sleep(SECOND * 9).await;
        Ok::<_, Fault>(())
    });
    assert!(tokio::time::timeout(SECOND, call).await.is_err());
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
}

#[tokio::test(start_paused = true)]
async fn the_span_has_the_name_of_the_call() {
    let (trace, _guard) = record();
    let policy = Policy::fixed(SECOND).attempts(2);
    let outcome = retrying!(policy = policy, name = "load", async { Err::<(), _>(Fault::TRANSIENT) });
    outcome.await.unwrap_err();
    let spans = trace.spans();
    assert!(!spans.is_empty());
    assert!(spans.iter().any(|span| span.fields.values().any(|value| value.contains("load"))), "{spans:?}");
}

#[tokio::test(start_paused = true)]
async fn events_are_as_loud_as_the_argument_says() {
    macro_rules! levels {
        ($($arguments:tt)*) => {{
            let (trace, _guard) = record();
            retrying!($($arguments)* start = "1s", async { Err::<(), _>(Fault::TRANSIENT) }).await.unwrap_err();
            let mut levels: Vec<String> = trace.events().into_iter().map(|event| event.level).collect();
            levels.sort();
            levels.dedup();
            levels
        }};
    }
    let (info, debug) = (levels!(events = "info",), levels!(events = "debug",));
    assert!(info.contains(&"INFO".to_owned()), "{info:?}");
    assert!(!debug.contains(&"INFO".to_owned()) && !debug.is_empty(), "{debug:?}");
    assert_eq!(levels!(events = "off",), Vec::<String>::new());
}
