//! Keys and values of a policy, and their error messages.

use std::time::Duration;

use retry_runtime::{Jitter, Policy, retry};
use serde_json::{Value, json};

use super::read;
use crate::support::SECOND;

#[track_caller]
fn assert_reads(value: Value, line: &str) {
    match read(value.clone()) {
        Ok(policy) => assert_eq!(policy.to_string(), line, "{value}"),
        Err(error) => panic!("{value}: {error}"),
    }
}

#[track_caller]
fn assert_rejects(value: Value, message: &str) {
    assert_eq!(read(value.clone()).map(|policy| policy.to_string()), Err(message.to_owned()), "{value}");
}

/// At least two values of each key, or one value and its default.
#[test]
fn each_key_is_read() {
    const STANDARD: &str = "exponential from 100ms, at most 30s, full jitter";
    assert_reads(json!({}), &format!("3 attempts, {STANDARD}"));
    assert_reads(json!({ "attempts": 5 }), &format!("5 attempts, {STANDARD}"));
    assert_reads(json!({ "attempts": "unlimited" }), &format!("unlimited attempts, {STANDARD}"));
    assert_reads(json!({ "attempts": 1 }), "1 attempt");
    for word in ["exponential", "linear", "fibonacci"] {
        assert_reads(json!({ "backoff": word }), &format!("3 attempts, {word} from 100ms"));
    }
    assert_reads(json!({ "backoff": "fixed" }), "3 attempts, fixed 100ms");
    assert_reads(json!({ "backoff": "random", "max_delay": "1s" }), "3 attempts, random from 100ms to 1s");
    let decorrelated = json!({ "backoff": "decorrelated", "max_delay": "1s", "start": "1ms" });
    assert_reads(decorrelated, "3 attempts, decorrelated from 1ms to 1s");
    let factor = json!({ "backoff": "decorrelated", "max_delay": "1s", "factor": 2.5 });
    assert_reads(factor, "3 attempts, decorrelated from 100ms to 1s, factor 2.5");
    assert_reads(json!({ "start": "1h 30m" }), "3 attempts, exponential from 1h 30m");
    assert_reads(json!({ "factor": 3 }), "3 attempts, exponential from 100ms, factor 3");
    assert_reads(json!({ "factor": 1.5 }), "3 attempts, exponential from 100ms, factor 1.5");
    assert_reads(json!({ "max_delay": "10s" }), "3 attempts, exponential from 100ms, at most 10s, full jitter");
    assert_reads(json!({ "delays": ["1s", "5s"] }), "3 attempts, delays [1s, 5s]");
    assert_reads(json!({ "delays": ["1s"], "attempts": 4 }), "4 attempts, delays [1s]");
    assert_reads(json!({ "jitter": "none" }), "3 attempts, exponential from 100ms, at most 30s");
    assert_reads(json!({ "jitter": "equal" }), "3 attempts, exponential from 100ms, at most 30s, equal jitter");
    assert_reads(json!({ "start": "1s", "jitter": "7%" }), "3 attempts, exponential from 1s, 7% jitter");
    assert_reads(json!({ "start": "1s", "jitter": "+500ms" }), "3 attempts, exponential from 1s, +500ms jitter");
    assert_reads(json!({ "within_retry_after": "raise" }), &format!("3 attempts, {STANDARD}"));
    let replace = format!("3 attempts, {STANDARD}, servers' delays instead of these");
    assert_reads(json!({ "within_retry_after": "replace" }), &replace);
    assert_reads(json!({ "beyond_retry_after": "give_up" }), &format!("3 attempts, {STANDARD}"));
    let wait = format!("3 attempts, {STANDARD}, servers' delays cut to 5s");
    assert_reads(json!({ "beyond_retry_after": "wait", "retry_after": "5s" }), &wait);
    let ignore = format!("3 attempts, {STANDARD}, servers' delays above 1m ignored");
    assert_reads(json!({ "beyond_retry_after": "ignore" }), &ignore);
    assert_reads(json!({ "retry_after": "5s" }), &format!("3 attempts, {STANDARD}, servers' delays up to 5s"));
    assert_reads(json!({ "retry_after": "ignore" }), &format!("3 attempts, {STANDARD}, servers' delays ignored"));
    assert_reads(json!({ "drain_limit": 0 }), &format!("3 attempts, {STANDARD}, no bodies read"));
    assert_reads(json!({ "drain_limit": 1024 }), &format!("3 attempts, {STANDARD}, bodies read up to 1024 bytes"));
    assert_reads(json!({ "drain_timeout": "200ms" }), &format!("3 attempts, {STANDARD}, bodies read for 200ms"));
    assert_reads(json!({ "deadline": "1m" }), &format!("3 attempts, {STANDARD}, deadline 1m"));
    assert_reads(json!({ "attempt_timeout": "2s" }), &format!("3 attempts, {STANDARD}, attempt timeout 2s"));
    assert_reads(json!({ "nested": "once" }), &format!("3 attempts, {STANDARD}, nested once"));
    assert_reads(json!({ "events": "debug" }), &format!("3 attempts, {STANDARD}, events at debug level"));
    assert_reads(json!({ "events": "off" }), &format!("3 attempts, {STANDARD}, events off"));
}

