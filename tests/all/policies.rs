//! Policies from files and the environment, and what policies say of themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use proptest::prelude::*;
use retry_runtime::config::Policies;
use retry_runtime::{Attempt, Budget, Jitter, Policy, retry};
use serde_json::{Value, json};

use crate::support::{Attempts, Fault, SECOND, ms};

fn read(value: Value) -> Result<Policy, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[track_caller]
fn says(value: Value, line: &str) {
    match read(value.clone()) {
        Ok(policy) => assert_eq!(policy.to_string(), line, "{value}"),
        Err(error) => panic!("{value}: {error}"),
    }
}

#[track_caller]
fn refuses(value: Value, message: &str) {
    assert_eq!(read(value.clone()).map(|policy| policy.to_string()), Err(message.to_owned()), "{value}");
}

/// Two values of each key, one of which may be to leave it out.
#[test]
fn keys() {
    const STANDARD: &str = "exponential from 100ms, at most 30s, full jitter";
    says(json!({}), &format!("3 attempts, {STANDARD}"));
    says(json!({ "attempts": 5 }), &format!("5 attempts, {STANDARD}"));
    says(json!({ "attempts": "unlimited" }), &format!("unlimited attempts, {STANDARD}"));
    says(json!({ "attempts": 1 }), "1 attempt");
    for word in ["exponential", "linear", "fibonacci"] {
        says(json!({ "backoff": word }), &format!("3 attempts, {word} from 100ms"));
    }
    says(json!({ "backoff": "fixed" }), "3 attempts, fixed 100ms");
    says(json!({ "backoff": "random", "max_delay": "1s" }), "3 attempts, random from 100ms to 1s");
    let decorrelated = json!({ "backoff": "decorrelated", "max_delay": "1s", "start": "1ms" });
    says(decorrelated, "3 attempts, decorrelated from 1ms to 1s");
    says(json!({ "start": "1h 30m" }), "3 attempts, exponential from 1h 30m");
    says(json!({ "factor": 3 }), "3 attempts, exponential from 100ms, factor 3");
    says(json!({ "factor": 1.5 }), "3 attempts, exponential from 100ms, factor 1.5");
    says(json!({ "max_delay": "10s" }), "3 attempts, exponential from 100ms, at most 10s, full jitter");
    says(json!({ "delays": ["1s", "5s"] }), "3 attempts, delays [1s, 5s]");
    says(json!({ "delays": ["1s"], "attempts": 4 }), "4 attempts, delays [1s]");
    says(json!({ "jitter": "none" }), "3 attempts, exponential from 100ms, at most 30s");
    says(json!({ "jitter": "equal" }), "3 attempts, exponential from 100ms, at most 30s, equal jitter");
    says(json!({ "start": "1s", "jitter": "7%" }), "3 attempts, exponential from 1s, 7% jitter");
    says(json!({ "retry_after": "5s" }), &format!("3 attempts, {STANDARD}, servers' delays up to 5s"));
    says(json!({ "retry_after": "ignore" }), &format!("3 attempts, {STANDARD}, servers' delays ignored"));
    says(json!({ "drain_limit": 0 }), &format!("3 attempts, {STANDARD}, no bodies read"));
    says(json!({ "drain_limit": 1024 }), &format!("3 attempts, {STANDARD}, bodies read up to 1024 bytes"));
    says(json!({ "drain_timeout": "200ms" }), &format!("3 attempts, {STANDARD}, bodies read for 200ms"));
    says(json!({ "deadline": "1m" }), &format!("3 attempts, {STANDARD}, deadline 1m"));
    says(json!({ "attempt_timeout": "2s" }), &format!("3 attempts, {STANDARD}, attempt timeout 2s"));
    says(json!({ "nested": "once" }), &format!("3 attempts, {STANDARD}, nested once"));
}

