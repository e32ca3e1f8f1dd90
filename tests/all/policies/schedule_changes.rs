//! Named policies: names that the compiler checks, and files that change a schedule written in code.

use std::time::Duration;

use retry_runtime::config::Policies;
use retry_runtime::policy::BeyondRetryAfter;
use retry_runtime::{Jitter, Policy, retry};
use serde_json::{Value, json};

use super::hour;
use crate::support::{Attempts, Fault, SECOND, ms};

const LIST: &[Duration] = &[SECOND, Duration::from_secs(5), Duration::from_secs(30)];

retry_runtime::policies! {
    /// A policy of each kind. No test changes them.
    static KINDS {
        standard: Policy::new(),
        fixed: Policy::fixed(Duration::from_secs(2)),
        spread: Policy::fixed(Duration::from_secs(2)).jitter(Jitter::Share(0.2)),
        exponential: Policy::exponential(SECOND).factor(3.0).attempts(5).max_delay(Duration::from_secs(60)),
        linear: Policy::linear(SECOND).jitter(Jitter::Equal),
        random: Policy::random(SECOND, Duration::from_secs(9)),
        list: Policy::delays(LIST).jitter(Jitter::Full),
        own: Policy::custom(hour),
        once: Policy::new().attempts(1),
        decorrelated: Policy::decorrelated(SECOND, Duration::from_secs(60)).factor(2.0),
        ignoring: Policy::fixed(SECOND).ignore_retry_after(),
        waiting: Policy::fixed(SECOND).beyond_retry_after(BeyondRetryAfter::Wait),
    }
}

/// Loads these keys over a policy written in code. Returns the new policy, or the error message.
fn over(code: Policy, keys: Value) -> Result<String, String> {
    let declared = Box::leak(Box::new([("it", code)]));
    let policies = Policies::new(declared);
    policies.load(json!({ "it": keys })).map_err(|error| error.to_string())?;
    Ok(policies.get("it").unwrap().to_string())
}

#[track_caller]
fn assert_becomes(code: impl Into<Policy>, cases: &[(Value, &str)]) {
    let code = code.into();
    for (keys, line) in cases {
        assert_eq!(over(code, keys.clone()).as_deref(), Ok(*line), "{keys}");
    }
}

#[track_caller]
fn assert_rejects(code: impl Into<Policy>, cases: &[(Value, &str)]) {
    let code = code.into();
    for (keys, message) in cases {
        assert_eq!(over(code, keys.clone()), Err(format!("[it] {message}")), "{keys}");
    }
}

#[test]
fn max_delay_keeps_the_rest_of_the_schedule() {
    let five = || json!({ "max_delay": "5s" });
    assert_becomes(KINDS.standard, &[(five(), "3 attempts, exponential from 100ms, at most 5s, full jitter")]);
    assert_becomes(KINDS.exponential, &[(five(), "5 attempts, exponential from 1s, factor 3, at most 5s")]);
    assert_becomes(KINDS.linear, &[(five(), "3 attempts, linear from 1s, at most 5s, equal jitter")]);
    assert_becomes(KINDS.spread, &[(five(), "3 attempts, fixed 2s, at most 5s, 20% jitter")]);
    assert_becomes(KINDS.random, &[(five(), "3 attempts, random from 1s to 5s")]);
    assert_becomes(KINDS.list, &[(five(), "4 attempts, delays [1s, 5s, 30s], at most 5s, full jitter")]);
    assert_becomes(KINDS.own, &[(five(), "3 attempts, a backoff of its own, at most 5s")]);
}

#[test]
fn max_delay_without_an_effect_is_rejected() {
    let effect = "`max_delay` has no effect with the code's `backoff = \"fixed\"`: remove it, or write `start` to change the delay";
    assert_rejects(KINDS.fixed, &[(json!({ "max_delay": "5s" }), effect)]);
    let short = "`max_delay` (500 ms) is shorter than the code's first delay (1 s): write at least 1 s";
    assert_rejects(KINDS.exponential, &[(json!({ "max_delay": "500ms" }), short)]);
    assert_rejects(KINDS.list, &[(json!({ "max_delay": "500ms" }), short)]);
    let start =
        "`start` (2 min) is longer than the code's `max_delay` (1 min): write at most 1 min, or `max_delay` as well";
    assert_rejects(KINDS.exponential, &[(json!({ "start": "2m" }), start)]);
}

