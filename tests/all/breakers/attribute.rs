//! The argument `breaker` of the attribute.

use std::cell::Cell;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::Duration;

use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::{Breaker, Budget, Class, Policy, Retryable, retry};

use super::{Outcome, opens_after_two};
use crate::support::{Attempts, FakeResponse, Fault, Recorder, SECOND, ms, timed};

/// Makes four calls to a function with its own breaker, which opens on the second failure, and the given arguments.
/// Returns the number of attempts.
macro_rules! attempts_in_four_calls {
    (($($arguments:tt)*) $output:ty, $outcome:expr) => {{
        static BREAKER: Breaker = opens_after_two();

        #[retry(breaker = BREAKER, $($arguments)*)]
        async fn call(attempts: &Attempts) -> $output {
            attempts.start();
            $outcome
        }
        let attempts = Attempts::new();
        for _ in 0..4 {
            let _ = call(&attempts).await;
        }
        attempts.count()
    }};
}

#[tokio::test(start_paused = true)]
async fn open_breaker_rejects_attempts() {
    static BREAKER: Breaker = opens_after_two().name("api");

    #[retry(breaker = BREAKER, backoff = "fixed", start = "1s")]
    async fn call(attempts: &Attempts) -> io::Result<()> {
        attempts.start();
        Err(ErrorKind::ConnectionReset.into())
    }

    let attempts = Attempts::new();
    let (outcome, took) = timed(call(&attempts)).await;
    assert_eq!(outcome.unwrap_err().to_string(), "the breaker `api` is open");
    assert_eq!((attempts.count(), took), (2, SECOND * 2));
    let (outcome, took) = timed(call(&attempts)).await;
    assert_eq!(outcome.unwrap_err().to_string(), "the breaker `api` is open");
    assert_eq!((attempts.count(), took), (2, Duration::ZERO));
}

#[derive(Debug, thiserror::Error)]
#[error("custom")]
struct Custom;

impl From<BreakerOpen> for Custom {
    fn from(_: BreakerOpen) -> Self {
        Self
    }
}

impl From<BreakerOpen> for Fault {
    fn from(open: BreakerOpen) -> Self {
        if open.class() == Class::Transient { Self::TRANSIENT.after(open.half_open_in()) } else { Self::PERMANENT }
    }
}