/// What is written in both ways is the same policy.
#[test]
fn the_attribute_and_a_file_agree() {
    #[retry(attempts = 7, start = "1s", factor = 1.5, max_delay = "1m", jitter = "20%", bind = attempt)]
    async fn call() -> Result<Duration, Duration> {
        Err(attempt.elapsed())
    }
    let written = json!({ "attempts": 7, "start": "1s", "factor": 1.5, "max_delay": "1m", "jitter": "20%" });
    let by_hand = Policy::exponential(SECOND).factor(1.5).attempts(7).max_delay(SECOND * 60).jitter(Jitter::Share(0.2));
    let schedules = [read(written).unwrap(), by_hand].map(|policy| policy.schedule().collect::<Vec<_>>());
    assert_eq!(schedules[0], schedules[1]);
    drop(call());
}

#[test]
fn numbers_may_be_strings() {
    says(json!({ "attempts": "5", "factor": " 1.5 " }), "5 attempts, exponential from 100ms, factor 1.5");
    says(json!({ "delays": "1s, 5s,30s", "drain_limit": "0" }), "4 attempts, delays [1s, 5s, 30s], no bodies read");
}

#[test]
fn the_environment() {
    let variables =
        [("RETRY_BILLING_ATTEMPTS", "5"), ("RETRY_BILLING_DELAYS", "1s,2s"), ("RETRY_SEARCH_ATTEMPTS", "no")];
    let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let policy: Policy = envy::prefixed("RETRY_BILLING_").from_iter(variables.clone()).unwrap();
    assert_eq!(policy.to_string(), "5 attempts, delays [1s, 2s]");
    let error = envy::prefixed("RETRY_SEARCH_").from_iter::<_, Policy>(variables).unwrap_err();
    assert_eq!(error.to_string(), "`attempts`: expected an integer such as `3`, or `\"unlimited\"`");
}