#[test]
fn each_key_changes_only_itself() {
    assert_becomes(
        KINDS.exponential,
        &[
            (json!({ "start": "2s" }), "5 attempts, exponential from 2s, factor 3, at most 1m"),
            (json!({ "factor": 2 }), "5 attempts, exponential from 1s, at most 1m"),
            (json!({ "jitter": "full" }), "5 attempts, exponential from 1s, factor 3, at most 1m, full jitter"),
            (json!({ "backoff": "linear" }), "5 attempts, linear from 1s, at most 1m"),
            (json!({ "backoff": "random" }), "5 attempts, random from 1s to 1m"),
            (json!({ "backoff": "fixed" }), "5 attempts, fixed 1s"),
            (json!({ "delays": ["1s", "2m"] }), "3 attempts, delays [1s, 2m]"),
            (json!({ "attempts": 2 }), "2 attempts, exponential from 1s, factor 3, at most 1m"),
        ],
    );
    assert_becomes(
        KINDS.standard,
        &[
            (json!({ "jitter": "none" }), "3 attempts, exponential from 100ms, at most 30s"),
            (json!({ "backoff": "decorrelated" }), "3 attempts, decorrelated from 100ms to 30s"),
            (json!({ "delays": ["1m"], "attempts": 9 }), "9 attempts, delays [1m], full jitter"),
        ],
    );
    assert_becomes(KINDS.fixed, &[(json!({ "start": "7s" }), "3 attempts, fixed 7s")]);
    assert_becomes(
        KINDS.fixed,
        &[(json!({ "backoff": "exponential", "factor": 4 }), "3 attempts, exponential from 2s, factor 4")],
    );
    assert_becomes(
        KINDS.once,
        &[(json!({ "attempts": 2, "start": "1s" }), "2 attempts, exponential from 1s, at most 30s, full jitter")],
    );
}

#[test]
fn factor_belongs_to_its_backoff() {
    assert_becomes(
        KINDS.decorrelated,
        &[
            (json!({ "start": "2s" }), "3 attempts, decorrelated from 2s to 1m, factor 2"),
            (json!({ "factor": 4 }), "3 attempts, decorrelated from 1s to 1m, factor 4"),
            (json!({ "factor": 3 }), "3 attempts, decorrelated from 1s to 1m"),
            (json!({ "backoff": "exponential" }), "3 attempts, exponential from 1s, at most 1m"),
        ],
    );
    assert_becomes(
        KINDS.exponential,
        &[(json!({ "backoff": "decorrelated" }), "5 attempts, decorrelated from 1s to 1m")],
    );
}

#[test]
fn treatment_of_server_delays_is_changed() {
    let waiting = |limit: &str| format!("3 attempts, fixed 1s, servers' delays cut to {limit}");
    assert_becomes(
        KINDS.waiting,
        &[
            (json!({ "retry_after": "5s" }), &waiting("5s")),
            (
                json!({ "within_retry_after": "replace" }),
                "3 attempts, fixed 1s, servers' delays instead of these, servers' delays cut to 1m",
            ),
            (json!({ "beyond_retry_after": "give_up" }), "3 attempts, fixed 1s"),
            (json!({ "retry_after": "ignore" }), "3 attempts, fixed 1s, servers' delays ignored"),
        ],
    );
    assert_becomes(KINDS.ignoring, &[(json!({ "beyond_retry_after": "wait", "retry_after": "5s" }), &waiting("5s"))]);
    let ignores = "because the code ignores servers' delays: write `retry_after` as well";
    assert_rejects(
        KINDS.ignoring,
        &[
            (json!({ "beyond_retry_after": "wait" }), &format!("`beyond_retry_after` has no effect, {ignores}")),
            (json!({ "within_retry_after": "replace" }), &format!("`within_retry_after` has no effect, {ignores}")),
        ],
    );
}

#[test]
fn limit_that_contradicts_one_of_the_code_is_rejected() {
    let timeout = Policy::new().attempt_timeout(SECOND);
    let too_short = |deadline: &str| {
        let effect = format!("`deadline` ({deadline}) is not longer than the code's `attempt_timeout` of 1 s");
        format!("{effect}: write a shorter `attempt_timeout` as well")
    };
    assert_rejects(
        timeout,
        &[
            (json!({ "deadline": "500ms" }), &too_short("500 ms")),
            (json!({ "deadline": "1s", "attempts": 1 }), &too_short("1 s")),
        ],
    );
    let short = "3 attempts, exponential from 100ms, at most 30s, full jitter, deadline 500ms, attempt timeout 100ms";
    assert_becomes(timeout, &[(json!({ "deadline": "500ms", "attempt_timeout": "100ms" }), short)]);
    assert_rejects(
        Policy::new().deadline(SECOND),
        &[(
            json!({ "attempt_timeout": "2s" }),
            "`attempt_timeout` (2 s) has no effect under the code's `deadline` of 1 s: write a shorter `attempt_timeout`",
        )],
    );
    // The code may break the rule, which only the attribute checks. A file that changes neither value need not mend it.
    let broken = timeout.deadline(SECOND);
    let one = "1 attempt, deadline 1s, attempt timeout 1s";
    assert_becomes(broken, &[(json!({ "attempts": 1 }), one)]);
}

#[test]
fn drain_timeout_is_rejected_if_the_code_reads_no_bodies() {
    let nothing = Policy::fixed(SECOND).drain_limit(0);
    let effect = "`drain_timeout` has no effect with the code's `drain_limit = 0`: write `drain_limit` as well";
    assert_rejects(nothing, &[(json!({ "drain_timeout": "1s" }), effect)]);
    assert!(over(nothing, json!({ "drain_timeout": "1s", "drain_limit": 100 })).is_ok());
}

#[test]
fn additive_jitter_is_capped() {
    let cap = json!({ "jitter": "+500ms", "max_delay": "5s" });
    assert_becomes(KINDS.fixed, &[(cap, "3 attempts, fixed 2s, at most 5s, +500ms jitter")]);
}