/// The outcome of a rejected attempt. It is a failure although the type is not a `Result`.
impl retry_runtime::breaker::FromBreakerOpen for FakeResponse {
    fn from_breaker_open(_: BreakerOpen) -> Self {
        Self(418)
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_recognizes_the_same_failures_as_the_attribute() {
    fn refused() -> io::Error {
        ErrorKind::ConnectionRefused.into()
    }
    fn invalid() -> io::Error {
        ErrorKind::InvalidInput.into()
    }
    let made = [
        attempts_in_four_calls!((attempts = 1) io::Result<()>, Err(refused())),
        attempts_in_four_calls!((attempts = 1) anyhow::Result<()>, Err(refused().into())),
        attempts_in_four_calls!((attempts = 1) Outcome, Err(refused().into())),
        attempts_in_four_calls!((attempts = 1) Result<(), Custom>, Err(Custom)),
        attempts_in_four_calls!((attempts = 1) Result<(), String>, Err(String::new())),
        attempts_in_four_calls!((attempts = 1) Result<FakeResponse, String>, Ok(FakeResponse(503))),
        attempts_in_four_calls!((attempts = 1) Option<()>, None),
        attempts_in_four_calls!((attempts = 1) FakeResponse, FakeResponse(503)),
    ];
    assert_eq!(made, [2; 8]);
    let let_through = [
        attempts_in_four_calls!((attempts = 1) io::Result<()>, Err(invalid())),
        attempts_in_four_calls!((attempts = 1) anyhow::Result<()>, Err(invalid().into())),
        attempts_in_four_calls!((attempts = 1) Outcome, Err(invalid().into())),
        attempts_in_four_calls!((attempts = 1) Result<FakeResponse, String>, Ok(FakeResponse(404))),
        attempts_in_four_calls!((attempts = 1) Option<()>, Some(())),
        attempts_in_four_calls!((attempts = 1) FakeResponse, FakeResponse(404)),
    ];
    assert_eq!(let_through, [4; 6]);
}

#[tokio::test(start_paused = true)]
async fn condition_does_not_change_which_failures_count() {
    let made = attempts_in_four_calls!(
        (attempts = 1, on_error = "never") io::Result<()>,
        Err(ErrorKind::ConnectionRefused.into())
    );
    assert_eq!(made, 2);
    let made =
        attempts_in_four_calls!((attempts = 1, on_error = "any") io::Result<()>, Err(ErrorKind::InvalidInput.into()));
    assert_eq!(made, 4);
    let made = attempts_in_four_calls!((attempts = 1, on_ok = |n| *n == 0) io::Result<u32>, Ok(0));
    assert_eq!(made, 4);
}

#[tokio::test(start_paused = true)]
async fn breaker_works_beside_a_named_policy() {
    static BUDGET: Budget = Budget::new();
    const POLICY: Policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| &BUDGET);
    let made = attempts_in_four_calls!((policy = POLICY) io::Result<()>, Err(ErrorKind::ConnectionRefused.into()));
    assert_eq!(made, 2);
}

#[tokio::test(start_paused = true)]
async fn attempt_that_is_cut_off_counts_as_a_failure() {
    let made = attempts_in_four_calls!((attempts = 1, attempt_timeout = "1s") io::Result<()>, pending().await);
    assert_eq!(made, 2);
    let made = attempts_in_four_calls!((attempts = 1, deadline = "1s") io::Result<()>, pending().await);
    assert_eq!(made, 2);
    const POLICY: Policy = Policy::fixed(Duration::ZERO).attempts(1).attempt_timeout(Duration::from_secs(1));
    let made = attempts_in_four_calls!((policy = POLICY) io::Result<()>, pending().await);
    assert_eq!(made, 2);
}

#[tokio::test(start_paused = true)]
async fn retry_waits_for_the_probe_if_the_deadline_leaves_time() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 4, backoff = "fixed", start = "1s", deadline = "8s")]
    async fn call(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(3, Fault::TRANSIENT)
    }

    let attempts = Attempts::new();
    let (outcome, took) = timed(call(&attempts)).await;
    // The breaker opens with the second failure, after one second. It rejects an attempt and lets a probe through after
    // five seconds.
    assert_eq!((outcome, took), (Ok(3), SECOND + SECOND * 5));
    assert_eq!(BREAKER.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn deadline_of_an_outer_call_leaves_time_for_the_probe() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 4, backoff = "fixed", start = "1s")]
    async fn call(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(3, Fault::TRANSIENT)
    }

    let attempts = Attempts::new();
    let around = Policy::new().attempts(1).deadline(SECOND * 8);
    let (outcome, took) = timed(around.run(|_| call(&attempts))).await;
    assert_eq!((outcome, took), (Ok(3), SECOND * 6));
}

#[tokio::test(start_paused = true)]
async fn rejected_attempt_emits_events() {
    static BREAKER: Breaker = opens_after_two().name("api");

    #[retry(breaker = BREAKER, backoff = "fixed", start = "0s", observer = recorder)]
    async fn call(recorder: &Recorder) -> io::Result<()> {
        Err(ErrorKind::ConnectionRefused.into())
    }

    let recorder = Recorder::new();
    call(&recorder).await.unwrap_err();
    let lines = recorder.lines();
    assert_eq!(lines[lines.len() - 3], "3/3 AttemptStarted");
    assert!(lines[lines.len() - 2].contains("class: Permanent"), "{lines:?}");
    assert!(lines[lines.len() - 2].contains("reason: the breaker `api` is open"), "{lines:?}");
    assert_eq!(lines[lines.len() - 1], "3/3 GaveUp(Permanent)");
}

#[tokio::test(start_paused = true)]
async fn dropped_call_does_not_count_and_frees_the_probe() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, attempts = 1)]
    async fn call(outcome: Option<io::Result<()>>) -> io::Result<()> {
        match outcome {
            None => pending().await,
            Some(Ok(())) => Ok(()),
            Some(Err(ref error)) => Err(error.kind().into()),
        }
    }

    for _ in 0..9 {
        tokio::time::timeout(ms(10), call(None)).await.unwrap_err();
    }
    assert_eq!(BREAKER.state(), BreakerState::Closed);
    for _ in 0..2 {
        call(Some(Err(ErrorKind::ConnectionReset.into()))).await.unwrap_err();
    }
    tokio::time::advance(SECOND * 5).await;
    tokio::time::timeout(ms(10), call(None)).await.unwrap_err();
    assert_eq!(BREAKER.state(), BreakerState::HalfOpen);
    call(Some(Ok(()))).await.unwrap();
    assert_eq!(BREAKER.state(), BreakerState::Closed);
}