#[test]
fn unknown_keys() {
    refuses(json!({ "attemps": 3 }), "`attemps`: unknown key: did you mean `attempts`?");
    refuses(json!({ "jiter": "full" }), "`jiter`: unknown key: did you mean `jitter`?");
    let all = "expected `attempts`, `deadline`, `attempt_timeout`, `nested`, `backoff`, `start`, `factor`, `max_delay`, `delays`, \
               `jitter`, `retry_after`, `drain_limit` or `drain_timeout`";
    refuses(json!({ "colour": 3 }), &format!("`colour`: unknown key: {all}"));
    refuses(json!({ "budget": "API" }), "`budget` can be set only in code: remove it");
    let twice = serde_json::from_str::<Policy>(r#"{ "attempts": 3, "attempts": 4 }"#).unwrap_err().to_string();
    assert!(twice.starts_with("`attempts` is given twice: keep one of them"), "{twice}");
    let error = serde_json::from_value::<Policy>(json!(3)).unwrap_err().to_string();
    assert_eq!(error, "invalid type: integer `3`, expected the keys of a policy, such as `attempts`");
}

#[test]
fn values() {
    let integer = "`attempts`: expected an integer such as `3`, or `\"unlimited\"`";
    for wrong in [json!(1.5), json!("many"), json!(true), json!(null), json!([3]), json!({ "a": 1 }), json!("")] {
        refuses(json!({ "attempts": wrong }), integer);
    }
    for few in [json!(0), json!(-1), json!("0"), json!(i64::MIN), json!("-99999999999999999999999999999999999999999")] {
        refuses(json!({ "attempts": few }), "`attempts` counts the first call too: it must be at least 1");
    }
    for many in [json!(4294967296_u64), json!(u64::MAX), json!("99999999999999999999999999999999999999999")] {
        let message = "`attempts`: this number does not fit in a `u32`: did you mean `\"unlimited\"`?";
        refuses(json!({ "attempts": many }), message);
    }
    refuses(json!({ "backoff": "constant" }), "`backoff`: unknown backoff `\"constant\"`: write `\"fixed\"`");
    refuses(
        json!({ "backoff": "exponental" }),
        "`backoff`: unknown backoff `\"exponental\"`: did you mean `\"exponential\"`?",
    );
    refuses(json!({ "backoff": 2 }), "`backoff`: expected a backoff such as `\"exponential\"`");
    let unit = "a duration is a string with a unit: write";
    refuses(json!({ "start": 5 }), &format!("`start`: {unit} `\"5s\"` or `\"5ms\"`"));
    refuses(json!({ "start": 0.5 }), &format!("`start`: {unit} `\"0.5s\"` or `\"0.5ms\"`"));
    refuses(json!({ "start": "5" }), "`start`: `5` has no unit: write `\"5s\"` or `\"5ms\"`");
    refuses(json!({ "start": "1x" }), "`start`: unknown unit `x`: expected `ns`, `us`, `ms`, `s`, `m`, `h` or `d`");
    refuses(json!({ "start": ["1s"] }), "`start`: expected a duration such as `\"250ms\"`");
    refuses(json!({ "max_delay": "1min" }), "`max_delay`: unknown unit `min`: write `1m`");
    for small in [json!(0.5), json!(-1), json!("NaN"), json!("inf"), json!("0")] {
        refuses(json!({ "factor": small }), "`factor` must be a finite number of at least 1");
    }
    refuses(json!({ "factor": "two" }), "`factor`: expected a number such as `2` or `1.5`");
    for none in [json!([]), json!(""), json!(",")] {
        refuses(json!({ "delays": none }), "`delays` is empty: write at least one delay");
    }
    refuses(json!({ "delays": ["1s", 5] }), &format!("`delays`: {unit} `\"5s\"` or `\"5ms\"`"));
    refuses(json!({ "delays": 5 }), "`delays`: expected a list of durations such as `[\"1s\", \"5s\"]`");
    refuses(json!({ "jitter": "ful" }), "`jitter`: unknown jitter `\"ful\"`: did you mean `\"full\"`?");
    for unsigned in [json!(0.2), json!(20), json!("20")] {
        let message = "`jitter`: a share is a percentage, for example `\"20%\"`";
        refuses(json!({ "jitter": unsigned }), message);
    }
    let share = "`jitter`: a share is more than 0 % and at most 100 %, for example `\"20%\"`";
    refuses(json!({ "jitter": "101%" }), share);
    refuses(
        json!({ "retry_after": "ignored" }),
        "`retry_after`: expected a number at `ignored`: write a duration such as `\"250ms\"`",
    );
    refuses(json!({ "retry_after": true }), "`retry_after`: expected a duration such as `\"250ms\"`, or `\"ignore\"`");
    refuses(json!({ "drain_limit": "64KiB" }), "`drain_limit`: write the number of bytes: `drain_limit = 65536`");
    refuses(
        json!({ "drain_limit": -1 }),
        "`drain_limit`: a number of bytes cannot be negative: write `drain_limit = 0` to read no bodies",
    );
    refuses(json!({ "drain_limit": "all" }), "`drain_limit`: expected a number of bytes such as `65536`");
    refuses(
        json!({ "drain_timeout": "0s" }),
        "`drain_timeout` must be longer than zero: write `drain_limit = 0` to read no bodies",
    );
    refuses(json!({ "deadline": "0s" }), "`deadline` must be longer than zero: no attempt could succeed");
    refuses(json!({ "attempt_timeout": "0s" }), "`attempt_timeout` must be longer than zero: no attempt could succeed");
    refuses(json!({ "nested": "twice" }), "`nested`: unknown value `\"twice\"`: expected `\"once\"`");
    refuses(json!({ "nested": true }), "`nested`: expected `\"once\"`");
}

/// What contradicts itself, with the message that the compiler has for it.
fn contradictions() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "attempts": 1, "start": "1s" }), "`start` has no effect: `attempts = 1` never retries"),
        (
            json!({ "delays": ["1s"], "max_delay": "9s" }),
            "`delays` lists every delay, so `max_delay` has no effect: remove one of them",
        ),
        (
            json!({ "attempts": 2, "delays": ["1s", "5s", "30s"] }),
            "3 delays are for 4 attempts, but `attempts` is 2: the rest is never used",
        ),
        (
            json!({ "backoff": "linear", "factor": 2 }),
            "`factor` has no effect with `backoff = \"linear\"`: remove one of them",
        ),
        (
            json!({ "backoff": "random" }),
            "`backoff = \"random\"` needs an upper bound: write for example `max_delay = \"30s\"`",
        ),
        (
            json!({ "backoff": "random", "max_delay": "9s", "jitter": "full" }),
            "`backoff = \"random\"` is already random: remove `jitter`",
        ),
        (
            json!({ "start": "10s", "max_delay": "1s" }),
            "`max_delay` (1 s) is shorter than `start` (10 s): write at least 10 s",
        ),
        (
            json!({ "backoff": "fixed", "max_delay": "1s" }),
            "`max_delay` has no effect with `backoff = \"fixed\"`: remove one of them",
        ),
        (
            json!({ "drain_limit": 0, "drain_timeout": "1s" }),
            "`drain_timeout` has no effect with `drain_limit = 0`: remove one of them",
        ),
        (
            json!({ "attempt_timeout": "10s", "deadline": "10s" }),
            "`attempt_timeout` (10 s) has no effect under a `deadline` of 10 s: write a shorter `attempt_timeout`",
        ),
        (
            json!({ "start": "10s", "deadline": "5s" }),
            "the first delay is at least 10 s, which does not fit in the `deadline` of 5 s: no retry could start",
        ),
    ]
}

