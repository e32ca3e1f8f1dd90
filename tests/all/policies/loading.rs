//! Loading changes of named policies.

use std::collections::BTreeMap;

use retry_runtime::config::Policies;
use retry_runtime::{Policy, retry};
use serde_json::json;

use super::{lines, read};
use crate::support::{Attempts, Fault, SECOND, ms};

const SEARCH: &str = "search: 2 attempts, exponential from 100ms, at most 30s, full jitter";
const OWN: &str = "own: 3 attempts, a backoff of its own";

#[test]
fn file_changes_only_the_keys_it_names() {
    policies!(POLICIES);
    let code = ["billing: 5 attempts, fixed 1s, deadline 1m, with a budget", SEARCH, OWN];
    assert_eq!(lines(&POLICIES), code);
    // Each key changes by itself.
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
    // A list of delays sets the number of attempts.
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
fn random_source_of_the_code_is_kept() {
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

/// A file that is valid alone may contradict the code.
#[test]
fn file_that_contradicts_the_code_is_rejected() {
    policies!(POLICIES);
    let error = POLICIES.load(json!({ "billing": { "deadline": "1s" } })).unwrap_err();
    let message = "the first delay is at least 1 s, which does not fit in the `deadline` of 1 s: no retry could start";
    assert_eq!(error.to_string(), format!("[billing] `deadline`: {message}"));
    let error = POLICIES.load(json!({ "billing": { "start": "2m" } })).unwrap_err();
    assert_eq!((error.policy(), error.key()), (Some("billing"), Some("start")));
    POLICIES.load(json!({ "billing": { "deadline": "1s", "attempts": 1 } })).unwrap();
}

#[test]
fn rejected_file_changes_nothing() {
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
fn unknown_policies_are_rejected() {
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
fn duplicate_policy_names_panic() {
    const TWICE: &[(&str, Policy)] = &[("one", Policy::new()), ("two", Policy::new()), ("one", Policy::new())];
    let _ = Policies::new(TWICE);
}

#[tokio::test(start_paused = true)]
async fn call_keeps_the_policy_it_started_with() {
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

/// Calls see either file, and never a mixture.
#[test]
fn loading_is_atomic_for_concurrent_calls() {
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
fn equal_lists_share_memory() {
    let [one, other] = [0, 1].map(|_| format!("{:?}", read(json!({ "delays": ["11s", "12s"] })).unwrap()));
    assert_eq!(one, other);
}

/// A `BTreeMap` has the names in another order than the code.
#[test]
fn any_map_of_maps_can_be_loaded() {
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
