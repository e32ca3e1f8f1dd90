//! Masking: secrets in the text of errors do not reach an observer.

use std::error::Error;
use std::fmt::{self, Display};
use std::sync::Mutex;

use retry_runtime::event::EventKind;
use retry_runtime::http::SendWithRetry;
use retry_runtime::http::connections::TraceConnections;
use retry_runtime::{Event, Executor, Observer, Policy, retry, track};

use crate::support::server::{Reply, Server};

type Boxed = Box<dyn Error + Send + Sync>;

/// Keeps the reason of each failure, and each textual form of each event.
#[derive(Default)]
pub(crate) struct Witness {
    reasons: Mutex<Vec<String>>,
    lines: Mutex<Vec<String>>,
}

impl Observer for Witness {
    fn on_event(&self, event: &Event<'_>) {
        let owned = event.into_owned();
        let lines = [event.to_string(), format!("{event:?}"), owned.to_string(), format!("{owned:?}")];
        self.lines.lock().unwrap().extend(lines);
        if let EventKind::AttemptFailed { reason, .. } = event.kind {
            self.reasons.lock().unwrap().push(reason.to_string());
        }
    }
}

impl Witness {
    /// The reason of the only failure.
    fn reason(self) -> String {
        for line in self.lines.into_inner().unwrap() {
            assert!(!line.contains("SECRET"), "an event contains the secret: {line}");
            assert!(!line.contains(char::is_control), "an event contains a control character: {line:?}");
        }
        let [reason] = <[String; 1]>::try_from(self.reasons.into_inner().unwrap()).unwrap();
        reason
    }
}

/// The reason that an observer receives for an error with this text.
pub(crate) fn reason_of(error: impl Display) -> String {
    let witness = Witness::default();
    let policy = Policy::new().attempts(1);
    Executor::new(&policy).observer(&witness).fail(error);
    witness.reason()
}

/// The same through the attribute, for an error with sources.
fn reason_of_chain(error: impl Error + Send + Sync + 'static) -> String {
    #[retry(blocking, attempts = 1, observer = witness)]
    fn call(witness: &Witness, error: &mut Option<Boxed>) -> Result<(), Boxed> {
        Err(error.take().unwrap())
    }
    let witness = Witness::default();
    call(&witness, &mut Some(error.into())).unwrap_err();
    witness.reason()
}

#[track_caller]
fn assert_masked(cases: &[(&str, &str)]) {
    for (text, masked) in cases {
        assert_eq!(reason_of(text), *masked, "{text}");
    }
}

#[test]
fn every_url_in_a_list_is_masked() {
    assert_masked(&[
        ("amqp://u1:x@h1:5672,amqp://u2:SECRET@h2:5672", "amqp://***@h1:5672,amqp://***@h2:5672"),
        ("amqp://u1:x@h1:5672, amqp://u2:SECRET@h2:5672", "amqp://***@h1:5672, amqp://***@h2:5672"),
        ("amqp://h1:5672;amqp://u2:SECRET@h2:5672", "amqp://h1:5672;amqp://***@h2:5672"),
        ("https://a.example https://u:SECRET@b.example/x", "https://a.example https://***@b.example/x"),
    ]);
    // One scheme for several hosts: the text between the first user and the last host is ambiguous.
    assert_masked(&[
        ("mongodb://u:SECRET@h1,h2:27017/db", "mongodb://***@h1,h2:27017/db"),
        ("nats://u:x@h1:4222,u:SECRET@h2:4222", "nats://***@h2:4222"),
        ("nats://localhost:4222, u:SECRET@h2:4222", "nats://***@h2:4222"),
    ]);
}