#[test]
fn contradictions_are_refused() {
    for (value, message) in contradictions() {
        let error = read(value.clone()).map(|policy| policy.to_string()).unwrap_err();
        assert!(error.ends_with(message), "{value}: {error}");
    }
}

static API: Budget = Budget::new();
const BILLING: Policy = Policy::fixed(SECOND).attempts(5).deadline(Duration::from_secs(60)).budget(|| &API);

/// As many as a test wants for itself.
macro_rules! policies {
    ($name:ident) => {
        retry_runtime::policies! {
            static $name {
                billing: BILLING,
                search: Policy::new().attempts(2),
                own: Policy::custom(hour),
            }
        }
    };
}

fn hour(_: &Attempt) -> Duration {
    SECOND * 3600
}

fn lines(policies: &Policies) -> Vec<String> {
    policies.iter().map(|(name, policy)| format!("{name}: {policy}")).collect()
}

const SEARCH: &str = "search: 2 attempts, exponential from 100ms, at most 30s, full jitter";
const OWN: &str = "own: 3 attempts, a backoff of its own";

#[test]
fn a_file_changes_what_it_names() {
    policies!(POLICIES);
    let code = ["billing: 5 attempts, fixed 1s, deadline 1m, with a budget", SEARCH, OWN];
    assert_eq!(lines(&POLICIES), code);
    // One by one.
    POLICIES.load(json!({ "billing": { "attempts": 2, "attempt_timeout": "3s" } })).unwrap();
    let changed = "billing: 2 attempts, fixed 1s, deadline 1m, attempt timeout 3s, with a budget";
    assert_eq!(lines(&POLICIES), [changed, SEARCH, OWN]);
    // The next file replaces the changes of the one before.
    POLICIES.load(json!({ "billing": { "start": "2s" }, "own": { "jitter": "equal" } })).unwrap();
    assert_eq!(
        lines(&POLICIES),
        [
            "billing: 5 attempts, fixed 2s, deadline 1m, with a budget",
            SEARCH,
            "own: 3 attempts, a backoff of its own, equal jitter"
        ]
    );
    // With their number.
    POLICIES.load(json!({ "billing": { "delays": ["1s", "2s"] } })).unwrap();
    assert_eq!(POLICIES.billing.to_string(), "3 attempts, delays [1s, 2s], deadline 1m, with a budget");
    POLICIES.load(json!({})).unwrap();
    assert_eq!(lines(&POLICIES), code);
    POLICIES.load(json!({ "billing": { "attempts": 1 } })).unwrap();
    assert_eq!(POLICIES.billing.to_string(), "1 attempt, deadline 1m");
    POLICIES.reset();
    assert_eq!(lines(&POLICIES), code);
}

#[test]
fn the_random_source_of_the_code_stays() {
    retry_runtime::policies! {
        static POLICIES { one: Policy::new().random_source(|| 0.5) }
    }
    POLICIES.load(json!({ "one": { "start": "4s", "jitter": "full", "attempts": 2 } })).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let attempts = Attempts::new();
    let outcome = runtime.block_on(POLICIES.one.get().run(async |_| attempts.succeed_at(3, Fault::TRANSIENT)));
    assert!(outcome.is_err());
    assert_eq!(attempts.delays(), [SECOND * 2]);
}

