//! The retry rule: which outcomes are retried, how errors are classified, and where the search for a classification looks.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use retry_runtime::outcome::{Marked, transient_in_chain};
use retry_runtime::{Class, Condition, Failure, OnError, Retryable, Verdict, permanent, retry, transient, verdict};

use crate::support::{Attempts, FakeResponse, Fault, SECOND, ms, run};

type Boxed = Box<dyn Error + Send + Sync>;

/// The class of the failure of an outcome of any type.
macro_rules! class {
    ($outcome:expr) => {
        verdict!(&$outcome).failure().map(|failure| failure.class())
    };
}

/// The class of an error of any type.
macro_rules! class_of {
    ($error:expr) => {
        class!(Err::<(), _>($error)).unwrap()
    };
}

/// The classes of statuses and I/O errors.
mod standard_classes {
    use super::*;

    #[test]
    fn six_statuses_are_transient() {
        let transient: Vec<u16> = (100..=599).filter(|status| Class::of_status(*status) == Class::Transient).collect();
        assert_eq!(transient, [408, 429, 500, 502, 503, 504]);
    }

    #[test]
    fn other_error_statuses_are_permanent_and_the_rest_are_successes() {
        for status in [400, 401, 404, 409, 418, 425, 501, 505, 599] {
            assert_eq!(Class::of_status(status), Class::Permanent, "{status}");
        }
        for status in [100, 200, 204, 301, 304, 399] {
            assert_eq!(Class::of_status(status), Class::Success, "{status}");
        }
    }

    #[test]
    fn network_io_errors_are_transient() {
        use io::ErrorKind::*;
        for kind in [
            ConnectionRefused,
            ConnectionReset,
            ConnectionAborted,
            NotConnected,
            BrokenPipe,
            TimedOut,
            Interrupted,
            UnexpectedEof,
            HostUnreachable,
            NetworkUnreachable,
            NetworkDown,
        ] {
            assert_eq!(class_of!(io::Error::from(kind)), Class::Transient, "{kind}");
        }
    }

    #[test]
    fn some_io_errors_are_permanent() {
        use io::ErrorKind::*;
        for kind in [InvalidInput, Unsupported, PermissionDenied] {
            assert_eq!(class_of!(io::Error::from(kind)), Class::Permanent, "{kind}");
        }
    }

    #[test]
    fn other_io_errors_are_unknown() {
        use io::ErrorKind::*;
        for kind in [NotFound, AlreadyExists, InvalidData, WouldBlock, Other, OutOfMemory, AddrInUse] {
            assert_eq!(class_of!(io::Error::from(kind)), Class::Unknown, "{kind}");
        }
    }

    #[test]
    fn other_types_are_unknown() {
        struct Bare;
        assert_eq!(class_of!("text"), Class::Unknown);
        assert_eq!(class_of!(Bare), Class::Unknown);
        assert_eq!(class_of!("x".parse::<u32>().unwrap_err()), Class::Unknown);
        assert_eq!(class!(None::<u32>), Some(Class::Unknown));
        assert_eq!(class!(Some(1)), None);
    }
}

/// The search for a classified error, in the error itself and its sources.
mod search {
    use super::*;

    fn refused() -> io::Error {
        io::ErrorKind::ConnectionRefused.into()
    }

    /// An error with a source.
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer<E: Error + 'static>(#[source] E);

    #[test]
    fn error_is_found_by_itself_and_behind_pointers() {
        assert_eq!(class_of!(refused()), Class::Transient);
        assert_eq!(class_of!(&refused()), Class::Transient);
        assert_eq!(class_of!(Box::new(refused())), Class::Transient);
        assert_eq!(class_of!(Arc::new(refused())), Class::Transient);
        assert_eq!(class_of!(Arc::new(Fault::PERMANENT)), Class::Permanent);
    }

    #[test]
    fn error_is_found_in_boxes() {
        assert_eq!(class_of!(Box::<dyn Error>::from(refused())), Class::Transient);
        assert_eq!(class_of!(Box::new(refused()) as Box<dyn Error + Send>), Class::Transient);
        assert_eq!(class_of!(Boxed::from(refused())), Class::Transient);
        assert_eq!(class_of!(Arc::<dyn Error + Send + Sync>::from(Boxed::from(refused()))), Class::Transient);
        assert_eq!(class_of!(Boxed::from("text")), Class::Unknown);
    }

