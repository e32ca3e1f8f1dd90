//! Secrets in URLs, in the texts that observers receive.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::sync::Mutex;
use std::time::Duration;

use retry_fuzz::{Input, text};
use retry_runtime::event::EventKind;
use retry_runtime::{Event, Executor, Observer, Policy};

const SECRET: &str = "S3CR3T";

retry_fuzz::target!(masking);

fn masking(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.up_to(3) {
        0 | 1 => no_secret_survives(&mut input),
        2 => any_text(&text(input.rest())),
        _ => time_is_linear(&mut input),
    }
}

/// The text in the event of a failure.
fn masked(error: impl Display) -> String {
    #[derive(Default)]
    struct Reasons(Mutex<String>);
    impl Observer for Reasons {
        fn on_event(&self, event: &Event<'_>) {
            if let EventKind::AttemptFailed { reason, .. } = event.kind {
                self.0.lock().unwrap().push_str(&reason.to_string());
            }
        }
    }
    let (reasons, policy) = (Reasons::default(), Policy::new().attempts(1));
    Executor::new(&policy).observer(&reasons).fail(error);
    reasons.0.into_inner().unwrap()
}

fn any_text(text: &str) {
    let once = masked(text);
    assert!(!once.contains(char::is_control), "{once:?}");
    // An escape, also one that masking adds, is read as the character behind it.
    if once.contains(['%', '\\', '&']) {
        return;
    }
    // A text with several URLs may lose what separates two of them.
    let schemes = text.matches("//").count() + text.matches(':').count();
    if schemes <= 1 {
        assert_eq!(masked(&once), once, "{text:?}");
    }
    if schemes == 0 {
        assert_eq!(once, text);
    }
}

/// A text, in the pieces that a formatter receives.
struct Pieces(Vec<String>);

