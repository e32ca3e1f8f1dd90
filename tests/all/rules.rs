//! Which outcomes are tried again: the lists of what is known, the rule, and where an error is searched for.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use retry_runtime::outcome::{Marked, transient_in_chain};
use retry_runtime::{Class, Condition, Failure, OnError, Retryable, Verdict, permanent, retry, transient, verdict};

use crate::support::{Answer, Attempts, Fault, SECOND, ms, run};

type Boxed = Box<dyn Error + Send + Sync>;

/// The class of an outcome's failure, of whatever type it is.
macro_rules! class {
    ($outcome:expr) => {
        verdict!(&$outcome).failure().map(|failure| failure.class())
    };
}

/// The class of an error, of whatever type it is.
macro_rules! class_of {
    ($error:expr) => {
        class!(Err::<(), _>($error)).unwrap()
    };
}

/// What is known.
mod known {
    use super::*;

    #[test]
    fn transient_statuses_are_the_six_and_no_others() {
        let transient: Vec<u16> = (100..=599).filter(|status| Class::of_status(*status) == Class::Transient).collect();
        assert_eq!(transient, [408, 429, 500, 502, 503, 504]);
    }

    #[test]
    fn other_error_statuses_are_permanent_and_those_below_400_are_successes() {
        for status in [400, 401, 404, 409, 418, 425, 501, 505, 599] {
            assert_eq!(Class::of_status(status), Class::Permanent, "{status}");
        }
        for status in [100, 200, 204, 301, 304, 399] {
            assert_eq!(Class::of_status(status), Class::Success, "{status}");
        }
    }

    #[test]
    fn transient_io_errors() {
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
    fn permanent_io_errors() {
        use io::ErrorKind::*;
        for kind in [InvalidInput, Unsupported, PermissionDenied] {
            assert_eq!(class_of!(io::Error::from(kind)), Class::Permanent, "{kind}");
        }
    }

    #[test]
    fn of_other_io_errors_nothing_is_known() {
        use io::ErrorKind::*;
        for kind in [NotFound, AlreadyExists, InvalidData, WouldBlock, Other, OutOfMemory, AddrInUse] {
            assert_eq!(class_of!(io::Error::from(kind)), Class::Unknown, "{kind}");
        }
    }

    #[test]
    fn of_anything_else_nothing_is_known() {
        struct Bare;
        assert_eq!(class_of!("text"), Class::Unknown);
        assert_eq!(class_of!(Bare), Class::Unknown);
        assert_eq!(class_of!("x".parse::<u32>().unwrap_err()), Class::Unknown);
        assert_eq!(class!(None::<u32>), Some(Class::Unknown));
        assert_eq!(class!(Some(1)), None);
    }
}

/// Where an error is searched for.
mod search {
    use super::*;

    fn refused() -> io::Error {
        io::ErrorKind::ConnectionRefused.into()
    }

    /// An error whose source is another.
    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer<E: Error + 'static>(#[source] E);

    #[test]
    fn an_error_by_itself_and_behind_pointers() {
        assert_eq!(class_of!(refused()), Class::Transient);
        assert_eq!(class_of!(&refused()), Class::Transient);
        assert_eq!(class_of!(Box::new(refused())), Class::Transient);
        assert_eq!(class_of!(Arc::new(refused())), Class::Transient);
        assert_eq!(class_of!(Arc::new(Fault::PERMANENT)), Class::Permanent);
    }

    #[test]
    fn boxed_errors() {
        assert_eq!(class_of!(Box::<dyn Error>::from(refused())), Class::Transient);
        assert_eq!(class_of!(Box::new(refused()) as Box<dyn Error + Send>), Class::Transient);
        assert_eq!(class_of!(Boxed::from(refused())), Class::Transient);
        assert_eq!(class_of!(Arc::<dyn Error + Send + Sync>::from(Boxed::from(refused()))), Class::Transient);
        assert_eq!(class_of!(Boxed::from("text")), Class::Unknown);
    }

