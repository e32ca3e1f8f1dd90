//! Property tests of masking: a secret never survives, in any URL and any surrounding text.

use std::fmt::{self, Display, Formatter, Write};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::masking::reason_of;

const SECRET: &str = "S3CR3T";
/// This many cases take seconds in a debug build. `MASKING_CASES` sets another number, `MASKING_SEED` another seed.
const CASES: u32 = 10_000;

/// A text, in the pieces that a formatter receives.
#[derive(Clone, Debug)]
struct Text(Vec<String>);

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| f.write_str(piece))
    }
}

/// An escaping of the structural characters of a URL.
#[derive(Clone, Copy, Debug)]
enum Escape {
    None,
    Percent(&'static str),
    Json,
    Unicode,
    Html,
}

impl Escape {
    fn escaped(self, url: &str) -> String {
        url.chars().fold(String::new(), |mut escaped, c| {
            match (self, c) {
                (Self::Json, '/') => escaped.push_str(r"\/"),
                (Self::Json, '"') => escaped.push_str(r#"\""#),
                (Self::Percent(percent), ':' | '/' | '@' | '?' | '#' | '[' | ']' | ' ' | '"' | '=' | '&' | '%') => {
                    write!(escaped, "{percent}{:02X}", u32::from(c)).unwrap();
                }
                (Self::Unicode, ':' | '/' | '@' | '?' | '#') => write!(escaped, r"\u{:04x}", u32::from(c)).unwrap(),
                (Self::Html, ':' | '/' | '@' | '?' | '#') => write!(escaped, "&#{};", u32::from(c)).unwrap(),
                _ => escaped.push(c),
            }
            escaped
        })
    }
}

fn escape() -> impl Strategy<Value = Escape> {
    prop_oneof![
        6 => Just(Escape::None),
        2 => select(vec!["%", "%25", "%2525"]).prop_map(Escape::Percent),
        1 => Just(Escape::Json),
        1 => Just(Escape::Unicode),
        1 => Just(Escape::Html),
    ]
}

/// The secret among characters that a URL should escape.
fn secret() -> impl Strategy<Value = String> {
    let odd = select(vec![
        "a", "Z9", "7", "@", "/", ":", "?", "#", " ", "\"", "<", ">", "'", "`", ",", ";", "!", "$", "&", "(", ")", "*",
        "+", "=", "%", "%20", "%40", "[", "]", "{", "}", "|", "\\", "^", "~", "-", ".", "_", "é", "\n", "\t", "://",
        ": ", ") ", "\" ", " and ",
    ]);
    let odd = || proptest::collection::vec(odd.clone(), 0..4).prop_map(|odd| odd.concat());
    (odd(), odd()).prop_map(|(before, after)| format!("{before}{SECRET}{after}"))
}

fn user_info() -> impl Strategy<Value = String> {
    // Excluded: a password that begins with a space. It looks like the end of a sentence: "no answer from https://a: …".
    let punctuation: Vec<_> =
        (b'!'..=b'~').filter(u8::is_ascii_punctuation).map(|c| char::from(c).to_string()).collect();
    let start =
        || prop_oneof![select(vec!["a", "p4", "0", "99999"]).prop_map(str::to_owned), select(punctuation.clone()),];
    let password = || {
        (start(), secret())
            .prop_map(|(start, secret)| start + &secret.replace("://", ":"))
            .prop_filter("a scheme", |password| {
                !password.contains(":/") && !password.contains(r":\") && !password.starts_with("//")
            })
    };
    // Excluded: a password that begins with a port, after a user that is certainly a host name: `localhost:80/`.
    let no_port = || password().prop_filter("a port", |password| !password.starts_with('0'));
    // A `scheme://` in a password. At the beginning of a word, it would look like another URL.
    let with_scheme = (select(vec!["a", "p4", "0", "99999"]), select(vec!["", "!", "@", "$x", "~"]))
        .prop_map(|(start, odd)| format!("{start}{odd}{SECRET}://"));
    prop_oneof![
        6 => Just(String::new()),
        4 => password().prop_map(|password| format!("user:{password}@")),
        2 => password().prop_map(|password| format!(":{password}@")),
        2 => password().prop_map(|password| format!("svc.app:{password}@")),
        2 => (select(vec!["1.2.3.4", "localhost"]), no_port()).prop_map(|(user, password)| format!("{user}:{password}@")),
        2 => password().prop_map(|password| format!("joe.smith@corp.example:{password}@")),
        1 => password().prop_map(|password| format!("my user:{password}@")),
        1 => with_scheme.prop_map(|password| format!("user:{password}@")),
        1 => Just(format!("{SECRET}:x@")),
        1 => Just(format!("{SECRET}@")),
        1 => Just(format!("ab+{SECRET}=/cd@")),
    ]
}

/// A URL without another one in it, in the pieces that a formatter may receive.
fn plain_url() -> BoxedStrategy<Vec<String>> {
    let named = vec!["https", "http", "HTTPS", "postgres", "redis", "amqp", "mongodb+srv", "ftp", "x-1.y"];
    let schemes = prop_oneof![
        8 => select(named).prop_map(|scheme| (scheme, "://")),
        1 => select(vec!["https", "HTTP", "ws"]).prop_map(|scheme| (scheme, ":")),
        1 => Just(("", "//")),
    ];
    let hosts = vec!["h", "a.example", "localhost", "127.0.0.1", "[2001:db8::1]", "bücher.example", "h1,h2", "", "1"];
    let ports = vec!["", "", ":80", ":65535", ":99999"];
    let paths =
        vec!["", "/", "/p", "/@me", "/users/joe@x.example", "/a b", "/a(b)", "/it's", "/p:q", "/a;v=1", "/%20x"];
    let query = |mark| {
        prop_oneof![
            2 => Just(String::new()),
            2 => (select(vec!["", "q=", "q=1&r="]), secret()).prop_map(move |(key, secret)| format!("{mark}{key}{secret}")),
        ]
    };
    let authority = (schemes, user_info(), select(hosts), select(ports));
    let leaf = (authority, select(paths), query('?'), query('#'));
    leaf.prop_map(|(((scheme, separator), user_info, host, port), path, query, fragment)| {
        // After a path with a space, a `?` begins a query only if a word follows.
        let query = if path.contains(' ') { query.replace('?', "?k=") } else { query };
        let fragment = if path.contains(' ') { fragment.replace('#', "#k=") } else { fragment };
        [scheme.to_owned(), separator.to_owned(), format!("{user_info}{host}{port}"), path.to_owned(), query, fragment]
            .to_vec()
    })
    .boxed()
}

/// A URL, plain or nested in another, with any escaping.
fn url() -> impl Strategy<Value = Vec<String>> {
    // In a path, two slashes do not begin a URL.
    let inner = plain_url().prop_filter("no scheme", |pieces| !pieces[0].is_empty());
    let nested = (plain_url(), escape(), inner).prop_map(|(outer, escape, inner)| {
        let mut pieces = outer[..4].to_vec();
        pieces[3] = format!("{}/{}", pieces[3], escape.escaped(&inner.concat()));
        pieces
    });
    let escaped = (plain_url(), escape())
        .prop_map(|(pieces, escape)| pieces.into_iter().map(|piece| escape.escaped(&piece)).collect());
    prop_oneof![4 => escaped, 1 => nested]
}

/// Text before and after a URL. A bracket or quote around it is closed.
fn around() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("", ""),
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
    ])
}