    #[test]
    fn error_is_found_in_anyhow() {
        assert_eq!(class_of!(anyhow::Error::from(refused())), Class::Transient);
        assert_eq!(class_of!(anyhow::Error::from(refused()).context("while reading")), Class::Transient);
        assert_eq!(class_of!(anyhow::Error::from(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(anyhow::anyhow!("text")), Class::Unknown);
    }

    #[test]
    fn error_is_found_along_the_sources() {
        assert_eq!(class_of!(Outer(refused())), Class::Transient);
        assert_eq!(class_of!(Outer(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(Boxed::from(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(Outer(io::Error::from(io::ErrorKind::PermissionDenied))), Class::Permanent);
    }

    #[test]
    fn error_is_found_in_an_io_error_of_kind_other() {
        assert_eq!(class_of!(io::Error::other(refused())), Class::Transient);
        assert_eq!(class_of!(io::Error::other(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(io::Error::other("text")), Class::Unknown);
    }

    #[test]
    fn first_classified_error_decides() {
        let denied = io::Error::new(io::ErrorKind::PermissionDenied, Outer(refused()));
        assert_eq!(class_of!(Outer(denied)), Class::Permanent);
    }

    /// A documented limit: `#[error(transparent)]` hides the inner error from the `source()` chain, so it is not found.
    #[test]
    fn transparent_error_hides_its_inner_error() {
        #[derive(Debug, thiserror::Error)]
        enum Hidden {
            #[error(transparent)]
            Io(io::Error),
        }
        assert_eq!(class_of!(Hidden::Io(refused())), Class::Unknown);
        #[derive(Debug, thiserror::Error, Retryable)]
        enum Derived {
            #[error(transparent)]
            #[retryable(source)]
            Io(io::Error),
        }
        assert_eq!(class_of!(Derived::Io(refused())), Class::Transient);
    }

    #[test]
    fn source_of_a_borrowing_error_is_found() {
        #[derive(Debug)]
        struct Borrowing<'a>(&'a str, io::Error);
        impl Display for Borrowing<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
        impl Error for Borrowing<'_> {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.1)
            }
        }
        let text = "borrowed".to_owned();
        assert_eq!(class_of!(Borrowing(&text, refused())), Class::Transient);
    }

    #[test]
    fn endless_source_chain_ends_the_search() {
        #[derive(Debug)]
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("endless")
            }
        }
        impl Error for Endless {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Endless)
            }
        }
        assert_eq!(class_of!(Endless), Class::Unknown);
        assert!(!transient_in_chain::<io::Error>(&Endless));
    }

    #[tokio::test(start_paused = true)]
    async fn source_of_a_generic_error_is_found() {
        #[retry(on_error = "transient")]
        async fn call<E: Error>(attempts: &Attempts, make: impl Fn() -> E) -> Result<(), E> {
            attempts.start();
            Err(make())
        }
        let (known, unknown) = (Attempts::new(), Attempts::new());
        call(&known, || Outer(refused())).await.unwrap_err();
        call(&unknown, || Outer(io::Error::other("text"))).await.unwrap_err();
        assert_eq!((known.count(), unknown.count()), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn generic_retryable_error_classifies_itself() {
        #[retry(on_error = "transient")]
        async fn call<'e, E: Retryable + Debug>(attempts: &Attempts, error: &'e E) -> Result<(), &'e E> {
            attempts.start();
            Err(error)
        }
        let (known, unknown) = (Attempts::new(), Attempts::new());
        call(&known, &Fault::TRANSIENT).await.unwrap_err();
        call(&unknown, &Fault::UNKNOWN).await.unwrap_err();
        assert_eq!((known.count(), unknown.count()), (3, 1));
    }

    #[test]
    fn transient_in_chain_finds_a_custom_type() {
        #[derive(Debug, thiserror::Error, Retryable)]
        #[error("custom")]
        #[retryable(transient)]
        struct Custom;
        let error = anyhow::Error::from(Custom).context("while working");
        assert_eq!(class_of!(error), Class::Unknown);
        let error = anyhow::Error::from(Outer(Custom));
        assert!(transient_in_chain::<Custom>(&*error));
        assert!(!transient_in_chain::<io::Error>(&*error));
        assert!(transient_in_chain::<Fault>(&Outer(Fault::status(503))));
        assert!(!transient_in_chain::<Fault>(&Outer(Fault::status(404))));
        assert!(!transient_in_chain::<Fault>(&Outer(Fault::UNKNOWN)));
    }

    #[tokio::test(start_paused = true)]
    async fn transient_in_chain_works_in_on_error() {
        async fn attempts_for(error: fn() -> Boxed) -> u32 {
            #[retry(on_error = |error| transient_in_chain::<Fault>(&**error))]
            async fn call(attempts: &Attempts, error: fn() -> Boxed) -> Result<(), Boxed> {
                attempts.start();
                Err(error())
            }
            let attempts = Attempts::new();
            call(&attempts, error).await.unwrap_err();
            attempts.count()
        }
        assert_eq!(attempts_for(|| Fault::TRANSIENT.into()).await, 3);
        assert_eq!(attempts_for(|| Fault::PERMANENT.into()).await, 1);
        assert_eq!(attempts_for(|| "text".into()).await, 1);
    }

    #[test]
    fn mark_overrides_the_class_of_the_type() {
        assert_eq!(class_of!(permanent(refused())), Class::Permanent);
        assert_eq!(class_of!(transient("text")), Class::Transient);
        assert_eq!(class_of!(Boxed::from(permanent(refused()))), Class::Permanent);
        assert_eq!(class_of!(anyhow::Error::from(transient("text")).context("more")), Class::Transient);
        assert_eq!(permanent(refused()).to_string(), refused().to_string());
        assert!(permanent(refused()).into_inner().downcast_ref::<io::Error>().is_some());
    }

    /// A regression test: each level once searched the level below it three times.
    #[test]
    fn nested_io_errors_are_searched_in_linear_time() {
        let mut error = io::Error::from(io::ErrorKind::PermissionDenied);
        for _ in 0..60 {
            error = io::Error::other(error);
        }
        assert_eq!(error.class(), Class::Permanent);
    }

    /// The number of calls to the innermost `source()` does not depend on the number of marks.
    #[test]
    fn nested_marks_are_searched_once() {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        #[derive(Debug)]
        struct Bottom;
        impl Display for Bottom {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bottom")
            }
        }
        impl Error for Bottom {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                CALLS.fetch_add(1, Relaxed);
                None
            }
        }
        for marks in [1, 2, 8, 200] {
            let mut error = transient(Bottom);
            for _ in 1..marks {
                error = permanent(Boxed::from(error));
            }
            CALLS.store(0, Relaxed);
            assert_eq!(class_of!(error), if marks == 1 { Class::Transient } else { Class::Permanent });
            let calls = CALLS.load(Relaxed);
            assert!(calls <= 4, "{calls} calls under {marks} marks");
        }
    }

    #[test]
    fn marks_keep_the_other_properties_of_the_error() {
        let error = transient(Boxed::from(permanent(io::Error::from(io::ErrorKind::TimedOut))));
        assert!(Failure::of(&error).is_timeout());
        let error = permanent(Boxed::from(transient(refused())));
        assert!(Failure::of(&error).is_unprocessed() && error.is_unprocessed());
        assert_eq!(Failure::of(&error).status(), None);
    }

    #[test]
    fn mark_decides_before_the_errors_around_it() {
        let error = io::Error::new(io::ErrorKind::ConnectionReset, permanent("do not"));
        assert_eq!(error.class(), Class::Permanent);
    }

    #[test]
    fn transient_in_chain_looks_into_io_errors() {
        assert!(transient_in_chain::<Marked>(&io::Error::other(transient("busy"))));
        assert!(!transient_in_chain::<Marked>(&io::Error::other(permanent("gone"))));
    }

    #[test]
    fn pointers_to_a_classified_error_are_classified() {
        let mut error = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(class_of!(&mut error), Class::Permanent);
        assert_eq!(class_of!(Rc::new(error)), Class::Permanent);
    }

    #[tokio::test(start_paused = true)]
    async fn mark_survives_the_question_mark_operator() {
        assert_eq!(run!(() Result<(), Boxed>, Ok(Err(permanent("text"))?)).attempts, 1);
        assert_eq!(run!((on_error = "transient") Result<(), anyhow::Error>, Ok(Err(transient("text"))?)).attempts, 3);
        assert_eq!(run!((on_error = "transient") anyhow::Result<()>, Err(anyhow::anyhow!("text"))).attempts, 1);
    }
}

