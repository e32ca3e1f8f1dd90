//! The search for a classified error, in the error itself and its sources.

use std::error::Error;
use std::fmt::{self, Debug, Display};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use retry_runtime::outcome::{Marked, transient_in_chain};
use retry_runtime::{Class, Failure, Retryable, permanent, retry, transient};

use crate::support::{Attempts, Fault, class_of, run};

type Boxed = Box<dyn Error + Send + Sync>;

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