    #[test]
    fn anyhow() {
        assert_eq!(class_of!(anyhow::Error::from(refused())), Class::Transient);
        assert_eq!(class_of!(anyhow::Error::from(refused()).context("while reading")), Class::Transient);
        assert_eq!(class_of!(anyhow::Error::from(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(anyhow::anyhow!("text")), Class::Unknown);
    }

    #[test]
    fn along_the_sources() {
        assert_eq!(class_of!(Outer(refused())), Class::Transient);
        assert_eq!(class_of!(Outer(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(Boxed::from(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(Outer(io::Error::from(io::ErrorKind::PermissionDenied))), Class::Permanent);
    }

    #[test]
    fn under_an_io_error_of_no_kind() {
        assert_eq!(class_of!(io::Error::other(refused())), Class::Transient);
        assert_eq!(class_of!(io::Error::other(Outer(refused()))), Class::Transient);
        assert_eq!(class_of!(io::Error::other("text")), Class::Unknown);
    }

    #[test]
    fn the_first_one_that_is_known_decides() {
        let denied = io::Error::new(io::ErrorKind::PermissionDenied, Outer(refused()));
        assert_eq!(class_of!(Outer(denied)), Class::Permanent);
    }

    /// Documented: `#[error(transparent)]` hides its inner error from the chain, and so nothing is known of it.
    #[test]
    fn transparent_errors_hide_what_they_hold() {
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
    fn an_error_with_a_lifetime() {
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
    fn an_error_that_is_its_own_source_ends_the_search() {
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
    async fn a_generic_error_with_no_other_bound() {
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
    async fn a_generic_error_that_says_what_it_is() {
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
    fn a_users_type_in_a_boxed_error_is_found_by_name() {
        #[derive(Debug, thiserror::Error, Retryable)]
        #[error("mine")]
        #[retryable(transient)]
        struct Mine;
        let error = anyhow::Error::from(Mine).context("while working");
        assert_eq!(class_of!(error), Class::Unknown);
        let error = anyhow::Error::from(Outer(Mine));
        assert!(transient_in_chain::<Mine>(&*error));
        assert!(!transient_in_chain::<io::Error>(&*error));
        assert!(transient_in_chain::<Fault>(&Outer(Fault::status(503))));
        assert!(!transient_in_chain::<Fault>(&Outer(Fault::status(404))));
        assert!(!transient_in_chain::<Fault>(&Outer(Fault::UNKNOWN)));
    }

    #[tokio::test(start_paused = true)]
    async fn transient_in_chain_goes_into_on_error() {
        async fn tried(error: fn() -> Boxed) -> u32 {
            #[retry(on_error = |error| transient_in_chain::<Fault>(&**error))]
            async fn call(attempts: &Attempts, error: fn() -> Boxed) -> Result<(), Boxed> {
                attempts.start();
                Err(error())
            }
            let attempts = Attempts::new();
            call(&attempts, error).await.unwrap_err();
            attempts.count()
        }
        assert_eq!(tried(|| Fault::TRANSIENT.into()).await, 3);
        assert_eq!(tried(|| Fault::PERMANENT.into()).await, 1);
        assert_eq!(tried(|| "text".into()).await, 1);
    }

    #[test]
    fn a_mark_says_more_than_the_type() {
        assert_eq!(class_of!(permanent(refused())), Class::Permanent);
        assert_eq!(class_of!(transient("text")), Class::Transient);
        assert_eq!(class_of!(Boxed::from(permanent(refused()))), Class::Permanent);
        assert_eq!(class_of!(anyhow::Error::from(transient("text")).context("more")), Class::Transient);
        assert_eq!(permanent(refused()).to_string(), refused().to_string());
        assert!(permanent(refused()).into_inner().downcast_ref::<io::Error>().is_some());
    }

    /// Each level was once searched three times by the level above.
    #[test]
    fn errors_in_errors_in_io_errors_are_found_in_linear_time() {
        let mut error = io::Error::from(io::ErrorKind::PermissionDenied);
        for _ in 0..60 {
            error = io::Error::other(error);
        }
        assert_eq!(error.class(), Class::Permanent);
    }

    /// The error at the bottom is asked for its source a fixed number of times, however many marks there are.
    #[test]
    fn nested_marks_are_searched_once() {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        #[derive(Debug)]
        struct Bottom;
        impl Display for Bottom {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bottom")
            }
        }
        impl Error for Bottom {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                ASKED.fetch_add(1, Relaxed);
                None
            }
        }
        for marks in [1, 2, 8, 200] {
            let mut error = transient(Bottom);
            for _ in 1..marks {
                error = permanent(Boxed::from(error));
            }
            ASKED.store(0, Relaxed);
            assert_eq!(class_of!(error), if marks == 1 { Class::Transient } else { Class::Permanent });
            let asked = ASKED.load(Relaxed);
            assert!(asked <= 4, "asked {asked} times under {marks} marks");
        }
    }

    #[test]
    fn what_is_known_of_the_error_under_marks_is_kept() {
        let error = transient(Boxed::from(permanent(io::Error::from(io::ErrorKind::TimedOut))));
        assert!(Failure::of(&error).is_timeout());
        let error = permanent(Boxed::from(transient(refused())));
        assert!(Failure::of(&error).is_unprocessed() && error.is_unprocessed());
        assert_eq!(Failure::of(&error).status(), None);
    }

    #[test]
    fn a_mark_decides_before_what_is_known_of_the_errors_around_it() {
        let error = io::Error::new(io::ErrorKind::ConnectionReset, permanent("do not"));
        assert_eq!(error.class(), Class::Permanent);
    }

    #[test]
    fn transient_in_chain_looks_into_io_errors() {
        assert!(transient_in_chain::<Marked>(&io::Error::other(transient("busy"))));
        assert!(!transient_in_chain::<Marked>(&io::Error::other(permanent("gone"))));
    }

    #[test]
    fn pointers_to_a_known_error_are_known() {
        let mut error = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(class_of!(&mut error), Class::Permanent);
        assert_eq!(class_of!(Rc::new(error)), Class::Permanent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_mark_behind_a_question_mark() {
        assert_eq!(run!(() Result<(), Boxed>, Ok(Err(permanent("text"))?)).attempts, 1);
        assert_eq!(run!((on_error = "transient") Result<(), anyhow::Error>, Ok(Err(transient("text"))?)).attempts, 3);
        assert_eq!(run!((on_error = "transient") anyhow::Result<()>, Err(anyhow::anyhow!("text"))).attempts, 1);
    }
}

/// The rule, with every combination of `on_status` and `on_error`.
mod rule {
    use super::*;

    const FOUND: [Answer; 4] = [Answer(200), Answer(404), Answer(500), Answer(503)];
    const FAULTS: [Fault; 6] = [
        Fault::status(404),
        Fault::status(500),
        Fault::status(503),
        Fault::TRANSIENT,
        Fault::UNKNOWN,
        Fault::PERMANENT,
    ];

    fn outcomes() -> impl Iterator<Item = Result<Answer, Fault>> {
        FOUND.map(Ok).into_iter().chain(FAULTS.map(Err))
    }

    /// An `r` for each outcome that a function with these arguments tries again:
    /// `200 404 500 503` as answers, `404 500 503` as errors, then the errors `transient unknown permanent`.
    macro_rules! retried {
        ($($name:ident: ($($arguments:tt)*) => $expected:literal;)*) => {$(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                #[retry($($arguments)*)]
                async fn call(attempts: &Attempts, outcome: Result<Answer, Fault>) -> Result<Answer, Fault> {
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
        neither: () => "..rr | .rr | rr.";
        status: (on_status = [503]) => "...r | ..r | r..";
        no_status: (on_status = []) => ".... | ... | r..";
        status_below_400: (on_status = [200]) => "r... | ... | r..";
        any: (on_error = "any") => "..rr | rrr | rrr";
        transient: (on_error = "transient") => "..rr | .rr | r..";
        never: (on_error = "never") => "..rr | ... | ...";
        predicate: (on_error = Fault::is_unknown) => "..rr | ... | .r.";
        predicate_that_is_always_true: (on_error = |_| true) => "..rr | rrr | rrr";
        status_and_any: (on_status = [503], on_error = "any") => "...r | rrr | rrr";
        status_and_transient: (on_status = [503], on_error = "transient") => "...r | .rr | r..";
        status_and_never: (on_status = [503], on_error = "never") => "...r | ..r | ...";
        status_and_predicate: (on_status = [503], on_error = Fault::is_unknown) => "...r | ..r | .r.";
        no_status_and_any: (on_status = [], on_error = "any") => ".... | rrr | rrr";
        no_status_and_transient: (on_status = [], on_error = "transient") => ".... | .rr | r..";
        no_status_and_predicate: (on_status = [], on_error = Fault::is_unknown) => ".... | ... | .r.";
        on_ok_adds_successes: (on_ok = |answer| answer.0 == 200) => "r.rr | .rr | rr.";
        on_ok_adds_to_on_status: (on_status = [503], on_ok = |answer| answer.0 == 404) => ".r.r | ..r | r..";
        on_ok_alone: (on_status = [], on_error = "never", on_ok = |answer| answer.0 == 404) => ".r.. | ... | ...";
        on_ok_that_is_never_true: (on_ok = |_| false) => "..rr | .rr | rr.";
    }

    /// The same rule for those who are not the attribute.
    #[test]
    fn a_condition_says_the_same() {
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
    fn a_condition_refuses_a_status_that_is_listed_twice() {
        let _ = Condition::new().on_status(const { &[500..=599, 429..=429, 503..=503] });
    }

    #[test]
    fn a_condition_retries_only_its_methods() {
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
    fn a_verdict_keeps_what_is_known_of_the_failure() {
        let busy: Result<(), Fault> = Err(Fault::status(503).after(SECOND));
        let Verdict::Retry(failure) = verdict!(&busy) else { panic!("503 is tried again") };
        assert_eq!((failure.class(), failure.status()), (Class::Transient, Some(503)));
        assert_eq!(failure.server_delay(), Some(SECOND));
        assert_eq!(verdict!(&Ok::<_, Fault>(())), Verdict::Done);
        assert_eq!(verdict!(&Ok::<_, Fault>(Answer(200))), Verdict::Done);
        assert_eq!(verdict!(&Answer(404)).failure(), Some(Failure::of(&Answer(404))));
    }
}

/// Outcomes that are not a `Result`.
mod others {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_option_is_tried_again_while_it_is_none() {
        assert_eq!(run!(() Option<u32>, None).attempts, 3);
        assert_eq!(run!(() Option<u32>, Some(1)).attempts, 1);
        assert_eq!(run!((on_error = "transient") Option<Answer>, None).attempts, 1);
        assert_eq!(run!((on_error = "never") Option<Answer>, None).attempts, 1);
        assert_eq!(run!(() Option<Answer>, Some(Answer(503))).attempts, 3);
    }

    /// An outcome by itself, of any class.
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Job(Class);

    impl Retryable for Job {
        fn class(&self) -> Class {
            self.0
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_type_of_ones_own_says_itself_whether_it_succeeded() {
        assert_eq!(run!(() Job, Job(Class::Success)).attempts, 1);
        assert_eq!(run!(() Job, Job(Class::Transient)).attempts, 3);
        assert_eq!(run!(() Job, Job(Class::Unknown)).attempts, 3);
        assert_eq!(run!(() Job, Job(Class::Permanent)).attempts, 1);
        assert_eq!(run!((on_error = "transient") Job, Job(Class::Unknown)).attempts, 1);
        assert_eq!(run!((on_error = "any") Job, Job(Class::Permanent)).attempts, 3);
        assert_eq!(run!((on_error = "any") Job, Job(Class::Success)).attempts, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_type_of_ones_own_with_a_status() {
        assert_eq!(run!(() Answer, Answer(503)).attempts, 3);
        assert_eq!(run!((on_status = [404]) Answer, Answer(503)).attempts, 1);
        assert_eq!(run!((on_status = [404]) Answer, Answer(404)).outcome, Answer(404));
    }

    #[tokio::test(start_paused = true)]
    async fn the_delay_of_an_answer_is_honoured() {
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