/// A file alone may be in order, and yet leave no room for what the code says.
#[test]
fn what_file_and_code_say_together_can_be_done() {
    policies!(POLICIES);
    let error = POLICIES.load(json!({ "billing": { "deadline": "1s" } })).unwrap_err();
    let message = "the first delay is at least 1 s, which does not fit in the `deadline` of 1 s: no retry could start";
    assert_eq!(error.to_string(), format!("[billing] `deadline`: {message}"));
    let error = POLICIES.load(json!({ "billing": { "start": "2m" } })).unwrap_err();
    assert_eq!((error.policy(), error.key()), (Some("billing"), Some("start")));
    POLICIES.load(json!({ "billing": { "deadline": "1s", "attempts": 1 } })).unwrap();
}

#[test]
fn all_or_nothing() {
    policies!(POLICIES);
    POLICIES.load(json!({ "billing": { "attempts": 4 } })).unwrap();
    let before = lines(&POLICIES);
    let error = POLICIES.load(json!({ "billing": { "attempts": 9 }, "search": { "attempts": 0 } })).unwrap_err();
    assert_eq!(
        (error.policy(), error.key(), error.file(), error.line()),
        (Some("search"), Some("attempts"), None, None)
    );
    assert_eq!(lines(&POLICIES), before);
}

#[test]
fn unknown_policies() {
    policies!(POLICIES);
    let error = POLICIES.load(json!({ "biling": {} })).unwrap_err();
    assert_eq!(error.to_string(), "[biling] unknown policy: did you mean `billing`?");
    assert_eq!((error.policy(), error.key()), (Some("biling"), None));
    let error = POLICIES.load(json!({ "billing": 3 })).unwrap_err().to_string();
    let expected = "[billing] invalid type: integer `3`, expected the keys of a policy, such as `attempts`";
    assert_eq!(error, expected);
    let error = POLICIES.load(json!([])).unwrap_err().to_string();
    assert_eq!(error, "invalid type: sequence, expected a policy for each name");
}

#[test]
#[should_panic = "two policies have the same name: rename one of them"]
fn names_are_different() {
    const TWICE: &[(&str, Policy)] = &[("one", Policy::new()), ("two", Policy::new()), ("one", Policy::new())];
    let _ = Policies::new(TWICE);
}