/// The same settings in the attribute and in a file make the same policy.
#[test]
fn attribute_and_file_make_the_same_policy() {
    #[retry(attempts = 7, start = "1s", factor = 1.5, max_delay = "1m", jitter = "20%", bind = attempt)]
    async fn call() -> Result<Duration, Duration> {
        Err(attempt.elapsed())
    }
    let from_file = json!({ "attempts": 7, "start": "1s", "factor": 1.5, "max_delay": "1m", "jitter": "20%" });
    let from_code =
        Policy::exponential(SECOND).factor(1.5).attempts(7).max_delay(SECOND * 60).jitter(Jitter::Share(0.2));
    let schedules = [read(from_file).unwrap(), from_code].map(|policy| policy.schedule().collect::<Vec<_>>());
    assert_eq!(schedules[0], schedules[1]);
    drop(call());
}

#[test]
fn numbers_may_be_strings() {
    assert_reads(json!({ "attempts": "5", "factor": " 1.5 " }), "5 attempts, exponential from 100ms, factor 1.5");
    assert_reads(
        json!({ "delays": "1s, 5s,30s", "drain_limit": "0" }),
        "4 attempts, delays [1s, 5s, 30s], no bodies read",
    );
}

#[test]
fn environment_variables_are_read() {
    let variables =
        [("RETRY_BILLING_ATTEMPTS", "5"), ("RETRY_BILLING_DELAYS", "1s,2s"), ("RETRY_SEARCH_ATTEMPTS", "no")];
    let variables = variables.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let policy: Policy = envy::prefixed("RETRY_BILLING_").from_iter(variables.clone()).unwrap();
    assert_eq!(policy.to_string(), "5 attempts, delays [1s, 2s]");
    let error = envy::prefixed("RETRY_SEARCH_").from_iter::<_, Policy>(variables).unwrap_err();
    assert_eq!(error.to_string(), "`attempts`: expected an integer such as `3`, or `\"unlimited\"`");
}