#[test]
fn key_without_an_effect_is_rejected() {
    let exponential = "write `backoff = \"exponential\"` as well";
    assert_rejects(
        KINDS.fixed,
        &[
            (
                json!({ "factor": 2 }),
                &format!("`factor` has no effect with the code's `backoff = \"fixed\"`: {exponential}"),
            ),
            (
                json!({ "backoff": "random" }),
                "`backoff = \"random\"` needs an upper bound: write for example `max_delay = \"30s\"`",
            ),
        ],
    );
    assert_rejects(
        KINDS.random,
        &[(json!({ "jitter": "full" }), "`jitter`: `backoff = \"random\"` is already random: remove `jitter`")],
    );
    let lists = "the code lists every delay";
    assert_rejects(
        KINDS.list,
        &[
            (json!({ "start": "1s" }), &format!("`start` has no effect, because {lists}: write `backoff` as well")),
            (
                json!({ "backoff": "linear" }),
                &format!("`backoff = \"linear\"` needs a `start`, because {lists}: write for example `start = \"1s\"`"),
            ),
        ],
    );
    assert_becomes(
        KINDS.list,
        &[(json!({ "backoff": "linear", "start": "1s" }), "4 attempts, linear from 1s, full jitter")],
    );
    let message = over(KINDS.own.get(), json!({ "factor": 2 })).unwrap_err();
    assert!(
        message.starts_with("[it] `factor` has no effect, because a function of the code computes the delays"),
        "{message}"
    );
    let never = "`start` has no effect: the code's `attempts = 1` never retries: write `attempts` as well";
    assert_rejects(KINDS.once, &[(json!({ "start": "1s" }), never)]);
    for key in [json!({ "retry_after": "5s" }), json!({ "nested": "once" }), json!({ "drain_limit": 5 })] {
        let name = key.as_object().unwrap().keys().next().unwrap().clone();
        assert_rejects(KINDS.once, &[(key, &never.replace("start", &name))]);
    }
}

#[test]
fn loading_reports_each_policy_that_changed() {
    retry_runtime::policies! {
        static POLICIES { billing: Policy::fixed(SECOND), search: Policy::new(), own: Policy::custom(hour) }
    }
    let lines =
        |changes: Vec<retry_runtime::config::PolicyChange>| changes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let first = POLICIES.load(json!({ "billing": { "start": "2s" }, "search": {}, "own": { "attempts": 3 } })).unwrap();
    assert_eq!(lines(first), ["billing: 3 attempts, fixed 1s -> 3 attempts, fixed 2s"]);
    let same = POLICIES.load(json!({ "billing": { "start": "2s" } })).unwrap();
    assert_eq!(lines(same), [""; 0]);
    let second = POLICIES.load(json!({ "own": { "deadline": "9h" }, "search": { "delays": ["1s"] } })).unwrap();
    assert_eq!(
        lines(second),
        [
            "billing: 3 attempts, fixed 2s -> 3 attempts, fixed 1s",
            "search: 3 attempts, exponential from 100ms, at most 30s, full jitter -> 2 attempts, delays [1s], full jitter",
            "own: 3 attempts, a backoff of its own -> 3 attempts, a backoff of its own, deadline 9h",
        ]
    );
    let names: Vec<_> = POLICIES.reset().into_iter().map(|change| change.name).collect();
    assert_eq!(names, ["search", "own"]);
    POLICIES.load(json!({ "search": { "attempts": 0 } })).unwrap_err();
    assert!(POLICIES.reset().is_empty());
}

/// A keyword and a renamed field, in another module.
mod declared {
    use retry_runtime::Policy;

    retry_runtime::policies! {
        pub(crate) static DECLARED {
            r#type: Policy::new(),
            mail as "mail-out": Policy::fixed(super::SECOND),
            load: Policy::new(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn policy_names_are_fields() {
    use declared::DECLARED;
    #[retry(policy = DECLARED.mail)]
    async fn call(attempts: &Attempts) -> Result<u32, Fault> {
        attempts.succeed_at(9, Fault::TRANSIENT)
    }
    let names: Vec<_> = DECLARED.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["type", "mail-out", "load"]);
    assert_eq!(DECLARED.r#type.name(), "type");
    let attempts = Attempts::new();
    assert_eq!((call(&attempts).await, attempts.delays()), (Err(Fault::TRANSIENT), vec![SECOND; 2]));
    DECLARED.load(json!({ "mail-out": { "start": "20ms" } })).unwrap();
    let attempts = Attempts::new();
    assert_eq!((call(&attempts).await, attempts.delays()), (Err(Fault::TRANSIENT), vec![ms(20); 2]));
    assert!(format!("{DECLARED:?}").contains("\"mail-out\""));
    assert!(format!("{:?}", DECLARED.mail).contains("name: \"mail-out\""));
}

#[test]
fn policy_can_be_looked_up_by_name() {
    assert_eq!(KINDS.get("fixed").unwrap().to_string(), "3 attempts, fixed 2s");
    assert!(KINDS.get("fixd").is_none());
}
