//! Policies from TOML and JSON files.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;
use std::{env, fs, process};

use retry_fuzz::text;
use retry_runtime::config::{Policies, PoliciesError, PolicyChange};
use retry_runtime::{Attempt, Budget, Jitter, Policy};

const SECOND: Duration = Duration::from_secs(1);

static API: Budget = Budget::new();

fn squares(attempt: &Attempt) -> Duration {
    SECOND * attempt.number()
}

/// A policy of each kind, because a file changes what the code declares. The names are short, so that the fuzzer finds them.
static POLICIES: Policies = Policies::new(&[
    ("a", Policy::new()),
    ("b", Policy::fixed(SECOND).budget(|| &API).deadline(Duration::from_secs(30))),
    ("c", Policy::delays(&[SECOND, Duration::from_millis(20)]).jitter(Jitter::Equal)),
    ("d", Policy::decorrelated(SECOND, Duration::from_secs(9)).ignore_retry_after()),
    ("e", Policy::custom(squares).jitter(Jitter::Plus(SECOND)).attempts(1)),
]);

retry_fuzz::target!(policy_files);

fn policy_files(bytes: &[u8]) {
    let text = text(bytes);
    load_in_turn(Format::Toml, &text);
    load_in_turn(Format::Json, &text);
    if let Ok(table) = text.parse::<toml::Table>() {
        formats_agree(&text, &table);
    }
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Toml,
    Json,
}

type Loaded = Result<Vec<PolicyChange>, PoliciesError>;

fn load(format: Format, text: &str) -> Loaded {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let memory = Some(Path::new("/dev/shm")).filter(|memory| memory.is_dir()).map(Path::to_owned);
        memory.unwrap_or_else(env::temp_dir).join(format!("retry-fuzz-{}", process::id()))
    });
    fs::write(&*FILE, text).expect("a file in the directory of temporary files");
    match format {
        Format::Toml => POLICIES.load_toml(&*FILE),
        Format::Json => POLICIES.load_json(&*FILE),
    }
}

fn current() -> Vec<(&'static str, String)> {
    POLICIES.iter().map(|(name, policy)| (name, format!("{policy:?}"))).collect()
}

fn load_in_turn(format: Format, text: &str) {
    POLICIES.reset();
    let code = current();
    match load(format, text) {
        Err(error) => {
            assert_eq!(current(), code, "an error has changed a policy");
            has_a_position_in(text, &error);
        }
        Ok(changes) => {
            let loaded = current();
            let differ = code.iter().zip(&loaded).filter(|(code, loaded)| code != loaded).map(|(_, (name, _))| *name);
            assert_eq!(changes.iter().map(|change| change.name).collect::<Vec<_>>(), differ.collect::<Vec<_>>());
            POLICIES.iter().for_each(|(name, policy)| is_sane(name, &policy));
            assert!(load(format, text).is_ok_and(|changes| changes.is_empty()), "a second load changes something");
            assert_eq!(POLICIES.reset().len(), changes.len());
            assert_eq!(current(), code);
        }
    }
}

fn has_a_position_in(text: &str, error: &PoliciesError) {
    let message = error.to_string();
    assert!(!message.contains('\n'), "a message of two lines: {message:?}");
    let (Some(line), Some(column)) = (error.line(), error.column()) else {
        assert_eq!((error.line(), error.column()), (None, None));
        return;
    };
    assert!(line >= 1 && line <= text.matches('\n').count() + 1, "{message}");
    // The end of a line is a position too. JSON counts columns in bytes, and those of a line from 0 before its first byte.
    let length = text.split('\n').nth(line - 1).unwrap_or_default().len();
    assert!(column <= length + 1, "{message}");
}

/// Delays are drawn in their bounds, and the policy keeps the rules for policies in code.
fn is_sane(name: &str, policy: &Policy) {
    assert!(policy.to_builder().build().is_ok(), "{name}: {policy:?}: {:?}", policy.to_builder().build());
    let text = policy.to_string();
    assert!(!text.is_empty() && !text.contains('\n'));
    let drawn: Vec<Duration> = policy.drawn_delays().take(12).collect();
    for (bounds, delay) in policy.schedule().zip(drawn) {
        assert!(bounds.contains(&delay), "{name}: {delay:?} is not in {bounds:?} of {policy:?}");
    }
}

/// The same content in JSON has the same effect.
fn formats_agree(text: &str, table: &toml::Table) {
    POLICIES.reset();
    let in_toml = load(Format::Toml, text).map(|_| current());
    POLICIES.reset();
    // Dates have no form in JSON, and JSON has no infinity and loses digits of a number, so the texts of messages may differ.
    let Ok(json) = serde_json::to_string(table) else { return };
    let in_json = load(Format::Json, &json).map(|_| current());
    let place = |error: PoliciesError| (error.policy().map(str::to_owned), error.key().map(str::to_owned));
    let (of_toml, of_json) = (in_toml.map_err(place), in_json.map_err(place));
    // A table is sorted, so the first of two errors may be another one.
    match (&of_toml, &of_json) {
        (Err(_), Err(_)) => {}
        _ => assert_eq!(of_toml, of_json, "{text}\n{json}"),
    }
}