#[test]
fn unknown_keys_are_rejected() {
    assert_rejects(json!({ "attemps": 3 }), "`attemps`: unknown key: did you mean `attempts`?");
    assert_rejects(json!({ "max": "1s" }), "`max`: unknown key: did you mean `max_delay`?");
    assert_rejects(json!({ "drain": 0 }), "`drain`: unknown key: did you mean `drain_limit` or `drain_timeout`?");
    assert_rejects(json!({ "jiter": "full" }), "`jiter`: unknown key: did you mean `jitter`?");
    let all = "expected `attempts`, `deadline`, `attempt_timeout`, `nested`, `backoff`, `start`, `factor`, `max_delay`, `delays`, \
               `jitter`, `retry_after`, `within_retry_after`, `beyond_retry_after`, `drain_limit`, `drain_timeout` or `events`";
    assert_rejects(json!({ "colour": 3 }), &format!("`colour`: unknown key: {all}"));
    assert_rejects(json!({ "budget": "API" }), "`budget` can be set only in code: remove it");
    let twice = serde_json::from_str::<Policy>(r#"{ "attempts": 3, "attempts": 4 }"#).unwrap_err().to_string();
    assert!(twice.starts_with("`attempts` is given twice: keep one of them"), "{twice}");
    let error = serde_json::from_value::<Policy>(json!(3)).unwrap_err().to_string();
    assert_eq!(error, "invalid type: integer `3`, expected the keys of a policy, such as `attempts`");
}

#[test]
fn invalid_values_are_rejected() {
    let integer = "`attempts`: expected an integer such as `3`, or `\"unlimited\"`";
    for wrong in [json!(1.5), json!("many"), json!(true), json!(null), json!([3]), json!({ "a": 1 }), json!("")] {
        assert_rejects(json!({ "attempts": wrong }), integer);
    }
    for few in [json!(0), json!(-1), json!("0"), json!(i64::MIN), json!("-99999999999999999999999999999999999999999")] {
        assert_rejects(json!({ "attempts": few }), "`attempts` includes the first attempt: it must be at least 1");
    }
    for many in [json!(4294967296_u64), json!(u64::MAX), json!("99999999999999999999999999999999999999999")] {
        let message = "`attempts`: this number does not fit in a `u32`: did you mean `\"unlimited\"`?";
        assert_rejects(json!({ "attempts": many }), message);
    }
    assert_rejects(json!({ "backoff": "constant" }), "`backoff`: unknown backoff `\"constant\"`: write `\"fixed\"`");
    assert_rejects(
        json!({ "backoff": "exponental" }),
        "`backoff`: unknown backoff `\"exponental\"`: did you mean `\"exponential\"`?",
    );
    assert_rejects(json!({ "backoff": 2 }), "`backoff`: expected a backoff such as `\"exponential\"`");
    let unit = "a duration is a string with a unit: write";
    assert_rejects(json!({ "start": 5 }), &format!("`start`: {unit} `\"5s\"` or `\"5ms\"`"));
    assert_rejects(json!({ "start": 0.5 }), &format!("`start`: {unit} `\"0.5s\"` or `\"0.5ms\"`"));
    assert_rejects(json!({ "start": "5" }), "`start`: `5` has no unit: write `\"5s\"` or `\"5ms\"`");
    assert_rejects(
        json!({ "start": "1x" }),
        "`start`: unknown unit `x`: expected `ns`, `us`, `ms`, `s`, `m`, `h` or `d`",
    );
    assert_rejects(json!({ "start": ["1s"] }), "`start`: expected a duration such as `\"250ms\"`");
    assert_rejects(json!({ "max_delay": "1min" }), "`max_delay`: unknown unit `min`: write `1m`");
    for small in [json!(0.5), json!(-1), json!("NaN"), json!("inf"), json!("0")] {
        assert_rejects(json!({ "factor": small }), "`factor` must be a finite number of at least 1");
    }
    assert_rejects(json!({ "factor": "two" }), "`factor`: expected a number such as `2` or `1.5`");
    for none in [json!([]), json!(""), json!(",")] {
        assert_rejects(json!({ "delays": none }), "`delays` is empty: write at least one delay");
    }
    assert_rejects(json!({ "delays": ["1s", 5] }), &format!("`delays`: {unit} `\"5s\"` or `\"5ms\"`"));
    assert_rejects(json!({ "delays": 5 }), "`delays`: expected a list of durations such as `[\"1s\", \"5s\"]`");
    assert_rejects(json!({ "jitter": "ful" }), "`jitter`: unknown jitter `\"ful\"`: did you mean `\"full\"`?");
    for unsigned in [json!(0.2), json!(20), json!("20")] {
        let message = "`jitter`: a share is a percentage, for example `\"20%\"`";
        assert_rejects(json!({ "jitter": unsigned }), message);
    }
    let share = "`jitter`: a share is more than 0 % and at most 100 %, for example `\"20%\"`";
    assert_rejects(json!({ "jitter": "101%" }), share);
    assert_rejects(
        json!({ "retry_after": "ignored" }),
        "`retry_after`: expected a number at `ignored`: write a duration such as `\"250ms\"`",
    );
    assert_rejects(
        json!({ "retry_after": true }),
        "`retry_after`: expected a duration such as `\"250ms\"`, or `\"ignore\"`",
    );
    assert_rejects(
        json!({ "drain_limit": "64KiB" }),
        "`drain_limit`: write the number of bytes: `drain_limit = 65536`",
    );
    assert_rejects(
        json!({ "drain_limit": -1 }),
        "`drain_limit`: a number of bytes cannot be negative: write `drain_limit = 0` to read no bodies",
    );
    assert_rejects(json!({ "drain_limit": "all" }), "`drain_limit`: expected a number of bytes such as `65536`");
    assert_rejects(
        json!({ "drain_timeout": "0s" }),
        "`drain_timeout` must be longer than zero: set `drain_limit` to 0 to read no bodies",
    );
    assert_rejects(json!({ "deadline": "0s" }), "`deadline` must be longer than zero: no attempt could succeed");
    assert_rejects(
        json!({ "attempt_timeout": "0s" }),
        "`attempt_timeout` must be longer than zero: no attempt could succeed",
    );
    assert_rejects(json!({ "nested": "twice" }), "`nested`: unknown value `\"twice\"`: expected `\"once\"`");
    assert_rejects(
        json!({ "events": "warn" }),
        "`events`: unknown level `\"warn\"`: expected `\"info\"`, `\"debug\"` or `\"off\"`",
    );
    assert_rejects(json!({ "nested": true }), "`nested`: expected `\"once\"`");
}

/// Contradictory settings, with the compiler's message for each.
fn contradictions() -> Vec<(Value, &'static str)> {
    vec![
        (json!({ "attempts": 1, "start": "1s" }), "`start` has no effect: `attempts = 1` never retries"),
        (
            json!({ "delays": ["1s"], "max_delay": "9s" }),
            "`delays` lists every delay, so `max_delay` has no effect: remove one of them",
        ),
        (
            json!({ "attempts": 2, "delays": ["1s", "5s", "30s"] }),
            "3 delays need 4 attempts, but `attempts` is 2: write `attempts = 4`, or remove the last 2 delays",
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
            json!({ "retry_after": "ignore", "within_retry_after": "replace" }),
            "`within_retry_after` has no effect with `retry_after = \"ignore\"`: remove one of them",
        ),
        (
            json!({ "beyond_retry_after": "wait", "retry_after": "ignore" }),
            "`beyond_retry_after` has no effect with `retry_after = \"ignore\"`: remove one of them",
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
fn contradictions_are_rejected() {
    for (value, message) in contradictions() {
        let error = read(value.clone()).map(|policy| policy.to_string()).unwrap_err();
        assert!(error.ends_with(message), "{value}: {error}");
    }
}
