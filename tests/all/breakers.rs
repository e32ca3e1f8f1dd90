//! Breakers: which attempts are made, and what becomes of the others.

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

/// Opens when half of four fail, for five seconds.
fn of_four() -> Breaker {
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
    let breaker = of_four();
    for _ in 0..4 {
        assert!(!is_open(&fails(&breaker).await));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[tokio::test(start_paused = true)]
async fn it_opens_when_too_many_fail() {
    let breaker = of_four();
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
async fn while_it_is_open_no_attempt_is_made() {
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
async fn a_probe_that_succeeds_closes_it_and_one_that_fails_opens_it_again() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // What failed before is forgotten.
    fails(&breaker).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn there_is_one_probe_at_a_time() {
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
async fn a_probe_that_is_dropped_leaves_its_place_to_the_next() {
    let breaker = opened().await;
    tokio::time::advance(SECOND * 5).await;
    tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    succeeds(&breaker).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    // An attempt that is dropped counts as nothing.
    for _ in 0..9 {
        tokio::time::timeout(ms(10), breaker.call::<Outcome>(pending())).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn it_looks_back_as_far_as_its_window() {
    for (window, state) in [(SECOND * 10, BreakerState::Open), (SECOND * 3, BreakerState::Closed)] {
        let breaker = of_four().window(window);
        for _ in 0..4 {
            fails(&breaker).await.unwrap_err();
            tokio::time::advance(SECOND * 2).await;
        }
        assert_eq!(breaker.state(), state);
    }
}

#[tokio::test(start_paused = true)]
async fn each_setting_makes_a_difference() {
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
    assert_eq!((after(of_four(), 3, 0).await, after(of_four().minimum_calls(3), 3, 0).await), (Closed, Open));
    assert_eq!((after(of_four().failure_rate(60), 3, 3).await, after(of_four(), 3, 3).await), (Closed, Open));
    let breaker = of_four().open_for(SECOND);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(ms(999)).await;
    assert!(is_open(&succeeds(&breaker).await));
    tokio::time::advance(ms(1)).await;
    succeeds(&breaker).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_another_attempt_would_not_change_is_no_failure_of_the_service() {
    let breaker = of_four();
    for _ in 0..9 {
        breaker.call(async { Err::<(), _>(Boxed::from(io::Error::from(ErrorKind::InvalidInput))) }).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn responses_count_by_their_status() {
    let (server, client) = (Server::statuses([503]).await, client());
    let breaker = of_four();
    for _ in 0..5 {
        let _ = breaker.call(client.get(&server.url).send()).await;
    }
    assert_eq!((breaker.state(), server.requests()), (BreakerState::Open, 4));
    let error = breaker.call(client.get(&server.url).send()).await.unwrap_err();
    assert_eq!((error.class(), error.is_unprocessed()), (Class::Permanent, true));
}

mod in_a_loop {
    use super::*;

    const POLICY: Policy = Policy::fixed(SECOND).attempts(3);

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_an_open_breaker_ends_the_call() {
        let breaker = opened().await;
        let (outcome, took) = timed(POLICY.run(|_| fails(&breaker))).await;
        assert!(is_open(&outcome));
        assert_eq!(took, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_that_leaves_time_lets_it_wait_for_the_probe() {
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
    async fn the_error_of_a_client_tells_how_long_too() {
        let (server, client) = (Server::statuses([503, 503, 503, 503, 200]).await, client());
        let breaker = of_four();
        for _ in 0..4 {
            let _ = breaker.call(client.get(&server.url).send()).await;
        }
        let policy = POLICY.deadline(SECOND * 9);
        let (outcome, took) = timed(policy.run(|_| breaker.call(client.get(&server.url).send()))).await;
        assert_eq!((outcome.unwrap().status().as_u16(), took), (200, SECOND * 5));
    }

    #[tokio::test(start_paused = true)]
    async fn an_option_of_an_attempt_that_is_not_made_is_none() {
        let breaker = opened().await;
        assert_eq!(breaker.call(async { Some(1) }).await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn each_change_is_told_once() {
    static CHANGES: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let (trace, _guard) = record();
    let breaker = of_four().name("api").on_change(|change| {
        CHANGES.lock().unwrap().push(format!("{}: {} to {}", change.name, change.from, change.to));
    });
    for _ in 0..6 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 5).await;
    succeeds(&breaker).await.unwrap();
    let told = ["api: closed to open", "api: open to half-open", "api: half-open to closed"];
    assert_eq!(*CHANGES.lock().unwrap(), told);
    let events: Vec<_> = trace.events().iter().map(|event| (event.level.clone(), event.message.clone())).collect();
    let expected =
        [("WARN", "the breaker opened"), ("INFO", "the breaker is half-open"), ("INFO", "the breaker is closed")];
    assert_eq!(events, expected.map(|(level, message)| (level.to_owned(), message.to_owned())));
    assert!(trace.events().iter().all(|event| event.fields["name"] == "api"));
}

#[test]
fn what_makes_no_sense_is_refused() {
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
async fn an_error_of_ones_own_is_made_from_it() {
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

/// The argument of the attribute.
mod annotated {
    use std::cell::Cell;
    use std::rc::Rc;

    use retry_runtime::{Budget, retry};

    use super::*;
    use crate::support::{Answer, Recorder};

    /// Opens with the second failure.
    const fn of_two() -> Breaker {
        Breaker::new().minimum_calls(2)
    }

    /// Calls a function with a breaker of its own, and these arguments beside, until it has failed twice: how many
    /// attempts were made in four calls of one attempt each.
    macro_rules! attempts_of_four {
        (($($arguments:tt)*) $output:ty, $outcome:expr) => {{
            static BREAKER: Breaker = of_two();

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
    async fn attempts_are_not_made_while_it_is_open() {
        static BREAKER: Breaker = of_two().name("api");

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
    #[error("mine")]
    struct Mine;

    impl From<BreakerOpen> for Mine {
        fn from(_: BreakerOpen) -> Self {
            Self
        }
    }

    impl From<BreakerOpen> for Fault {
        fn from(open: BreakerOpen) -> Self {
            if open.class() == Class::Transient { Self::TRANSIENT.after(open.half_open_in()) } else { Self::PERMANENT }
        }
    }

    /// `Ok`, where an attempt that is not made is a failure all the same.
    impl retry_runtime::breaker::FromBreakerOpen for Answer {
        fn from_breaker_open(_: BreakerOpen) -> Self {
            Self(418)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_are_found_as_the_attribute_finds_them() {
        fn refused() -> io::Error {
            ErrorKind::ConnectionRefused.into()
        }
        fn invalid() -> io::Error {
            ErrorKind::InvalidInput.into()
        }
        let made = [
            attempts_of_four!((attempts = 1) io::Result<()>, Err(refused())),
            attempts_of_four!((attempts = 1) anyhow::Result<()>, Err(refused().into())),
            attempts_of_four!((attempts = 1) Outcome, Err(refused().into())),
            attempts_of_four!((attempts = 1) Result<(), Mine>, Err(Mine)),
            attempts_of_four!((attempts = 1) Result<(), String>, Err(String::new())),
            attempts_of_four!((attempts = 1) Result<Answer, String>, Ok(Answer(503))),
            attempts_of_four!((attempts = 1) Option<()>, None),
            attempts_of_four!((attempts = 1) Answer, Answer(503)),
        ];
        assert_eq!(made, [2; 8]);
        let let_through = [
            attempts_of_four!((attempts = 1) io::Result<()>, Err(invalid())),
            attempts_of_four!((attempts = 1) anyhow::Result<()>, Err(invalid().into())),
            attempts_of_four!((attempts = 1) Outcome, Err(invalid().into())),
            attempts_of_four!((attempts = 1) Result<Answer, String>, Ok(Answer(404))),
            attempts_of_four!((attempts = 1) Option<()>, Some(())),
            attempts_of_four!((attempts = 1) Answer, Answer(404)),
        ];
        assert_eq!(let_through, [4; 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_ask_which_outcomes_are_worth_another_attempt() {
        let made = attempts_of_four!(
            (attempts = 1, on_error = "never") io::Result<()>,
            Err(ErrorKind::ConnectionRefused.into())
        );
        assert_eq!(made, 2);
        let made =
            attempts_of_four!((attempts = 1, on_error = "any") io::Result<()>, Err(ErrorKind::InvalidInput.into()));
        assert_eq!(made, 4);
        let made = attempts_of_four!((attempts = 1, on_ok = |n| *n == 0) io::Result<u32>, Ok(0));
        assert_eq!(made, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_policy_from_elsewhere_goes_with_it() {
        static BUDGET: Budget = Budget::new();
        const POLICY: Policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| &BUDGET);
        let made = attempts_of_four!((policy = POLICY) io::Result<()>, Err(ErrorKind::ConnectionRefused.into()));
        assert_eq!(made, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_is_cut_off_is_a_failure() {
        let made = attempts_of_four!((attempts = 1, attempt_timeout = "1s") io::Result<()>, pending().await);
        assert_eq!(made, 2);
        let made = attempts_of_four!((attempts = 1, deadline = "1s") io::Result<()>, pending().await);
        assert_eq!(made, 2);
        const POLICY: Policy = Policy::fixed(Duration::ZERO).attempts(1).attempt_timeout(Duration::from_secs(1));
        let made = attempts_of_four!((policy = POLICY) io::Result<()>, pending().await);
        assert_eq!(made, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_for_the_probe_where_there_is_time() {
        static BREAKER: Breaker = of_two();

        #[retry(breaker = BREAKER, attempts = 4, backoff = "fixed", start = "1s", deadline = "8s")]
        async fn call(attempts: &Attempts) -> Result<u32, Fault> {
            attempts.succeed_at(3, Fault::TRANSIENT)
        }

        let attempts = Attempts::new();
        let (outcome, took) = timed(call(&attempts)).await;
        // Two failures, one attempt that is not made a second later, and five seconds since the breaker opened.
        assert_eq!((outcome, took), (Ok(3), SECOND + SECOND * 5));
        assert_eq!(BREAKER.state(), BreakerState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_of_a_call_around_it_counts() {
        static BREAKER: Breaker = of_two();

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
    async fn the_events_tell_of_an_attempt_that_is_not_made() {
        static BREAKER: Breaker = of_two().name("api");

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
    async fn a_call_that_is_dropped_takes_no_note_and_frees_the_probe() {
        static BREAKER: Breaker = of_two();

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
    fn blocking_functions_pass_it_too() {
        static BREAKER: Breaker = of_two();

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

        pub(super) static BREAKER: Breaker = super::of_two();
        pub(super) static BUDGET: Budget = Budget::new().capacity(10);
    }

    struct Client(Attempts);

    #[allow(unused_qualifications, clippy::manual_async_fn, reason = "the case is about them")]
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
    async fn paths_of_every_kind() {
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

    static ASYNC_TRAIT: Breaker = of_two();

    #[tokio::test(start_paused = true)]
    async fn methods_of_traits_pass_it_too() {
        let attempts = Attempts::new();
        of_two().load(&attempts).await.unwrap_err();
        assert_eq!(attempts.count(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_outcome_that_stays_on_its_thread_is_not_kept() {
        static BREAKER: Breaker = of_two();

        #[derive(Debug)]
        struct Local(#[expect(dead_code, reason = "it is there")] Rc<Cell<u32>>);

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
async fn it_may_stay_open_for_ever() {
    let breaker = of_four().open_for(Duration::MAX);
    for _ in 0..4 {
        let _ = fails(&breaker).await;
    }
    tokio::time::advance(SECOND * 86_400 * 365).await;
    let policy = Policy::fixed(SECOND).deadline(SECOND * 2);
    let (outcome, took) = timed(policy.run(|_| succeeds(&breaker))).await;
    assert!(is_open(&outcome));
    assert_eq!(took, Duration::ZERO);
}