impl Display for Pieces {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

/// One or more URLs with a secret in each place that may have one, alone, in a list, in JSON, or in prose.
fn no_secret_survives(input: &mut Input<'_>) {
    let mut pieces = Vec::new();
    for _ in 0..=input.up_to(2) {
        let (before, after) = input.pick(&[
            ("", ""),
            ("error sending request for url (", "): connection refused (os error 111)"),
            ("GET ", " failed"),
            ("\"", "\""),
            ("<", "> is down"),
            ("[", "]"),
            ("cannot open `", "`: invalid port number"),
            ("{\"url\":\"", "\"}"),
            ("url=", ", status 503"),
            ("jdbc:", "\n"),
        ]);
        let mut url = url(input);
        if input.one_in(4) {
            let inner = self::url(input);
            // In a path, two slashes do not begin a URL.
            if !inner[0].is_empty() {
                url.truncate(4);
                url[3] = format!("{}/{}", url[3], escaped(input, inner.concat()));
            }
        } else if input.one_in(3) {
            let kind = input.any::<u8>();
            url = url.into_iter().map(|piece| escaped(&mut Input::new(&[kind]), piece)).collect();
        }
        pieces.push(before.to_owned());
        if input.any() {
            pieces.push(url.concat())
        } else {
            pieces.extend(url)
        }
        pieces.push(after.to_owned());
        pieces.push(input.one_of(&[", ", ",", " ", " and ", "|", ": ", "\n"]).to_owned());
    }
    let text = pieces.concat();
    for masked in [masked(Pieces(pieces)), masked(&text)] {
        assert!(!masked.contains(SECRET), "{text:?} is shown as {masked:?}");
        assert!(!masked.contains(char::is_control), "{masked:?}");
    }
}

fn escaped(input: &mut Input<'_>, url: String) -> String {
    let kind = input.up_to(6);
    let escape = |c: char| match (kind, c) {
        (1, '/') => r"\/".to_owned(),
        (1, '"') => "\\\"".to_owned(),
        (2..=4, ':' | '/' | '@' | '?' | '#' | '[' | ']' | ' ' | '"' | '=' | '&' | '%') => {
            format!("{}{:02X}", ["%", "%25", "%2525"][kind - 2], u32::from(c))
        }
        (5, ':' | '/' | '@' | '?' | '#') => format!(r"\u{:04x}", u32::from(c)),
        (6, ':' | '/' | '@' | '?' | '#') => format!("&#{};", u32::from(c)),
        _ => c.to_string(),
    };
    url.chars().map(escape).collect()
}

/// The secret among characters that a URL should escape.
fn secret(input: &mut Input<'_>) -> String {
    const ODD: &[&str] = &[
        "", "a", "Z9", "7", "@", "/", ":", "?", "#", " ", "\"", "<", ">", "'", "`", ",", ";", "!", "$", "&", "(", ")",
        "*", "+", "=", "%", "%20", "%40", "[", "]", "{", "}", "|", "\\", "^", "~", "-", ".", "_", "é", "\n", "\t",
        "://", ": ", ") ", "\" ", " and ",
    ];
    let mut odd = || [input.one_of(ODD), input.one_of(ODD)].concat();
    format!("{}{SECRET}{}", odd(), odd())
}

/// A user name and a password. The rules of `util/mask` leave some passwords readable, which are not made here: those that begin like the
/// end of a sentence or like a port, and those with a scheme at the beginning of a word.
fn user_info(input: &mut Input<'_>) -> String {
    let user = input.one_of(&["user", "", "svc.app", "1.2.3.4", "localhost", "joe.smith@corp.example", "my user"]);
    let start = input.one_of(&["a", "p4", "0", "99999", "!", "$", "*", "+", "-", "=", "_", "~", "@", "^", "|"]);
    let password = format!("{start}{}", secret(input).replace("://", ":"));
    let is_host = matches!(user, "1.2.3.4" | "localhost");
    if password.contains(":/") || password.contains(r":\") || is_host && password.starts_with('0') {
        return format!("{SECRET}:x@");
    }
    match input.up_to(4) {
        0 => String::new(),
        1 => format!("{SECRET}@"),
        2 => format!("ab+{SECRET}=/cd@"),
        _ => format!("{user}:{password}@"),
    }
}

/// Scheme, separator, authority, path, query, fragment.
fn url(input: &mut Input<'_>) -> Vec<String> {
    let (scheme, separator) = input.pick(&[
        ("https", "://"),
        ("HTTP", "://"),
        ("postgres", "://"),
        ("mongodb+srv", "://"),
        ("x-1.y", "://"),
        ("https", ":"),
        ("ws", ":"),
        ("", "//"),
    ]);
    let user_info = user_info(input);
    let host = input.one_of(&[
        "h",
        "a.example",
        "localhost",
        "127.0.0.1",
        "[2001:db8::1]",
        "bücher.example",
        "h1,h2",
        "",
        "1",
    ]);
    let port = input.one_of(&["", ":80", ":65535", ":99999"]);
    let path = input.one_of(&[
        "",
        "/",
        "/p",
        "/@me",
        "/users/joe@x.example",
        "/a b",
        "/a(b)",
        "/it's",
        "/p:q",
        "/a;v=1",
        "/%20x",
    ]);
    // After a path with a space, a `?` begins a query only if a word follows.
    let key = if path.contains(' ') { "k=" } else { input.one_of(&["", "q=", "q=1&r="]) };
    let mut part = |mark: &str| if input.any() { format!("{mark}{key}{}", secret(input)) } else { String::new() };
    let (query, fragment) = (part("?"), part("#"));
    [scheme, separator, &format!("{user_info}{host}{port}"), path, &query, &fragment].map(str::to_owned).to_vec()
}

/// Eight times the text takes about eight times the time, and not 64 times.
fn time_is_linear(input: &mut Input<'_>) {
    // Slow, so only for some of the inputs.
    if !input.one_in(64) {
        return;
    }
    let pattern = text(input.bytes(24)).into_owned();
    if pattern.is_empty() {
        return;
    }
    let time = |length: usize| {
        let text = pattern.repeat(length / pattern.len());
        let start = processor_time()?;
        assert!(!masked(&text).is_empty());
        Some(processor_time()? - start)
    };
    let is_linear = || {
        let (short, long) = (time(1_500), time(12_000));
        short.zip(long).is_none_or(|(short, long)| long < short * 30 + Duration::from_millis(20))
    };
    // Once is enough, because something else may have disturbed the measurement.
    assert!((0..5).any(|_| is_linear()), "{pattern:?} takes more than linear time");
}

/// The time that this thread has run. `None` if the system does not tell.
fn processor_time() -> Option<Duration> {
    let statistics = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(statistics.split(' ').next()?.parse().ok()?))
}