/// The rule, with every combination of `on_status` and `on_error`.
mod rule {
    use super::*;

    const RESPONSES: [FakeResponse; 4] = [FakeResponse(200), FakeResponse(404), FakeResponse(500), FakeResponse(503)];
    const FAULTS: [Fault; 6] = [
        Fault::status(404),
        Fault::status(500),
        Fault::status(503),
        Fault::TRANSIENT,
        Fault::UNKNOWN,
        Fault::PERMANENT,
    ];

    fn outcomes() -> impl Iterator<Item = Result<FakeResponse, Fault>> {
        RESPONSES.map(Ok).into_iter().chain(FAULTS.map(Err))
    }

    /// Compares the retried outcomes of a function with these arguments, an `r` for each. The outcomes are the responses
    /// `200 404 500 503`, the errors `404 500 503`, and the errors `transient unknown permanent`.
    macro_rules! retried {
        ($($name:ident: ($($arguments:tt)*) => $expected:literal;)*) => {$(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                #[retry($($arguments)*)]
                async fn call(attempts: &Attempts, outcome: Result<FakeResponse, Fault>) -> Result<FakeResponse, Fault> {
                    attempts.start();
                    outcome
                }
                let mut retried = String::new();
                for outcome in outcomes() {
                    let attempts = Attempts::new();
                    assert_eq!(call(&attempts, outcome).await, outcome);
                    retried.push(if attempts.count() > 1 { 'r' } else { '.' });
                }
                assert_eq!(retried, $expected.replace([' ', '|'], ""), "200 404 500 503 | 404 500 503 | t u p");
            }
        )*};
    }

    retried! {
        no_arguments: () => "..rr | .rr | rr.";
        on_status: (on_status = [503]) => "...r | ..r | r..";
        empty_on_status: (on_status = []) => ".... | ... | r..";
        on_status_below_400: (on_status = [200]) => "r... | ... | r..";
        on_error_any: (on_error = "any") => "..rr | rrr | rrr";
        on_error_transient: (on_error = "transient") => "..rr | .rr | r..";
        on_error_never: (on_error = "never") => "..rr | ... | ...";
        on_error_predicate: (on_error = Fault::is_unknown) => "..rr | ... | .r.";
        on_error_predicate_that_is_always_true: (on_error = |_| true) => "..rr | rrr | rrr";
        on_status_and_on_error_any: (on_status = [503], on_error = "any") => "...r | rrr | rrr";
        on_status_and_on_error_transient: (on_status = [503], on_error = "transient") => "...r | .rr | r..";
        on_status_and_on_error_never: (on_status = [503], on_error = "never") => "...r | ..r | ...";
        on_status_and_on_error_predicate: (on_status = [503], on_error = Fault::is_unknown) => "...r | ..r | .r.";
        empty_on_status_and_on_error_any: (on_status = [], on_error = "any") => ".... | rrr | rrr";
        empty_on_status_and_on_error_transient: (on_status = [], on_error = "transient") => ".... | .rr | r..";
        empty_on_status_and_on_error_predicate: (on_status = [], on_error = Fault::is_unknown) => ".... | ... | .r.";
        on_ok_adds_successes: (on_ok = |response| response.0 == 200) => "r.rr | .rr | rr.";
        on_ok_adds_to_on_status: (on_status = [503], on_ok = |response| response.0 == 404) => ".r.r | ..r | r..";
        on_ok_alone: (on_status = [], on_error = "never", on_ok = |response| response.0 == 404) => ".r.. | ... | ...";
        on_ok_that_is_never_true: (on_ok = |_| false) => "..rr | .rr | rr.";
    }

    /// The same rule, through `Condition`.
    #[test]
    fn condition_follows_the_same_rule_as_the_attribute() {
        const STATUSES: &[std::ops::RangeInclusive<u16>] = &[503..=503];
        for (condition, expected) in [
            (Condition::new(), "..rr | .rr | rr."),
            (Condition::new().on_status(STATUSES), "...r | ..r | r.."),
            (Condition::new().on_status(&[]), ".... | ... | r.."),
            (Condition::new().on_error(OnError::Any), "..rr | rrr | rrr"),
            (Condition::new().on_error(OnError::Transient), "..rr | .rr | r.."),
            (Condition::new().on_error(OnError::Never), "..rr | ... | ..."),
            (Condition::new().on_status(STATUSES).on_error(OnError::Any), "...r | rrr | rrr"),
            (Condition::new().on_status(STATUSES).on_error(OnError::Transient), "...r | .rr | r.."),
            (Condition::new().on_status(STATUSES).on_error(OnError::Never), "...r | ..r | ..."),
        ] {
            let retried: String = outcomes()
                .map(|outcome| if matches!(verdict!(&outcome, condition), Verdict::Retry(_)) { 'r' } else { '.' })
                .collect();
            assert_eq!(retried, expected.replace([' ', '|'], ""), "{condition:?}");
        }
    }

    #[test]
    #[should_panic = "a status is listed twice"]
    fn duplicate_status_panics() {
        let _ = Condition::new().on_status(const { &[500..=599, 429..=429, 503..=503] });
    }

    #[test]
    fn condition_retries_only_its_methods() {
        let outcome: Result<(), Fault> = Err(Fault::TRANSIENT);
        let retries = |condition: Condition| matches!(verdict!(&outcome, condition), Verdict::Retry(_));
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "get"] {
            assert!(retries(Condition::new().for_method(method)), "{method}");
        }
        for method in ["POST", "PATCH", "CONNECT", "GETS"] {
            assert!(!retries(Condition::new().for_method(method)), "{method}");
        }
        let posts = Condition::new().methods(&["POST"]);
        assert!(retries(posts.for_method("POST")) && !retries(posts.for_method("GET")));
    }

    #[test]
    fn verdict_keeps_all_properties_of_the_failure() {
        let busy: Result<(), Fault> = Err(Fault::status(503).after(SECOND));
        let Verdict::Retry(failure) = verdict!(&busy) else { panic!("503 is retried") };
        assert_eq!((failure.class(), failure.status()), (Class::Transient, Some(503)));
        assert_eq!(failure.server_delay(), Some(SECOND));
        assert_eq!(verdict!(&Ok::<_, Fault>(())), Verdict::Done);
        assert_eq!(verdict!(&Ok::<_, Fault>(FakeResponse(200))), Verdict::Done);
        assert_eq!(verdict!(&FakeResponse(404)).failure(), Some(Failure::of(&FakeResponse(404))));
    }
}