/// A file in a directory of its own, which is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let own = format!("retry-policies-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let directory = std::env::temp_dir().join(own);
        fs::create_dir(&directory).unwrap();
        Self(directory.join(name))
    }

    /// The message without the directory.
    fn refused(&self, policies: &Policies, text: &[u8]) -> String {
        fs::write(&self.0, text).unwrap();
        let loaded = if self.0.extension().unwrap() == "toml" {
            policies.load_toml(&self.0)
        } else {
            policies.load_json(&self.0)
        };
        let error = loaded.unwrap_err();
        assert_eq!(error.file(), Some(&*self.0));
        error.to_string().replace(&format!("{}/", self.0.parent().unwrap().display()), "")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[test]
fn files_of_toml() {
    policies!(POLICIES);
    let file = File::new("policies.toml");
    fs::write(&file.0, "[billing]\nattempts = 2\n\n[search]\ndelays = ['1s', '2s']\n").unwrap();
    POLICIES.load_toml(&file.0).unwrap();
    assert_eq!(POLICIES.billing.to_string(), "2 attempts, fixed 1s, deadline 1m, with a budget");
    assert_eq!(POLICIES.search.to_string(), "3 attempts, delays [1s, 2s], full jitter");
    for (text, message) in [
        ("[billing]\nattemps = 2", "policies.toml:2:1: [billing] `attemps`: unknown key: did you mean `attempts`?"),
        (
            "[billing]\nattempts = 0",
            "policies.toml:2:12: [billing] `attempts` counts the first call too: it must be at least 1",
        ),
        ("# µ\n\n[biling]", "policies.toml:3:2: [biling] unknown policy: did you mean `billing`?"),
        ("'µ' = 1", "policies.toml:1:1: [µ] unknown policy: expected `billing`, `search` or `own`"),
        (
            "billing = 3",
            "policies.toml:1:11: [billing] invalid type: integer `3`, expected the keys of a policy, such as `attempts`",
        ),
        ("[billing]\nattempts = ", "policies.toml:2:12: string values must be quoted, expected literal string"),
        ("[billing]\nattempts = 2\nattempts = 3", "policies.toml:3:1: duplicate key"),
    ] {
        assert_eq!(file.refused(&POLICIES, text.as_bytes()), message, "{text}");
    }
}

#[test]
fn files_of_json() {
    policies!(POLICIES);
    let file = File::new("policies.json");
    fs::write(&file.0, r#"{ "billing": { "attempts": 2 } }"#).unwrap();
    POLICIES.load_json(&file.0).unwrap();
    assert_eq!(POLICIES.billing.to_string(), "2 attempts, fixed 1s, deadline 1m, with a budget");
    for (text, message) in [
        (
            "{\n\"billing\": {\n\"attemps\": 2}}",
            "policies.json:3:9: [billing] `attemps`: unknown key: did you mean `attempts`?",
        ),
        (
            "{ \"billing\": { \"start\": \"1x\" } }",
            "policies.json:1:30: [billing] `start`: unknown unit `x`: expected `ns`, `us`, `ms`, `s`, `m`, `h` or `d`",
        ),
        ("{ \"billing\": { \"start\"", "policies.json:1:22: [billing] `start`: EOF while parsing an object"),
        ("{ \"billing\": {} } }", "policies.json:1:19: trailing characters"),
        (
            "{ \"billing\": {}, \"billing\": {} }",
            "policies.json:1:26: [billing] this policy is given twice: keep one of them",
        ),
        ("", "policies.json:1:0: EOF while parsing a value"),
    ] {
        assert_eq!(file.refused(&POLICIES, text.as_bytes()), message, "{text}");
    }
    assert_eq!(POLICIES.billing.to_string(), "2 attempts, fixed 1s, deadline 1m, with a budget");
}

#[test]
fn files_that_cannot_be_read() {
    policies!(POLICIES);
    let file = File::new("policies.toml");
    let error = POLICIES.load_toml(&file.0).unwrap_err();
    assert!(error.to_string().contains("policies.toml: cannot be read: "), "{error}");
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    let message = file.refused(&POLICIES, b"\xff");
    assert_eq!(message, "policies.toml: cannot be read: stream did not contain valid UTF-8");
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_the_policy_of_its_beginning() {
    policies!(POLICIES);
    #[retry(policy = POLICIES.billing)]
    async fn call(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(1000, Fault::TRANSIENT)
    }
    let attempts = Attempts::new();
    let operator = async {
        tokio::time::sleep(ms(1500)).await;
        POLICIES.load(json!({ "billing": { "backoff": "fixed", "start": "7s", "attempts": 3 } })).unwrap();
    };
    let (outcome, ()) = tokio::join!(call(&attempts), operator);
    assert_eq!((outcome, attempts.delays()), (Err(Fault::TRANSIENT), vec![SECOND; 4]));
    let attempts = Attempts::new();
    assert_eq!((call(&attempts).await, attempts.delays()), (Err(Fault::TRANSIENT), vec![SECOND * 7; 2]));
}

/// Calls see the one file or the other, never a mixture.
#[test]
fn loading_while_calls_look() {
    policies!(POLICIES);
    let files = [2, 3].map(|n| json!({ "billing": { "attempts": n }, "search": { "attempts": n } }));
    POLICIES.load(files[0].clone()).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 0..2000 {
                POLICIES.load(files[round % 2].clone()).unwrap();
            }
        });
        while !writer.is_finished() {
            let lines = lines(&POLICIES);
            assert_eq!(lines[0].split(' ').nth(1), lines[1].split(' ').nth(1));
            assert!(POLICIES.search.to_string().starts_with(['2', '3']));
        }
    });
}

#[test]
fn the_same_list_is_kept_once() {
    let [one, other] = [0, 1].map(|_| format!("{:?}", read(json!({ "delays": ["11s", "12s"] })).unwrap()));
    assert_eq!(one, other);
}

