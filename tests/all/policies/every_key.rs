//! Every key that files can set has an effect, and is in each list of keys.

use std::collections::BTreeSet;

use retry_runtime::Policy;
use retry_spec::key::Key;
use serde_json::{Value, json};

use super::read;

fn keys() -> impl Iterator<Item = Key> {
    Key::ALL.iter().copied().filter(|key| key.is_allowed_in_files())
}

/// Two different values. `null` stands for a file without the key.
fn two_values(key: Key) -> [Value; 2] {
    match key {
        Key::Attempts => [json!(2), json!(4)],
        Key::Deadline => [json!("1m"), json!("2m")],
        Key::AttemptTimeout => [json!("1s"), json!("2s")],
        Key::Nested => [Value::Null, json!("once")],
        Key::Backoff => [json!("linear"), json!("fibonacci")],
        Key::Start => [json!("1s"), json!("2s")],
        Key::Factor => [json!(3), json!(4)],
        Key::MaxDelay => [json!("10s"), json!("20s")],
        Key::Delays => [json!(["1s", "5s"]), json!(["1s", "6s"])],
        Key::Jitter => [json!("equal"), json!("none")],
        Key::RetryAfter => [json!("1s"), json!("2s")],
        Key::WithinRetryAfter => [json!("raise"), json!("replace")],
        Key::BeyondRetryAfter => [json!("wait"), json!("ignore")],
        Key::DrainLimit => [json!(0), json!(1024)],
        Key::DrainTimeout => [json!("100ms"), json!("200ms")],
        Key::Events => [json!("debug"), json!("off")],
        key => panic!("add two values of `{key}` here"),
    }
}

#[test]
fn two_values_of_a_key_are_displayed_differently_beside_each_backoff() {
    let random = |backoff| json!({ "backoff": backoff, "start": "1s", "max_delay": "15s" });
    let backoffs = ["fixed", "linear", "fibonacci"].map(|backoff| json!({ "backoff": backoff }));
    let files = [json!({}), json!({ "delays": ["1s", "2s"] }), random("random"), random("decorrelated")];
    for file in files.into_iter().chain(backoffs) {
        for key in keys() {
            let policies = two_values(key).map(|value| {
                let mut file = file.clone();
                if !value.is_null() {
                    file[key.name()] = value;
                }
                read(file)
            });
            // Only the standard backoff goes with every key.
            if file != json!({}) && policies.iter().any(Result::is_err) {
                continue;
            }
            let [one, other] = policies.map(Result::unwrap);
            assert_ne!(
                one.to_string(),
                other.to_string(),
                "`{key}` beside {file} in `config/spec/rules.rs` and `policy/display.rs`"
            );
            assert_ne!(format!("{one:?}"), format!("{other:?}"), "`{key}` in `policy/display.rs`");
        }
    }
}

#[test]
fn a_load_that_changes_one_key_reports_a_change() {
    policies!(POLICIES);
    for key in keys() {
        let values = two_values(key).map(|value| match value {
            Value::Null => json!({}),
            value => json!({ "search": { key.name(): value } }),
        });
        POLICIES.reset();
        POLICIES.load(&values[0]).unwrap();
        let changes = [1, 1, 0].map(|value| POLICIES.load(&values[value]).unwrap().len());
        assert_eq!(changes, [1, 0, 1], "`{key}` in `config/registry/change.rs`");
    }
}

/// Compares a list that is written by hand.
#[track_caller]
fn assert_lists_every_key<'a>(list: impl Iterator<Item = &'a str>, file: &str) {
    let listed: BTreeSet<&str> = list.collect();
    let missing: Vec<_> = keys().map(Key::name).filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "{file}: add {missing:?}");
}

#[test]
fn documentation_and_fuzz_dictionary_list_every_key() {
    let documentation = include_str!("../../../retry-runtime/src/config/spec/mod.rs");
    let (_, list) = documentation.split_once("with the same values, defaults and rules:").unwrap();
    let (list, _) = list.split_once("///\n").unwrap();
    assert_lists_every_key(list.split('`').skip(1).step_by(2), "the documentation in config/spec/mod.rs");
    let dictionary = include_str!("../../fuzz/dictionaries/policy_files");
    assert_lists_every_key(
        dictionary.lines().map(|line| line.trim_matches('"')),
        "tests/fuzz/dictionaries/policy_files",
    );
}

#[test]
#[cfg(target_pointer_width = "64")]
fn policy_has_the_size_that_the_architecture_names() {
    let (_, size) = include_str!("../../../ARCHITECTURE.md").split_once("is copied into the future: ").unwrap();
    let (size, _) = size.split_once(" bytes").unwrap();
    assert_eq!(size_of::<Policy>().to_string(), size, "\"A run-time policy\" in ARCHITECTURE.md");
}