#[test]
fn blocking_function_goes_through_the_breaker() {
    static BREAKER: Breaker = opens_after_two();

    #[retry(breaker = BREAKER, blocking, start = "0s", bind = attempt, clone = [text])]
    fn call(attempts: &Attempts, text: String) -> io::Result<()> {
        attempts.start();
        drop(text);
        if attempt.number() > 9 {
            return Ok(());
        }
        Err(ErrorKind::ConnectionReset)?
    }

    let attempts = Attempts::new();
    for _ in 0..3 {
        call(&attempts, String::new()).unwrap_err();
    }
    assert_eq!(attempts.count(), 2);
}

mod api {
    use retry_runtime::{Breaker, Budget};

    pub(super) static BREAKER: Breaker = super::opens_after_two();
    pub(super) static BUDGET: Budget = Budget::new().capacity(10);
}

struct Client(Attempts);

#[allow(unused_qualifications, clippy::manual_async_fn, reason = "the test covers these forms")]
impl Client {
    #[retry(breaker = crate::breakers::attribute::api::BREAKER, budget = crate::breakers::attribute::api::BUDGET, start = "0s")]
    fn returned(&self) -> impl Future<Output = io::Result<()>> + Send {
        async move {
            self.0.start();
            Err(ErrorKind::ConnectionReset.into())
        }
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_and_budget_accept_any_path() {
    let client = Client(Attempts::new());
    client.returned().await.unwrap_err();
    assert_eq!((client.0.count(), api::BREAKER.state(), api::BUDGET.tokens()), (2, BreakerState::Open, 0));
}

/// Rust 1.85 does not allow a constant to refer to a static that can change.
#[rustversion::since(1.95)]
mod associated_constant {
    use super::*;

    static BREAKER: Breaker = opens_after_two();
    static BUDGET: Budget = Budget::new().capacity(10);

    struct Client(Attempts);

    impl Client {
        const BREAKER: &'static Breaker = &BREAKER;
        const BUDGET: &'static Budget = &BUDGET;

        #[retry(breaker = Self::BREAKER, budget = Self::BUDGET, start = "0s")]
        async fn load(&mut self) -> io::Result<()> {
            self.0.start();
            Err(ErrorKind::ConnectionReset.into())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_and_budget_accept_it() {
        let mut client = Client(Attempts::new());
        client.load().await.unwrap_err();
        assert_eq!((client.0.count(), BREAKER.state(), BUDGET.tokens()), (2, BreakerState::Open, 0));
    }
}

#[async_trait::async_trait]
trait Load {
    async fn load(&self, attempts: &Attempts) -> io::Result<()>;
}

#[async_trait::async_trait]
impl Load for Breaker {
    #[retry(breaker = ASYNC_TRAIT, start = "0s")]
    async fn load(&self, attempts: &Attempts) -> io::Result<()> {
        attempts.start();
        Err(ErrorKind::ConnectionReset.into())
    }
}

static ASYNC_TRAIT: Breaker = opens_after_two();

#[tokio::test(start_paused = true)]
async fn async_trait_method_goes_through_the_breaker() {
    let attempts = Attempts::new();
    opens_after_two().load(&attempts).await.unwrap_err();
    assert_eq!(attempts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn future_is_send_although_the_outcome_is_not() {
    static BREAKER: Breaker = opens_after_two();

    #[derive(Debug)]
    struct Local(#[expect(dead_code, reason = "makes the type `!Send`")] Rc<Cell<u32>>);

    impl From<BreakerOpen> for Local {
        fn from(_: BreakerOpen) -> Self {
            Self(Rc::default())
        }
    }

    #[retry(breaker = BREAKER, start = "0s")]
    async fn call() -> Result<(), Local> {
        tokio::task::yield_now().await;
        Err(Local(Rc::default()))
    }

    tokio::spawn(async { call().await.is_err() }).await.unwrap();
    assert_eq!(BREAKER.state(), BreakerState::Open);
}