/// A text with one or more URLs.
fn text() -> impl Strategy<Value = Text> {
    let between = vec![",", ", ", " ", " and ", "|", ": ", "\n", "; joe@x.example wrote:  "];
    let part = (around(), url(), any::<bool>(), select(between));
    (proptest::collection::vec(part, 1..4), any::<bool>()).prop_map(|(parts, in_pieces)| {
        let mut pieces = Vec::new();
        for ((before, after), url, whole, between) in parts {
            pieces.push(before.to_owned());
            if whole {
                pieces.push(url.concat())
            } else {
                pieces.extend(url)
            }
            pieces.extend([after.to_owned(), between.to_owned()]);
        }
        pieces.pop();
        if in_pieces { Text(pieces) } else { Text(vec![pieces.concat()]) }
    })
}

/// Tests that this masker hides the secret in each text. Returns a text in which the secret survives.
fn counterexample(mask: impl Fn(&Text) -> String) -> Option<String> {
    let cases = std::env::var("MASKING_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let rng = match std::env::var("MASKING_SEED") {
        Ok(seed) => TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.parse::<u8>().unwrap(); 32]),
        Err(_) => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    };
    let tested = TestRunner::new_with_rng(config, rng).run(&text(), |text| {
        let masked = mask(&text);
        if masked.contains(SECRET) {
            return Err(TestCaseError::fail(format!("{text:?}: {masked}")));
        }
        Ok(())
    });
    match tested {
        Ok(()) => None,
        Err(TestError::Fail(reason, _)) => Some(reason.to_string()),
        Err(TestError::Abort(reason)) => panic!("no cases could be generated: {reason}"),
    }
}

#[test]
fn no_secret_survives() {
    assert_eq!(counterexample(|text| reason_of(text)), None);
}

