//! TOML and JSON files, and the positions in their error messages.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use retry_runtime::config::Policies;

/// A file in its own temporary directory, which is removed at the end.
pub(super) struct File(pub(super) PathBuf);

impl File {
    pub(super) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let directory_name = format!("retry-policies-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let directory = std::env::temp_dir().join(directory_name);
        fs::create_dir(&directory).unwrap();
        Self(directory.join(name))
    }

    /// Loads this text, which must be rejected. Returns the message without the directory.
    fn load_error(&self, policies: &Policies, text: &[u8]) -> String {
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
fn toml_files_are_read_and_errors_have_a_position() {
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
            "policies.toml:2:12: [billing] `attempts` includes the first attempt: it must be at least 1",
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
        assert_eq!(file.load_error(&POLICIES, text.as_bytes()), message, "{text}");
    }
}

#[test]
fn json_files_are_read_and_errors_have_a_position() {
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
        assert_eq!(file.load_error(&POLICIES, text.as_bytes()), message, "{text}");
    }
    assert_eq!(POLICIES.billing.to_string(), "2 attempts, fixed 1s, deadline 1m, with a budget");
}

#[test]
fn control_characters_of_a_file_are_escaped_in_the_message() {
    policies!(POLICIES);
    let file = File::new("policies.json");
    for (text, message) in [
        (r#"{ "bil\nling": {} }"#, r"[bil\nling] unknown policy: did you mean `billing`?"),
        (
            r#"{ "billing": { "\u001battempts": 1 } }"#,
            r"[billing] `\u{1b}attempts`: unknown key: did you mean `attempts`?",
        ),
        (
            r#"{ "billing": { "start": "x\ny" } }"#,
            r#"[billing] `start`: expected a number at `x\ny`: write a duration such as `"250ms"`"#,
        ),
    ] {
        let error = file.load_error(&POLICIES, text.as_bytes());
        assert_eq!(error.split_once(": ").unwrap().1, message, "{text}");
    }
}

#[test]
fn unreadable_files_are_rejected() {
    policies!(POLICIES);
    let file = File::new("policies.toml");
    let error = POLICIES.load_toml(&file.0).unwrap_err();
    assert!(error.to_string().contains("policies.toml: cannot be read: "), "{error}");
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
    let message = file.load_error(&POLICIES, b"\xff");
    assert_eq!(message, "policies.toml: cannot be read: stream did not contain valid UTF-8");
}
