//! Errors that borrow, in each spelling of the return type. If the function compiles without the attribute, it compiles with
//! it.

use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use retry_runtime::{Class, Retryable, TimedOut, retry};

use super::Flaky;

type Borrowing<'a> = Box<dyn Error + Send + Sync + 'a>;
type Out<'a> = Result<&'a str, Borrowing<'a>>;
/// Has a lifetime parameter, but its error does not borrow.
type Owned<'a> = Result<&'a str, Box<dyn Error + Send + Sync>>;

trait Has<'a> {
    type Error;
}

impl<'a> Has<'a> for u8 {
    type Error = Borrowing<'a>;
}

/// An error that borrows, and whose source does not.
#[derive(Debug)]
struct Named<'a>(&'a str, io::Error);

impl Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Named<'_> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.1)
    }
}

const REFUSED: io::ErrorKind = io::ErrorKind::ConnectionRefused;
const UNKNOWN: io::ErrorKind = io::ErrorKind::Other;

#[retry(start = "0s", on_error = "transient")]
async fn alias<'a>(text: &'a str, kind: io::ErrorKind, flaky: &Flaky) -> Result<&'a str, Borrowing<'a>> {
    if flaky.fails() { Err(Named(text, kind.into()).into()) } else { Ok(text) }
}

#[retry(start = "0s", on_error = "transient", deadline = "1s", nested = "once")]
async fn whole_alias<'a>(text: &'a str, kind: io::ErrorKind, flaky: &Flaky) -> Out<'a> {
    if flaky.fails() { Err(Named(text, kind.into()).into()) } else { Ok(text) }
}

#[retry(start = "0s", on_error = "transient", deadline = "1s")]
async fn alias_without_a_borrowing_error<'a>(text: &'a str, kind: io::ErrorKind, flaky: &Flaky) -> Owned<'a> {
    if flaky.fails() { Err(io::Error::from(kind).into()) } else { Ok(text) }
}

#[retry(start = "0s", on_error = "transient")]
async fn reference<'a>(
    error: &'a (dyn Error + Send + Sync),
    flaky: &Flaky,
) -> Result<u32, &'a (dyn Error + Send + Sync)> {
    if flaky.fails() { Err(error) } else { Ok(1) }
}

#[retry(start = "0s", on_error = "transient")]
async fn reference_to_a_known_error<'a>(error: &'a io::Error, flaky: &Flaky) -> Result<u32, &'a io::Error> {
    if flaky.fails() { Err(error) } else { Ok(1) }
}

#[retry(start = "0s", on_error = "transient")]
async fn projection<'a>(text: &'a str, kind: io::ErrorKind, flaky: &Flaky) -> Result<u32, <u8 as Has<'a>>::Error> {
    if flaky.fails() { Err(Named(text, kind.into()).into()) } else { Ok(1) }
}

#[retry(start = "0s", on_error = |error| error.source().is_some())]
async fn generic_projection<'a, H: Has<'a, Error = Borrowing<'a>>>(
    _: H,
    text: &'a str,
    flaky: &Flaky,
) -> Result<u32, <H as Has<'a>>::Error> {
    if flaky.fails() { Err(Named(text, UNKNOWN.into()).into()) } else { Ok(1) }
}

#[retry(start = "0s", on_error = "transient")]
async fn shared<'a>(
    text: &'a str,
    kind: io::ErrorKind,
    flaky: &Flaky,
) -> Result<u32, Arc<dyn Error + Send + Sync + 'a>> {
    if flaky.fails() { Err(Arc::new(Named(text, kind.into()))) } else { Ok(1) }
}

#[retry(start = "0s", on_error = "transient", hedge = "1s")]
async fn hedged<'a>(text: &'a str, kind: io::ErrorKind, flaky: &Flaky) -> Out<'a> {
    if flaky.fails() { Err(Named(text, kind.into()).into()) } else { Ok(text) }
}

#[retry(start = "0s", on_error = "transient")]
fn returned<'a>(
    text: &'a str,
    kind: io::ErrorKind,
    flaky: &'a Flaky,
) -> impl Future<Output = Out<'a>> + Send + use<'a> {
    async move { if flaky.fails() { Err(Named(text, kind.into()).into()) } else { Ok(text) } }
}

#[retry(blocking, start = "0s", on_error = "transient")]
fn blocking<'a>(text: &'a str, kind: io::ErrorKind, flaky: &Flaky) -> Out<'a> {
    if flaky.fails() { Err(Named(text, kind.into()).into()) } else { Ok(text) }
}

struct Reader<'a>(&'a str, Flaky);

impl<'a> Reader<'a> {
    #[retry(start = "0s", on_error = "transient")]
    async fn read(&self, kind: io::ErrorKind) -> Out<'a> {
        if self.1.fails() { Err(Named(self.0, kind.into()).into()) } else { Ok(self.0) }
    }

    #[retry(start = "0s", on_error = "transient")]
    async fn read_with_elided_lifetime(&self, kind: io::ErrorKind) -> Result<u32, Borrowing<'_>> {
        if self.1.fails() { Err(Named(self.0, kind.into()).into()) } else { Ok(1) }
    }
}

