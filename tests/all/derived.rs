//! What `#[derive(Retryable)]` makes.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use retry_runtime::{Class, Failure, Retryable};

use crate::support::{Fault, SECOND, run};

type Boxed = Box<dyn Error + Send + Sync>;

#[derive(Clone, Copy)]
struct Code(u16);

impl From<Code> for u16 {
    fn from(code: Code) -> Self {
        code.0
    }
}

#[derive(Debug, thiserror::Error, Retryable)]
#[error("source")]
enum Sources<E: Error + 'static> {
    #[retryable(source)]
    Own(E),
    #[retryable(source = cause)]
    Named { cause: Fault, at: u32 },
    #[retryable(source)]
    Boxed(Boxed),
    #[retryable(source)]
    Anyhow(anyhow::Error),
}

#[derive(Retryable)]
enum All {
    #[retryable(transient)]
    Transient,
    #[retryable(transient, server_delay = wait)]
    After {
        wait: Duration,
    },
    #[retryable(transient, server_delay = 1)]
    Perhaps(#[expect(dead_code, reason = "only its place matters")] u8, Option<Duration>),
    #[retryable(permanent)]
    Permanent(#[expect(dead_code, reason = "only its place matters")] u8),
    #[retryable(status = 0)]
    Status(u16),
    #[retryable(status = code, server_delay = wait)]
    Both {
        code: Code,
        wait: Duration,
    },
    Unknown,
}

fn known(value: &impl Retryable) -> (Class, Option<u16>, Option<Duration>) {
    (value.class(), value.status(), value.server_delay())
}

#[test]
fn each_word_has_its_meaning() {
    for (value, expected) in [
        (All::Transient, (Class::Transient, None, None)),
        (All::After { wait: SECOND }, (Class::Transient, None, Some(SECOND))),
        (All::Perhaps(0, Some(SECOND)), (Class::Transient, None, Some(SECOND))),
        (All::Perhaps(0, None), (Class::Transient, None, None)),
        (All::Permanent(0), (Class::Permanent, None, None)),
        (All::Status(503), (Class::Transient, Some(503), None)),
        (All::Status(404), (Class::Permanent, Some(404), None)),
        (All::Both { code: Code(429), wait: SECOND }, (Class::Transient, Some(429), Some(SECOND))),
        (All::Unknown, (Class::Unknown, None, None)),
    ] {
        assert_eq!(known(&value), expected);
    }
}

#[test]
fn a_source_says_all() {
    let fault = Fault::status(503).after(SECOND);
    let all = (Class::Transient, Some(503), Some(SECOND));
    assert_eq!(known(&Sources::Own(fault)), all);
    assert_eq!(known(&Sources::<Fault>::Named { cause: fault, at: 1 }), all);
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(known(&Sources::<Fault>::Boxed(refused().into())), (Class::Transient, None, None));
    assert_eq!(known(&Sources::<Fault>::Anyhow(refused().into())), (Class::Transient, None, None));
    assert_eq!(known(&Sources::<Fault>::Boxed("text".into())), (Class::Unknown, None, None));
}

#[test]
fn structs() {
    #[derive(Retryable)]
    #[retryable(transient, server_delay = wait)]
    struct Busy {
        wait: Duration,
    }
    #[derive(Retryable)]
    #[retryable(status = 0)]
    struct Status(u16);
    #[derive(Retryable)]
    #[retryable(permanent)]
    struct Gone;
    #[derive(Retryable)]
    struct Bare;
    #[derive(Retryable)]
    #[retryable(source = error)]
    struct Wrapped<'a, E> {
        error: E,
        _name: &'a str,
    }
    assert_eq!(known(&Busy { wait: SECOND }), (Class::Transient, None, Some(SECOND)));
    assert_eq!(known(&Status(500)), (Class::Transient, Some(500), None));
    assert_eq!(known(&Gone), (Class::Permanent, None, None));
    assert_eq!(known(&Bare), (Class::Unknown, None, None));
    assert_eq!(known(&Wrapped { error: Status(404), _name: "" }), (Class::Permanent, Some(404), None));
}

#[test]
fn the_crate_may_have_another_path() {
    mod facade {
        pub(super) use ::retry_runtime as renamed;
    }
    #[derive(Retryable)]
    #[retryable(crate = facade::renamed)]
    enum Elsewhere {
        #[retryable(transient)]
        Busy,
    }
    assert_eq!(Elsewhere::Busy.class(), Class::Transient);
}

#[tokio::test(start_paused = true)]
async fn the_attribute_asks_what_was_derived() {
    assert_eq!(run!((start = "1ms") Result<(), All>, Err(All::After { wait: SECOND })).delays, [SECOND, SECOND]);
    assert_eq!(run!(() Result<(), All>, Err(All::Permanent(1))).attempts, 1);
    assert_eq!(run!((on_status = [404]) Result<(), All>, Err(All::Status(404))).attempts, 3);
}

/// A derived error asks its source once, so nested ones take linear time.
#[test]
fn nested_derived_errors_are_searched_once() {
    static ASKED: AtomicU32 = AtomicU32::new(0);

    #[derive(Debug, thiserror::Error)]
    #[error("bottom")]
    struct Bottom;

    impl Retryable for Bottom {
        fn class(&self) -> Class {
            ASKED.fetch_add(1, Relaxed);
            Class::Transient
        }
    }

    #[derive(Debug, thiserror::Error, Retryable)]
    #[error("level")]
    enum Level {
        #[retryable(source)]
        Bottom(Bottom),
        #[retryable(source)]
        Above(Box<Level>),
    }

    let mut error = Level::Bottom(Bottom);
    for _ in 0..7 {
        error = Level::Above(Box::new(error));
    }
    assert_eq!(Failure::of(&error).class(), Class::Transient);
    assert_eq!(ASKED.load(Relaxed), 1);
}
