//! Property tests: no input panics.

use std::fs;

use proptest::prelude::*;
use retry_spec::key::Key;
use serde_json::{Value, json};

use super::files::File;
use super::read;

fn arbitrary_key() -> impl Strategy<Value = String> {
    prop_oneof![20 => proptest::sample::select(Key::names_in_files()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn arbitrary_value() -> impl Strategy<Value = Value> {
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
        "+5s",
        "+0s",
        "replace",
        "wait",
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

    /// Any input leads to a working policy or an error.
    #[test]
    fn no_input_panics(map in proptest::collection::btree_map(arbitrary_key(), arbitrary_value(), 0..5)) {
        policies!(POLICIES);
        let value = Value::from_iter(map.clone());
        let named = POLICIES.load(json!({ "billing": value.clone() })).ok().map(|_| POLICIES.billing.get());
        for policy in [read(value).ok(), named].into_iter().flatten() {
            // The policy makes at least one retry, unless it has only one attempt.
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