/// Outcomes that are not a `Result`.
mod other_outcomes {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn none_is_retried() {
        assert_eq!(run!(() Option<u32>, None).attempts, 3);
        assert_eq!(run!(() Option<u32>, Some(1)).attempts, 1);
        assert_eq!(run!((on_error = "transient") Option<FakeResponse>, None).attempts, 1);
        assert_eq!(run!((on_error = "never") Option<FakeResponse>, None).attempts, 1);
        assert_eq!(run!(() Option<FakeResponse>, Some(FakeResponse(503))).attempts, 3);
    }

    /// An outcome of any class, without a `Result`.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Job(Class);

    impl Retryable for Job {
        fn class(&self) -> Class {
            self.0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn custom_type_decides_whether_it_is_a_success() {
        assert_eq!(run!(() Job, Job(Class::Success)).attempts, 1);
        assert_eq!(run!(() Job, Job(Class::Transient)).attempts, 3);
        assert_eq!(run!(() Job, Job(Class::Unknown)).attempts, 3);
        assert_eq!(run!(() Job, Job(Class::Permanent)).attempts, 1);
        assert_eq!(run!((on_error = "transient") Job, Job(Class::Unknown)).attempts, 1);
        assert_eq!(run!((on_error = "any") Job, Job(Class::Permanent)).attempts, 3);
        assert_eq!(run!((on_error = "any") Job, Job(Class::Success)).attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn custom_type_may_have_a_status() {
        assert_eq!(run!(() FakeResponse, FakeResponse(503)).attempts, 3);
        assert_eq!(run!((on_status = [404]) FakeResponse, FakeResponse(503)).attempts, 1);
        assert_eq!(run!((on_status = [404]) FakeResponse, FakeResponse(404)).outcome, FakeResponse(404));
    }

    #[tokio::test(start_paused = true)]
    async fn server_delay_of_a_value_is_respected() {
        struct Busy;
        impl Retryable for Busy {
            fn class(&self) -> Class {
                Class::Transient
            }
            fn server_delay(&self) -> Option<Duration> {
                Some(ms(700))
            }
        }
        let run = run!((start = "1ms") Result<Busy, Fault>, Ok(Busy));
        assert!(run.outcome.is_ok());
        assert_eq!(run.delays, [ms(700), ms(700)]);
    }
}
