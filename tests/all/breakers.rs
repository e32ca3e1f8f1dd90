//! Circuit breakers: states, settings, and which outcomes count as failures.

use std::error::Error;
use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::{Breaker, Class, Policy, Retryable};

use crate::server::{Server, client};
use crate::support::{Attempts, Fault, SECOND, ms, timed};
use crate::trace::record;

type Outcome = Result<(), Boxed>;
type Boxed = Box<dyn Error + Send + Sync>;

/// A breaker that opens for five seconds if two of four attempts fail.
fn opens_at_half_of_four() -> Breaker {
    Breaker::new().minimum_calls(4)
}

async fn fails(breaker: &Breaker) -> Outcome {
    breaker.call(async { Err(io::Error::from(ErrorKind::ConnectionReset).into()) }).await
}

async fn succeeds(breaker: &Breaker) -> Outcome {
    breaker.call(async { Ok(()) }).await
}

fn is_open(outcome: &Outcome) -> bool {
    outcome.as_ref().is_err_and(|error| error.is::<BreakerOpen>())
}

/// A breaker that has just opened.
async fn opened() -> Breaker {
    let breaker = opens_at_half_of_four();
    for _ in 0..4 {
        assert!(!is_open(&fails(&breaker).await));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn breaker_opens_if_too_many_attempts_fail() {
    let breaker = opens_at_half_of_four();
    for succeed in [true, true, false] {
        if succeed {
            succeeds(&breaker).await.unwrap()
        } else {
            fails(&breaker).await.unwrap_err().to_string();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn open_breaker_makes_no_attempt() {
    let breaker = opened().await;
    let attempts = Attempts::new();
    let outcome: Outcome = breaker
        .call(async {
            attempts.start();
            Ok(())
        })
        .await;
    assert!(is_open(&outcome));
    assert_eq!(attempts.count(), 0);
    let open = *outcome.unwrap_err().downcast::<BreakerOpen>().unwrap();
    assert_eq!((open.name(), open.half_open_in(), open.class()), ("breaker", SECOND * 5, Class::Permanent));
}

#[tokio::test(start_paused = true)]
async fn successful_probe_closes_the_breaker_and_a_failed_one_reopens_it() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // The earlier failures no longer count.
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_probe_runs_at_a_time() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    let probe = async {
        let slow = async {
            tokio::time::sleep(SECOND).await;
            Ok(())
        };
        breaker.call::<Outcome>(slow).await
    };
    let other = async {
        tokio::time::sleep(ms(500)).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        succeeds(&breaker).await
    };
    let (probe, other) = tokio::join!(probe, other);
    probe.unwrap();
    assert!(is_open(&other));
    succeeds(&breaker).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn next_call_becomes_the_probe_after_a_dropped_one() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // A dropped attempt counts neither as a failure nor as a success.
    for _ in 0..9 {
        tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_before_the_window_do_not_count() {
    for (window, state) in [(SECOND * 10, BreakerState::Open), (SECOND * 3, BreakerState::Closed)] {
        let breaker = opens_at_half_of_four().window(window);
        for _ in 0..4 {
            fails(&breaker).await.unwrap_err();
            tokio::time::advance(SECOND * 2).await;
        }
        assert_eq!(breaker.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn each_setting_changes_when_the_breaker_opens() {
    async fn after(breaker: Breaker, failures: u32, successes: u32) -> BreakerState {
        for _ in 0..successes {
            succeeds(&breaker).await.unwrap();
        }
        for _ in 0..failures {
            let _ = fails(&breaker).await;
        }
        breaker.state()
    }
    use BreakerState::{Closed, Open};
    assert_eq!((after(Breaker::new(), 19, 0).await, after(Breaker::new(), 20, 0).await), (Closed, Open));
    assert_eq!(
        (after(opens_at_half_of_four(), 3, 0).await, after(opens_at_half_of_four().minimum_calls(3), 3, 0).await),
        (Closed, Open)
    );
    assert_eq!(
        (after(opens_at_half_of_four().failure_rate(60), 3, 3).await, after(opens_at_half_of_four(), 3, 3).await),
        (Closed, Open)
    );
    let breaker = opens_at_half_of_four().open_for(SECOND);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(ms(999)).await;
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(ms(1)).await;
    succeeds(&breaker).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn permanent_error_does_not_count_as_a_failure() {
    let breaker = opens_at_half_of_four();
    for _ in 0..9 {
        breaker.call(async { Err::<(), _>(Boxed::from(io::Error::from(ErrorKind::InvalidInput))) }).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn response_counts_by_its_status() {
    let (server, client) = (Server::statuses([503]).await, client());
    let breaker = opens_at_half_of_four();
    for _ in 0..5 {
        let _ = breaker.call(client.get(&server.url).send()).await;
    }
    assert_eq!((breaker.state(), server.requests()), (BreakerState::Open, 4));
    let error = breaker.call(client.get(&server.url).send()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Permanent, true));
}

mod policy_run {
    use super::*;

    const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

    #[tokio::test(start_paused = true)]
    async fn open_breaker_ends_a_call_without_a_deadline() {
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.run(|_| fails(&breaker))).await;
        assert!(is_open(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn call_waits_for_the_probe_if_the_deadline_leaves_time() {
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.deadline(SECOND * 6).run(|_| succeeds(&breaker))).await;
        outcome.unwrap();
        assert_eq!(took, SECOND * 5);
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.deadline(SECOND * 5).run(|_| succeeds(&breaker))).await;
        assert!(is_open(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn call_waits_for_the_probe_if_the_error_is_a_clients() {
        let (server, client) = (Server::statuses([503, 503, 503, 503, 200]).await, client());
        let breaker = opens_at_half_of_four();
        for _ in 0..4 {
            let _ = breaker.call(client.get(&server.url).send()).await;
        }
        let policy = POLICY.deadline(SECOND * 9);
        let (outcome, took) = timed(policy.run(|_| breaker.call(client.get(&server.url).send()))).await;
        assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn rejected_attempt_with_an_option_returns_none() {
        let breaker = opened().await;
        assert_eq!(breaker.call(async { Some(1) }).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn each_state_change_is_reported_once() {
    static CHANGES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (trace, _guard) = record();
    let breaker = opens_at_half_of_four().name("api").on_change(|change| {
        CHANGES.lock().unwrap().push(format!("{}: {} to {}", change.name, change.from, change.to));
    });
    for _ in 0..6 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    let expected = ["api: closed to open", "api: open to half-open", "api: half-open to closed"];
    assert_eq!(*CHANGES.lock().unwrap(), expected);
    let events: Vec<_> = trace.events().iter().map(|event| (event.level.clone(), event.message.clone())).collect();
    let expected =
        [("WARN", "the breaker opened"), ("INFO", "the breaker is half-open"), ("INFO", "the breaker is closed")];
    assert_eq!(events, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
    assert!(trace.events().iter().all(|event| event.fields["name"] == "api"));
}

#[test]
fn invalid_settings_panic() {
    let refused: [fn() -> Breaker; 5] = [
        || Breaker::new().failure_rate(0),
        || Breaker::new().failure_rate(101),
        || Breaker::new().minimum_calls(0),
        || Breaker::new().window(Duration::ZERO),
        || Breaker::new().open_for(Duration::ZERO),
    ];
    for make in refused {
        assert!(std::panic::catch_unwind(make).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn breaker_open_converts_into_a_custom_error() {
    #[derive(Debug, retry_runtime::Retryable, thiserror::Error)]
    enum ApiError {
        #[error(transparent)]
        #[retryable(source)]
        Open(#[from] BreakerOpen),
        #[error("fault")]
        #[retryable(source)]
        Fault(#[source] Fault),
    }
    let breaker = opened().await;
    let outcome = breaker.call(async { Err::<(), _>(ApiError::Fault(Fault::TRANSIENT)) }).await;
    assert!(matches!(outcome, Err(ApiError::Open(_))));
}

/// The argument `breaker` of the attribute.
mod annotated {
    use std::cell::Cell;
    use std::rc::Rc;

    use retry_runtime::{Budget, retry};

    use super::*;
    use crate::support::{FakeResponse, Recorder};

    /// Opens with the second failure.
    const fn opens_after_two() -> Breaker {
        Breaker::new().minimum_calls(2)
    }

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
        let made = attempts_in_four_calls!((attempts = 1, on_error = "any") io::Result<()>, Err(ErrorKind::InvalidInput.into()));
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
        const BREAKER: &'static Breaker = &api::BREAKER;
        const BUDGET: &'static Budget = &api::BUDGET;

        #[retry(breaker = Self::BREAKER, budget = Self::BUDGET, start = "0s")]
        async fn load(&mut self) -> io::Result<()> {
            self.0.start();
            Err(ErrorKind::ConnectionReset.into())
        }

        #[retry(breaker = crate::breakers::annotated::api::BREAKER, budget = crate::breakers::annotated::api::BUDGET)]
        fn returned(&self) -> impl Future<Output = io::Result<()>> + Send {
            async move {
                self.0.start();
                Err(ErrorKind::ConnectionReset.into())
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_and_budget_accept_any_path() {
        let mut client = Client(Attempts::new());
        client.load().await.unwrap_err();
        client.returned().await.unwrap_err();
        assert_eq!((client.0.count(), api::BREAKER.state(), api::BUDGET.tokens()), (2, BreakerState::Open, 0));
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
}

#[tokio::test(start_paused = true)]
async fn breaker_may_stay_open_forever() {
    let breaker = opens_at_half_of_four().open_for(Duration::MAX);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 86_400 * 365).await;
    let policy = Policy::fixed(SECOND).deadline(SECOND * 2);
    let (outcome, took) = timed(policy.run(|_| succeeds(&breaker))).await;
    assert!(is_open(&outcome));
    assert_eq!(took, Duration::ZERO);
}