/// Proves that the property above can fail.
#[test]
fn broken_maskers_are_detected() {
    let identity = |text: &Text| text.to_string();
    assert!(counterexample(identity).is_some());

    let first_url_only = |text: &Text| {
        let text = text.to_string();
        let second = text.match_indices("://").nth(1).map_or(text.len(), |(at, _)| at);
        reason_of(&text[..second]) + &text[second..]
    };
    assert!(counterexample(first_url_only).is_some());

    // User info ends at the first slash, a query at the first space.
    let well_formed_only = |text: &Text| {
        let mut masked = String::new();
        for (place, url) in text.to_string().split("://").enumerate() {
            let (url, after) = url.split_at(url.find([' ', '"', '<', '>']).unwrap_or(url.len()));
            let path = url.find('/').unwrap_or(url.len());
            let url = if place == 0 { url } else { &url[url[..path].rfind('@').unwrap_or(0)..] };
            masked.extend([url.split('?').next().unwrap_or_default(), after, "://"]);
        }
        masked
    };
    assert!(counterexample(well_formed_only).is_some());
}

/// A sequence of pieces with a meaning for masking.
fn meaningful_pieces() -> impl Strategy<Value = String> {
    let pieces = vec![
        "://",
        ":",
        "/",
        "@",
        "?",
        "#",
        "%3A",
        "%2f",
        "%25",
        "%",
        "\\",
        "\\/",
        "\"",
        "\\\"",
        "\\n",
        "\\u003a",
        "\\u{1b}",
        "&#58;",
        "&#",
        ";",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        "'",
        "`",
        "{",
        "}",
        " ",
        "\n",
        "\x1b",
        ",",
        ".",
        "https",
        "a.b",
        "user",
        "8080",
        "localhost",
        "password: Some(\"",
        "query: Some(",
        "username: ",
        "é",
        "🦀",
        "\u{2028}",
        "=",
        "&",
        "***",
    ];
    proptest::collection::vec(select(pieces), 0..16).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics_or_keeps_control_characters(text in prop_oneof![meaningful_pieces(), any::<String>()]) {
        prop_assert!(!reason_of(text).contains(char::is_control));
    }

    /// Only for texts with one URL. In a text with several, a hidden part may have separated two of them.
    #[test]
    fn masking_twice_changes_nothing(
        text in prop_oneof![
            (around(), plain_url(), escape()).prop_map(|((before, after), url, escape)| {
                format!("{before}{}{after}", escape.escaped(&url.concat()))
            }),
            any::<String>(),
        ],
    ) {
        let once = reason_of(&text);
        prop_assert_eq!(reason_of(&once), once, "{}", text);
    }

    #[test]
    fn text_without_a_colon_and_two_slashes_is_unchanged(
        text in "[^:%&\\\\\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]*".prop_filter("two slashes", |text| !text.contains("//")),
    ) {
        prop_assert_eq!(reason_of(&text), text);
    }

    #[test]
    fn debug_of_a_url_shows_no_secret(
        (user, password) in ("[a-z]{1,3}", "[a-z \"<\\\\/@:?#]{0,5}"),
        query in "[a-z \"<>\\\\'&=]{0,5}",
    ) {
        let mut url = reqwest::Url::parse("https://h.example/p").unwrap();
        url.set_username(&format!("{user}{SECRET}")).unwrap();
        url.set_password(Some(&format!("{password}{SECRET}{password}"))).unwrap();
        url.set_query(Some(&format!("{query}{SECRET}{query}")));
        url.set_fragment(Some(&format!("{query}{SECRET}{query}")));
        let debug = format!("{url:?}");
        for text in [format!("{url:#?}"), format!("{debug:?}"), format!("{:?}", format!("{debug:?}")), debug, url.to_string()] {
            let masked = reason_of(&text);
            prop_assert!(!masked.contains(SECRET) && masked.contains("h.example"), "{}", masked);
        }
    }
}

/// A quadratic search would take minutes.
#[test]
fn long_texts_take_linear_time() {
    for pattern in [
        "x://",
        "x://@",
        "x://u:p",
        "a:https://",
        "@x://u:",
        "x://u:p@h ",
        "https://h/?a ",
        "(https://h/",
        "(x://h/)",
        "%25",
        "%3A",
        "\\",
        ":\\",
        "&#",
        "password: Some(\"",
        "\"x://?\\",
        "x://a,u:",
        "x://a.b:|",
        "https:u:p",
        " https:u:1",
        "x://u:1 //a",
        "//",
        " //u:1 ",
        ",//a:",
        "!https://u:1,",
        "'x://h?",
        "?",
        "#",
        "#1",
        "? ",
    ] {
        let text = pattern.repeat(20_000 / pattern.len());
        assert!(!reason_of(&text).is_empty());
        assert!(!reason_of(format!("x://u:p {text}")).is_empty());
    }
}