#[test]
fn every_url_in_brackets_is_masked() {
    assert_masked(&[
        ("[https://a/,https://u:SECRET@b/]", "[https://a/,https://***@b/]"),
        ("[https://a.example, https://u:SECRET@b/]", "[https://a.example, https://***@b/]"),
        ("{https://u:SECRET@b/x}", "{https://***@b/x}"),
        ("(https://a/p)(https://u:SECRET@b/)", "(https://a/p)(https://***@b/)"),
        (r#"["https://a/", "https://u:SECRET@b/"]"#, r#"["https://a/", "https://***@b/"]"#),
    ]);
}

#[test]
fn url_in_the_path_of_another_is_masked() {
    assert_masked(&[
        ("https://web.archive.org/web/https://u:SECRET@b/", "https://web.archive.org/web/https://***@b/"),
        ("https://web.archive.org/web/https:/u:SECRET@b/", "https://web.archive.org/web/https:/***@b/"),
        ("https://proxy.example/https://a/?t=SECRET", "https://proxy.example/https://a/?***"),
        ("https://a?next=https://u:SECRET@b/SECRET", "https://a?***"),
        ("jdbc:postgresql://u:SECRET@h:5432/db", "jdbc:postgresql://***@h:5432/db"),
    ]);
}

#[test]
fn password_with_a_slash_is_masked() {
    assert_masked(&[
        (
            "postgres://user:abc/SECRET@host:5432/db: invalid port number",
            "postgres://***@host:5432/db: invalid port number",
        ),
        ("postgres://user:123/SECRET@host:5432/db", "postgres://***@host:5432/db"),
        ("postgres://user.name:123/SECRET@host:5432/db", "postgres://***@host:5432/db"),
        ("https://abc/SECRET@host/x", "https://***@host/x"),
    ]);
}

#[test]
fn password_without_a_user_is_masked() {
    assert_masked(&[
        ("redis://:abc/SECRET@host:6379", "redis://***@host:6379"),
        ("redis://:SECRET@host:6379/0", "redis://***@host:6379/0"),
        ("redis://:SECRET", "redis://***"),
        ("redis://:abc/SECRET: invalid port number", "redis://***: invalid port number"),
    ]);
}

#[test]
fn password_that_begins_with_punctuation_is_masked() {
    for user in ["svc.app", "1.2.3.4", "localhost", "[::1]", "my user"] {
        for odd in (b'!'..=b'~').filter(u8::is_ascii_punctuation).map(char::from) {
            // A query could begin at this character.
            let masked = if matches!(odd, '?' | '#') { "postgres://***" } else { "postgres://***@db:5432/x" };
            assert_eq!(reason_of(format!("postgres://{user}:{odd}SECRET@db:5432/x")), masked);
        }
    }
    // A space after the colon shows that the colon belongs to the sentence.
    assert_masked(&[(
        "no answer from https://a.example: ask joe@x.example",
        "no answer from https://a.example: ask joe@x.example",
    )]);
}

#[test]
fn password_with_structural_characters_is_masked() {
    assert_masked(&[
        ("https://u:a@b@SECRET@h/p", "https://***@h/p"),
        ("https://joe@corp.example:SECRET@h/p", "https://***@h/p"),
        ("https://u:a@b/SECRET@h/p", "https://***@h/p"),
        ("https://u:SECRET://x@h/p", "https://***@h/p"),
        ("https://u:a@SECRET://x@h/p", "https://***@h/p"),
        ("https://u:a,b://SECRET@h/p", "https://***@h/p"),
        ("https://u:a%3F%23%2F%40SECRET@h/p?q", "https://***@h/p?***"),
        ("https://u:SECRET@[2001:db8::1]:8443/p", "https://***@[2001:db8::1]:8443/p"),
    ]);
    // The last `@` may end the user info or be part of a query, so the whole URL is hidden.
    assert_masked(&[
        ("https://u:p@h/cb?hint=joe@SECRET", "https://***"),
        ("https://u:a?SECRET@h/p", "https://***"),
        ("https://u:a#SECRET@h/p?q", "https://***"),
        ("http://h:port/cb?hint=joe@SECRET", "http://***"),
        ("https://u.example:8443/x?SECRET@h", "https://***"),
        ("https://u:p?w@h/cb?hint=joe@SECRET", "https://***"),
    ]);
}

#[test]
fn debug_of_a_url_is_masked() {
    let url = reqwest::Url::parse("https://SECRETU:HUNTER2SECRET@h.example/p?token=SECRETQ#SECRETF").unwrap();
    let masked = r#"Url { scheme: "https", cannot_be_a_base: false, username: "***", password: Some("***"), host: Some(Domain("h.example")), port: None, path: "/p", query: Some("***"), fragment: Some("***") }"#;
    assert_eq!(reason_of(format!("{url:?}")), masked);
    assert_eq!(reason_of(format!("bad: {:?}", Some(&url))), format!("bad: Some({masked})"));
    // Formatted by the event itself.
    struct Refused(reqwest::Url);
    impl Display for Refused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "refused: {:?}", self.0)
        }
    }
    assert_eq!(reason_of(Refused(url.clone())), format!("refused: {masked}"));
    // In the `Debug` of another value, and over several lines.
    assert!(reason_of(format!("{:?}", format!("{url:?}"))).contains(r#"query: Some(\"***\")"#));
    assert!(reason_of(format!("{url:#?}")).contains(r#"query: Some(\n        "***",\n    )"#));
}

#[test]
fn debug_of_an_error_without_display_is_masked() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "used by `Debug`")]
    struct Refused {
        url: reqwest::Url,
        text: String,
    }
    #[retry(blocking, attempts = 1, observer = witness)]
    fn call(witness: &Witness) -> Result<(), Refused> {
        let url = reqwest::Url::parse("https://u:SECRET@h.example/p?token=SECRET").unwrap();
        Err(Refused { text: format!("GET {url}"), url })
    }
    let witness = Witness::default();
    call(&witness).unwrap_err();
    let reason = witness.reason();
    assert!(reason.contains(r#"password: Some("***")"#), "{reason}");
    assert!(reason.ends_with(r#"text: "GET https://***@h.example/p?***"#), "{reason}");
}

#[test]
fn urls_with_escapes_are_masked() {
    assert_masked(&[
        (r"https:\/\/u:SECRET@h\/p", r"https:\/\/***@h\/p"),
        (r"https:\\/\\/u:SECRET@h\\/p", r"https:\\/\\/***@h\\/p"),
        (r"https:\\u:SECRET@h\p", r"https:\\***@h\p"),
        (r#"{"url":"https:\/\/h\/p?t=SECRET"}"#, r#"{"url":"https:\/\/h\/p?***"}"#),
        (r"https\u003a\u002F\u002fu:SECRET\u0040h/p\u003ft", r"https\u003a\u002F\u002f***\u0040h/p\u003f***"),
        ("https%3A%2F%2Fu%3ASECRET%40h%2Fp%3Ft%3DSECRET", "https%3A%2F%2F***%40h%2Fp%3F***"),
        ("to=https%3a%2f%2fu%3aSECRET%40h%2fp", "to=https%3a%2f%2f***%40h%2fp"),
        ("https%253A%252F%252Fu%253ASECRET%2540h%252Fp", "https%253A%252F%252F***%2540h%252Fp"),
        ("https:&#x2F;&#x2F;u:SECRET&#64;h&#47;p", "https:&#x2F;&#x2F;***&#64;h&#47;p"),
        ("HTTPS://U:SECRET@H.EXAMPLE/P?SECRET", "HTTPS://***@H.EXAMPLE/P?***"),
    ]);
}

#[test]
fn url_without_slashes_or_scheme_is_masked() {
    assert_masked(&[
        ("https:u:SECRET@h/p?SECRET", "https:***@h/p?***"),
        ("proxy HTTP:u:a/SECRET@h failed", "proxy HTTP:***@h failed"),
        ("https%3Au%3ASECRET%40h", "https%3A***%40h"),
        ("//u:SECRET@h/p?SECRET", "//***@h/p?***"),
        ("url=//u:a/SECRET@h failed", "url=//***@h failed"),
        (r#"{"url":"\/\/u:SECRET@h\/p?SECRET"}"#, r#"{"url":"\/\/***@h\/p?***"}"#),
        ("[//a.example, //u:SECRET@b]", "[//a.example, //***@b]"),
        ("https://user:0 //SECRET https:SECRET@h", "https://***@h"),
    ]);
}

#[test]
fn password_with_a_space_or_a_quote_is_masked() {
    for odd in [" ", "\"", "<", ">", "'", "`", " and ", "\t", "\n", ") "] {
        assert_eq!(reason_of(format!("https://u:a{odd}SECRET@h/p")), "https://***@h/p");
        assert_eq!(reason_of(format!("(https://u:a{odd}SECRET@h/p?q): x")), "(https://***@h/p?***): x");
        assert_eq!(reason_of(format!("https://my user:a{odd}SECRET@h/p")), "https://***@h/p");
    }
}

#[test]
fn query_with_a_space_or_a_quote_is_masked() {
    for odd in [" ", "\"", "<", ">", "'", "`", " and ", "\t", "\n", ") ", ": "] {
        assert_eq!(reason_of(format!("https://h/p?q=a{odd}SECRET")), "https://h/p?***");
        assert_eq!(reason_of(format!("https://h/p#q=a{odd}SECRET")), "https://h/p#***");
        assert_eq!(reason_of(format!("GET https://h/a b?q={odd}SECRET")), "GET https://h/a b?***");
        assert_eq!(reason_of(format!("url (https://h/p?q=a{odd}SECRET) x")), "url (https://h/p?***) x");
        assert_eq!(reason_of(format!("\"https://h/p?q=a{odd}SECRET\" x")), "\"https://h/p?***\" x");
        assert_eq!(reason_of(format!("<https://h/p?q=a{odd}SECRET> x")), "<https://h/p?***> x");
    }
}

#[test]
fn fragment_is_masked() {
    assert_masked(&[
        ("https://app/cb#access_token=SECRET", "https://app/cb#***"),
        ("https://app/cb?x=1#access_token=SECRET", "https://app/cb?***"),
        ("https://app#SECRET", "https://app#***"),
    ]);
}

#[tokio::test]
async fn query_and_fragment_of_a_redirect_are_masked() {
    let location = "https://127.0.0.1:1/web/https://u:SECRET@b/cb?code=SECRET#access_token=SECRET";
    let server = Server::start([Reply::status(302).header("location", location)]).await;
    let witness: &'static Witness = Box::leak(Box::default());
    let client = reqwest::Client::builder().no_proxy().trace_connections().build().unwrap();
    let request = retry_runtime::http::RequestRetry::new(Policy::new().attempts(1)).observer(witness);
    let _ = client.get(&server.url).send_with_retry(&request).await;
    let lines = witness.lines.lock().unwrap();
    let masked = "redirected to https://127.0.0.1:1/web/https://***@b/cb?*** with status 302";
    assert!(lines.iter().any(|line| line.contains(masked)), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("SECRET")), "{lines:#?}");
}

#[test]
fn control_characters_are_escaped() {
    assert_masked(&[
        ("two\nlines", r"two\nlines"),
        ("\x1b[31mred\x1b[0m\r\0\x07\u{85}", r"\u{1b}[31mred\u{1b}[0m\r\0\u{7}\u{85}"),
        ("a\u{2028}b\u{202e}c", r"a\u{2028}b\u{202e}c"),
        ("https://u:SECRET@h/\n", r"https://***@h/\n"),
        ("é\tß", r"é\tß"),
    ]);
}

#[test]
fn text_without_secrets_is_unchanged() {
    for text in [
        "",
        "no url, a ? and an @",
        "busy: 10:30, see a:b@c?d#e",
        "://",
        "https://a.example/p",
        "https://a.example:8443/p/q.html, then http://[::1]:80/x",
        "https://a.example/@me is away",
        "https://registry.npmjs.org/@scope/pkg",
        "http://localhost:8080/users/joe@corp.example",
        "GET https://api.example.com/v1 failed, ask joe@corp.example (issue #12)",
        "connect to http://backend:80: refused",
        "is https://a.example/x up? yes",
        "file:///etc/retry.toml",
        "http: see https: and // here, joe@x.example",
        "https://a.example//b//c is up",
        r"C:\\Users\\joe",
        "ключ: значение",
    ] {
        assert_eq!(reason_of(text), text);
    }
}

/// When an error is formatted, masking sees where each value begins and ends.
#[test]
fn text_after_a_query_is_unchanged_if_the_end_of_the_query_is_visible() {
    #[derive(Debug, thiserror::Error)]
    #[error("GET {url} failed with status {status}")]
    struct Fetch {
        url: String,
        status: u16,
        source: Inner,
    }
    #[derive(Debug, thiserror::Error)]
    #[error("no answer from {0}, twice")]
    struct Inner(reqwest::Url, #[source] Innermost);
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Innermost(String);

    let url = reqwest::Url::parse("https://u:SECRET@h.example/p?t=SECRET").unwrap();
    let innermost = Innermost(format!("connection to {url} was lost"));
    let fetch = Fetch { url: url.to_string(), status: 503, source: Inner(url, innermost) };
    assert_eq!(
        reason_of_chain(fetch),
        "GET https://***@h.example/p?*** failed with status 503: no answer from https://***@h.example/p?***, twice: \
         connection to https://***@h.example/p?***"
    );
}

#[test]
fn cause_of_an_anyhow_error_is_unchanged() {
    use anyhow::Context;
    let cause: anyhow::Result<()> = Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into());
    let error = cause.context("GET https://h.example/p?t=SECRET failed").context("no stock").unwrap_err();
    assert_eq!(reason_of(error), "no stock: GET https://h.example/p?***: connection refused");
}

#[tokio::test]
async fn history_of_tracked_call_is_masked() {
    let policy = Policy::fixed(std::time::Duration::ZERO).attempts(2);
    let call = policy.run(|_| async { Err::<(), _>(std::io::Error::other("[https://a/,https://u:SECRET@b/]\n")) });
    let exhausted = track(call).history(9).await.into_result().unwrap_err();
    for failure in exhausted.failures() {
        assert_eq!(failure.reason, r"[https://a/,https://***@b/]\n");
    }
}
