//! Reads the keys of one policy from any format.

use core::fmt::{self, Formatter};

use retry_spec::key::Key;
use retry_spec::rules::Broken;
use retry_spec::suggest::suggest;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::policy::builder::Policy;
pub(crate) use draft::Draft;
use keys::Keys;
use path::{ErrorPath, Name};
pub(crate) use rules::Base;
use value::Value;

mod draft;
mod keys;
pub(crate) mod path;
mod rules;
mod value;

/// Reads a policy from a map. The keys are arguments of the attribute, with the same values, defaults and rules: `attempts`,
/// `deadline`, `attempt_timeout`, `nested`, `backoff`, `start`, `factor`, `max_delay`, `delays`, `jitter`, `retry_after`,
/// `within_retry_after`, `beyond_retry_after`, `drain_limit`, `drain_timeout` and `events`.
///
/// A number may be a string, and `delays` one string with commas, so that the values can come from environment variables. The
/// arguments whose values are code are set in code:
///
/// ```
/// use retry_runtime::{Budget, Policy};
///
/// static API: Budget = Budget::new();
///
/// let text = r#"{
///     "attempts": 5, "start": "1s", "max_delay": "1m", "jitter": "20%", "deadline": "1h 30m"
/// }"#;
/// let policy = serde_json::from_str::<Policy>(text)?.budget(|| &API);
/// # assert_eq!(
/// #     policy.to_string(),
/// #     "5 attempts, exponential from 1s, at most 1m, 20% jitter, deadline 1h 30m, with a budget"
/// # );
///
/// let error = serde_json::from_str::<Policy>(r#"{ "attemps": 5 }"#).unwrap_err().to_string();
/// assert!(error.starts_with("`attemps`: unknown key: did you mean `attempts`?"));
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Each distinct list of `delays` that is read without an error is kept until the program ends.
///
/// [`Policies`](crate::config::Policies) holds named policies that a file changes.
///
/// # Errors
///
/// For an unknown key, and for everything that the attribute refuses, with the same message.
impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let draft = PolicySeed { base: Base::Defaults, path: &mut ErrorPath::default() }.deserialize(deserializer)?;
        Ok(draft.into_policy())
    }
}

/// Reads the keys that change a policy.
pub(crate) struct PolicySeed<'a> {
    pub(crate) base: Base,
    pub(crate) path: &'a mut ErrorPath,
}

impl<'de> DeserializeSeed<'de> for PolicySeed<'_> {
    type Value = Draft;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Draft, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PolicySeed<'_> {
    type Value = Draft;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a policy, such as `attempts`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
        let Self { base, path } = self;
        let mut keys = Keys::default();
        while let Some(key) = map.next_key_seed(Name(|key: &str| known_key(key, &keys, path)))? {
            map.next_value_seed(ValueSeed { key, keys: &mut keys, path })?;
            path.key = None;
        }
        let delays = keys.delays();
        match keys.policy(base) {
            Ok(policy) => Ok(Draft { policy, delays }),
            Err(Broken { key, message, .. }) => {
                path.key = Some(key.name().to_owned());
                Err(Error::custom(path.error(message)))
            }
        }
    }
}

fn known_key(name: &str, keys: &Keys, path: &mut ErrorPath) -> Result<Key, String> {
    path.key = Some(name.to_owned());
    let message = match Key::of(name) {
        Some(key) if !key.is_allowed_in_files() => keys::only_in_code(key),
        Some(key) if keys.is_written(key) => format!("`{key}` is given twice: keep one of them"),
        Some(key) => return Ok(key),
        None => format!("unknown key: {}", suggest(name, &Key::names_in_files())),
    };
    Err(path.error(message))
}

/// Reads the value of a key.
struct ValueSeed<'a> {
    key: Key,
    keys: &'a mut Keys,
    path: &'a mut ErrorPath,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { key, keys, path } = self;
        let value = Value::deserialize(deserializer)?;
        keys.read(key, &value).map_err(|message| Error::custom(path.error(message)))
    }
}
