//! The retry rule: which outcomes are retried, and the classes of statuses and I/O errors.

use std::fmt::Debug;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use retry_runtime::{Class, Condition, Failure, OnError, Retryable, Verdict, retry, verdict};

use crate::support::{Attempts, FakeResponse, Fault, SECOND, class, class_of, ms, run};

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
        const STATUSES: &[RangeInclusive<u16>] = &[503..=503];
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

#[test]
fn on_status_accepts_run_time_values_and_keeps_a_copy() {
    let condition = |statuses: &[u16]| {
        let ranges: Vec<_> = statuses.iter().map(|status| *status..=*status).collect();
        Condition::new().on_status(&ranges)
    };
    let is_retried = |condition, status| matches!(verdict!(&FakeResponse(status), condition), Verdict::Retry(_));
    let (teapots, conflicts) = (condition(&[418]), condition(&[409, 100, 599]));
    for status in [99, 100, 409, 418, 503, 599, 600, 65_535] {
        assert_eq!(is_retried(teapots, status), status == 418, "{status}");
        assert_eq!(is_retried(conflicts, status), [409, 100, 599].contains(&status), "{status}");
    }
    assert!(format!("{conflicts:?}").contains("[100..=100, 409..=409, 599..=599]"), "{conflicts:?}");
}

#[test]
fn statuses_of_run_time_values_are_checked() {
    for (ranges, message) in [
        (vec![RangeInclusive::new(503, 502)], "a range of statuses is empty: write the lower code first"),
        (vec![99..=100], "a status must be between 100 and 599"),
        (vec![500..=600], "a status must be between 100 and 599"),
        (
            vec![500..=599, 503..=503],
            "a status is listed twice: remove one of them, or write ranges that do not overlap",
        ),
    ] {
        let panic = std::panic::catch_unwind(|| Condition::new().on_status(&ranges)).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&message));
    }
}