fn hostile_key() -> impl Strategy<Value = String> {
    let known = vec![
        "attempts",
        "backoff",
        "start",
        "factor",
        "max_delay",
        "delays",
        "jitter",
        "retry_after",
        "drain_limit",
        "drain_timeout",
        "deadline",
        "attempt_timeout",
        "nested",
    ];
    prop_oneof![20 => proptest::sample::select(known).prop_map(str::to_owned), 1 => any::<String>()]
}

fn hostile_value() -> impl Strategy<Value = Value> {
    let words = vec![
        "unlimited",
        "exponential",
        "fixed",
        "linear",
        "fibonacci",
        "random",
        "decorrelated",
        "none",
        "full",
        "equal",
        "20%",
        "0.0000000000000000001%",
        "ignore",
        "once",
        "0s",
        "1ns",
        "1s",
        "5s",
        "18446744073709551615s",
        "1",
        "0",
        "65536",
        "1e308",
        "-1",
        "inf",
        "1s, 5s",
    ];
    let leaf = prop_oneof![
        6 => proptest::sample::select(words).prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
        2 => (0_i64..4).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..3).prop_map(Value::from_iter),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever is written: a policy that works, or a message.
    #[test]
    fn no_input_panics(map in proptest::collection::btree_map(hostile_key(), hostile_value(), 0..5)) {
        policies!(POLICIES);
        let value = Value::from_iter(map.clone());
        let named = POLICIES.load(json!({ "billing": value.clone() })).ok().map(|_| POLICIES.billing.get());
        for policy in [read(value).ok(), named].into_iter().flatten() {
            // Some retry can be made, or none was asked for.
            assert_eq!(policy.schedule().next().is_none(), policy.to_string().starts_with("1 attempt"));
            let _ = (policy.schedule().take(100).count(), format!("{policy:?}"));
        }
    }

    #[test]
    fn no_file_panics(text in "\\PC*|(\\[?(billing|search|x)\\]?|=|\n|\\.|\"|\\{|\\}|,|:|[0-9]|attempts| )*") {
        policies!(POLICIES);
        let file = File::new("policies.toml");
        fs::write(&file.0, &text).unwrap();
        let _ = (POLICIES.load_toml(&file.0), POLICIES.load_json(&file.0));
    }
}

/// Limits that there are not are named so.
#[test]
fn debug_is_legible() {
    let debug = format!("{:?}", Policy::exponential(SECOND).unlimited());
    for words in
        ["attempts: \"unlimited\"", "max_delay: None", "deadline: None", "budget: false", "retry_after: Some(60s)"]
    {
        assert!(debug.contains(words), "{debug}");
    }
    let debug = format!("{BILLING:?}");
    for words in ["attempts: 5", "backoff: Fixed(1s)", "deadline: Some(60s)", "budget: true", "nested: Always"] {
        assert!(debug.contains(words), "{debug}");
    }
    assert!(format!("{:?}", Policy::new()).contains("max_delay: Some(30s)"));
}

#[test]
fn display_is_a_line() {
    let seconds: &[Duration] = const { &[SECOND; 7] };
    for (policy, line) in [
        (Policy::delays(seconds), "8 attempts, delays [1s, 1s, 1s, 1s, 1s, …]"),
        (Policy::custom(hour).unlimited(), "unlimited attempts, a backoff of its own"),
        (
            Policy::fixed(Duration::ZERO).nested(retry_runtime::Nested::Once).drain_limit(0),
            "3 attempts, fixed 0ns, no bodies read, nested once",
        ),
        (BILLING.attempts(1), "1 attempt, deadline 1m"),
    ] {
        assert_eq!(policy.to_string(), line);
    }
}

/// `BTreeMap` has the names in another order than the code.
#[test]
fn any_map_of_maps_will_do() {
    policies!(POLICIES);
    let map: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::from([
        ("search", BTreeMap::from([("attempts", "4")])),
        ("billing", BTreeMap::from([("attempts", "6")])),
    ]);
    let deserializer = serde::de::value::MapDeserializer::<_, serde::de::value::Error>::new(
        map.into_iter().map(|(name, keys)| (name, serde::de::value::MapDeserializer::new(keys.into_iter()))),
    );
    POLICIES.load(deserializer).unwrap();
    assert_eq!(POLICIES.billing.to_string(), "6 attempts, fixed 1s, deadline 1m, with a budget");
}
