//! `set_enabled(false)`, which disables all retries. The tests need their own process, because the switch is global, and they
//! run one at a time.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use retry_runtime::event::{EventKind, GiveUp};
use retry_runtime::{
    Budget, Condition, Event, Executor, Hedge, Observer, Policy, is_enabled, permanent, retry, set_enabled,
};
use tokio::time::{Instant, sleep};

type Plain = Result<(), &'static str>;

const SECOND: Duration = Duration::from_secs(1);

/// Lets one test run at a time. Enables retries again at its end.
struct Turn(#[expect(dead_code, reason = "holds the lock")] MutexGuard<'static, ()>);

impl Turn {
    fn wait() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        Self(TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        set_enabled(true);
    }
}

/// Records the reasons to give up.
#[derive(Default)]
struct Reasons(Mutex<Vec<GiveUp>>);

impl Observer for Reasons {
    fn on_event(&self, event: &Event<'_>) {
        if let EventKind::GaveUp(why) = event.kind {
            self.0.lock().unwrap().push(why);
        }
    }
}

#[retry(attempts = 3, backoff = "fixed", start = "1s", observer = reasons)]
async fn annotated(attempts: &AtomicU32, reasons: &Reasons) -> Plain {
    attempts.fetch_add(1, Relaxed);
    Err("no")
}

#[tokio::test(start_paused = true)]
async fn disabled_calls_make_one_attempt() {
    let _turn = Turn::wait();
    let (attempts, reasons) = (AtomicU32::new(0), Reasons::default());
    for (enabled, expected) in [(true, 3), (false, 1), (true, 3)] {
        set_enabled(enabled);
        assert_eq!(is_enabled(), enabled);
        assert_eq!(annotated(&attempts, &reasons).await, Err("no"));
        assert_eq!(attempts.swap(0, Relaxed), expected);
    }
    assert_eq!(*reasons.0.lock().unwrap(), [GiveUp::Exhausted, GiveUp::Disabled, GiveUp::Exhausted]);
    assert_eq!(GiveUp::Disabled.to_string(), "retries are switched off");
    assert_eq!(GiveUp::Disabled.as_str(), "disabled");
}

#[tokio::test(start_paused = true)]
async fn disabled_calls_still_wait_for_their_value() {
    #[retry(attempts = 5, start = "1s", until = |number| *number == 3)]
    async fn poll(attempts: &AtomicU32, fails: bool) -> std::io::Result<u32> {
        let number = attempts.fetch_add(1, Relaxed) + 1;
        if fails { Err(std::io::Error::other("lost")) } else { Ok(number) }
    }
    let _turn = Turn::wait();
    set_enabled(false);
    assert_eq!(poll(&AtomicU32::new(0), false).await.unwrap(), 3);
    let attempts = AtomicU32::new(0);
    poll(&attempts, true).await.unwrap_err();
    assert_eq!(attempts.load(Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn disabled_manual_loops_make_one_attempt() {
    let _turn = Turn::wait();
    set_enabled(false);
    let policy = Policy::new();
    let mut executor = Executor::new(&policy);
    assert_eq!(executor.pause("no").err(), Some("no"));
}

/// If another reason ends the call anyway, the event names that reason.
#[tokio::test(start_paused = true)]
async fn other_reasons_take_precedence() {
    let _turn = Turn::wait();
    set_enabled(false);
    let reasons = Reasons::default();
    let (once, more) = (Policy::new().attempts(1), Policy::new());
    assert!(Executor::new(&once).observer(&reasons).pause("no").is_err());
    let outcome: Result<(), _> = Err(permanent(std::io::Error::other("no")));
    assert!(Executor::new(&more).observer(&reasons).next(outcome, &Condition::new()).is_break());
    assert_eq!(*reasons.0.lock().unwrap(), [GiveUp::Exhausted, GiveUp::Permanent]);
}

#[tokio::test(start_paused = true)]
async fn attempt_after_a_running_pause_is_still_made() {
    let _turn = Turn::wait();
    let (attempts, reasons) = (AtomicU32::new(0), Reasons::default());
    let start = Instant::now();
    let switch = async {
        sleep(SECOND / 2).await;
        set_enabled(false);
    };
    let (outcome, ()) = tokio::join!(annotated(&attempts, &reasons), switch);
    assert_eq!((outcome, attempts.load(Relaxed), start.elapsed()), (Err("no"), 2, SECOND));
    assert_eq!(*reasons.0.lock().unwrap(), [GiveUp::Disabled]);
}

/// A retry that is not made takes no tokens.
#[tokio::test(start_paused = true)]
async fn disabled_retries_take_no_tokens() {
    static API: Budget = Budget::new();
    let _turn = Turn::wait();
    let tokens = API.tokens();
    set_enabled(false);
    let outcome: Result<(), std::io::Error> =
        Policy::new().budget(|| &API).run(|_| async { Err(std::io::Error::other("no")) }).await;
    assert!(outcome.is_err());
    assert_eq!(API.tokens(), tokens);
}

#[tokio::test(start_paused = true)]
async fn disabled_hedges_make_no_copies() {
    let _turn = Turn::wait();
    let (copies, hedge) = (AtomicU32::new(0), Hedge::after(SECOND));
    for (enabled, expected) in [(true, 2), (false, 1)] {
        set_enabled(enabled);
        let slow = hedge.run(|_| async {
            copies.fetch_add(1, Relaxed);
            sleep(SECOND * 3 / 2).await;
            Ok::<_, std::io::Error>(())
        });
        assert!(slow.await.is_ok());
        assert_eq!(copies.swap(0, Relaxed), expected);
    }
}