/// Checks that a transient source leads to three attempts, and an unknown one to a single attempt.
macro_rules! assert_classified {
    ($($call:ident($text:expr)),*) => {$({
        static TRANSIENT: Flaky = Flaky::new();
        static UNKNOWN_FAILS: Flaky = Flaky::new();
        assert!($call($text, REFUSED, &TRANSIENT).await.is_ok());
        assert_eq!($call($text, UNKNOWN, &UNKNOWN_FAILS).await.unwrap_err().to_string(), *$text);
        assert_eq!((TRANSIENT.attempts(), UNKNOWN_FAILS.attempts()), (3, 1));
    })*};
}

#[tokio::test]
async fn borrowing_error_object_behind_an_alias_or_a_projection_is_classified() {
    let text = "a text".to_owned();
    assert_classified!(alias(&text), whole_alias(&text), projection(&text), shared(&text), hedged(&text));
    let flaky = Flaky::new();
    assert!(generic_projection(1_u8, &text, &flaky).await.is_ok());
    assert_eq!(flaky.attempts(), 3);
    let (transient, unknown) = (Flaky::new(), Flaky::new());
    assert!(returned(&text, REFUSED, &transient).await.is_ok() && returned(&text, UNKNOWN, &unknown).await.is_err());
    assert!(blocking(&text, REFUSED, &transient).is_ok() && blocking(&text, UNKNOWN, &Flaky::new()).is_err());
    assert_eq!((transient.attempts(), unknown.attempts()), (4, 1));
    let reader = Reader(&text, Flaky::new());
    assert!(reader.read(REFUSED).await.is_ok());
    assert_eq!(reader.1.attempts(), 3);
    let reader = Reader(&text, Flaky::new());
    assert!(reader.read_with_elided_lifetime(REFUSED).await.is_ok());
    assert_eq!(reader.1.attempts(), 3);
}

#[tokio::test]
async fn reference_to_an_error_is_classified() {
    let (transient, unknown) = (Flaky::new(), Flaky::new());
    let (text, error) = ("a text".to_owned(), io::Error::from(REFUSED));
    assert!(reference(&Named(&text, REFUSED.into()), &transient).await.is_ok());
    assert!(reference(&Named(&text, UNKNOWN.into()), &unknown).await.is_err());
    assert_eq!((transient.attempts(), unknown.attempts()), (3, 1));
    let flaky = Flaky::new();
    assert!(reference_to_a_known_error(&error, &flaky).await.is_ok());
    assert_eq!(flaky.attempts(), 3);
}

#[tokio::test]
async fn owned_error_object_behind_an_alias_with_a_lifetime_is_classified_by_its_type() {
    let (text, transient, unknown) = ("a text".to_owned(), Flaky::new(), Flaky::new());
    assert!(alias_without_a_borrowing_error(&text, REFUSED, &transient).await.is_ok());
    assert!(alias_without_a_borrowing_error(&text, UNKNOWN, &unknown).await.is_err());
    assert_eq!((transient.attempts(), unknown.attempts()), (3, 1));
}

/// A regression test: rustc once reported that an internal trait was "not general enough".
#[tokio::test]
async fn future_with_a_time_limit_is_send_if_its_outcome_borrows() {
    #[retry(start = "0s", deadline = "1s")]
    async fn borrowing_value<'a>(text: &'a str, flaky: &Flaky) -> Result<&'a str, io::Error> {
        if flaky.fails() { Err(REFUSED.into()) } else { Ok(text) }
    }
    #[retry(policy = retry_runtime::Policy::fixed(Duration::ZERO), hedge = "1s")]
    async fn borrowing_error<'a>(text: &'a str, flaky: &Flaky) -> Result<u32, Timed<'a>> {
        if flaky.fails() { Err(Timed(text)) } else { Ok(1) }
    }
    struct Timed<'a>(#[expect(dead_code, reason = "only the lifetime matters")] &'a str);
    impl From<TimedOut> for Timed<'_> {
        fn from(_: TimedOut) -> Self {
            Self("timed out")
        }
    }
    fn assert_send<F: Send>(future: F) -> F {
        future
    }
    let (text, flaky) = ("a text".to_owned(), Flaky::new());
    assert!(assert_send(whole_alias(&text, REFUSED, &Flaky::new())).await.is_ok());
    assert!(assert_send(borrowing_value(&text, &flaky)).await.is_ok());
    assert!(assert_send(borrowing_error(&text, &Flaky::new())).await.is_ok());
    assert_eq!(flaky.attempts(), 3);
}

#[derive(Debug, Retryable)]
enum Derived<'a> {
    #[retryable(source)]
    Object(Borrowing<'a>),
    #[retryable(source)]
    Projected(<u8 as Has<'a>>::Error),
    #[retryable(source)]
    Known(&'a io::Error),
}

#[test]
fn source_in_a_derived_implementation_may_borrow() {
    let (text, error) = ("a text".to_owned(), io::Error::from(REFUSED));
    assert_eq!(Derived::Object(Named(&text, REFUSED.into()).into()).class(), Class::Transient);
    assert_eq!(Derived::Projected(Named(&text, UNKNOWN.into()).into()).class(), Class::Unknown);
    assert_eq!(Derived::Known(&error).class(), Class::Transient);
}
