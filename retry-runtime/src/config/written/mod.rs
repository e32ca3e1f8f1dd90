//! What is written of a policy where a program is operated: keys and values that are those of the attribute.

use core::fmt::{self, Formatter};
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use retry_spec::suggest::suggest;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::policy::backoff::Backoff;
use crate::policy::builder::Policy;
use crate::policy::builder::{STANDARD_FACTOR, STANDARD_START};
use crate::policy::jitter::Jitter;
use crate::policy::nested::Nested;
use trail::{Trail, Word};
use value::Value;

mod over;
mod rules;
pub(crate) mod trail;
mod value;

/// Whatever is not written is `None`. Each value is well by itself; what they mean together is checked in `rules.rs`.
#[derive(Default)]
pub(crate) struct Written {
    attempts: Option<u32>,
    /// One of the words for it.
    backoff: Option<&'static str>,
    start: Option<Duration>,
    factor: Option<f64>,
    max_delay: Option<Duration>,
    delays: Option<Vec<Duration>>,
    jitter: Option<Jitter>,
    /// Inside, `None` ignores it.
    retry_after: Option<Option<Duration>>,
    drain_limit: Option<usize>,
    drain_timeout: Option<Duration>,
    deadline: Option<Duration>,
    attempt_timeout: Option<Duration>,
    nested: Option<Nested>,
    /// The keys of all that is written.
    keys: Vec<&'static str>,
}

const KEYS: [&str; 13] = [
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

/// Those arguments of the attribute that are more than data.
const IN_CODE: [&str; 14] = [
    "random_source",
    "on_status",
    "on_error",
    "on_ok",
    "server_delay",
    "budget",
    "policy",
    "bind",
    "clone",
    "name",
    "observer",
    "sleep",
    "blocking",
    "crate",
];

impl Written {
    fn read(&mut self, key: &'static str, value: &Value) -> Result<(), String> {
        self.keys.push(key);
        match key {
            "attempts" => value::attempts(value).map(|read| self.attempts = Some(read)),
            "backoff" => value::backoff(value).map(|read| self.backoff = Some(read)),
            "start" => value::duration(value).map(|read| self.start = Some(read)),
            "factor" => value::factor(value).map(|read| self.factor = Some(read)),
            "max_delay" => value::duration(value).map(|read| self.max_delay = Some(read)),
            "delays" => value::delays(value).map(|read| self.delays = Some(read)),
            "jitter" => value::jitter(value).map(|read| self.jitter = Some(read)),
            "retry_after" => value::retry_after(value).map(|read| self.retry_after = Some(read)),
            "drain_limit" => value::bytes(value).map(|read| self.drain_limit = Some(read)),
            "drain_timeout" => value::drain_timeout(value).map(|read| self.drain_timeout = Some(read)),
            "deadline" => value::limit(key, value).map(|read| self.deadline = Some(read)),
            "attempt_timeout" => value::limit(key, value).map(|read| self.attempt_timeout = Some(read)),
            "nested" => value::nested(value).map(|nested| self.nested = Some(nested)),
            known => unreachable!("`{known}` is in the table of keys, but nothing reads it"),
        }
    }

    fn wrote(&self, key: &str) -> bool {
        self.keys.contains(&key)
    }

    /// The policy that is `base` except for what is written.
    fn over(self, base: Base) -> Result<Draft, rules::Broken> {
        self.check()?;
        let (base, schedule) = match base {
            Base::Standard => {
                self.check_alone()?;
                (Policy::new(), self.schedule())
            }
            Base::Code(code) => (code, self.schedule_over(&code)?),
        };
        let policy = Policy {
            attempts: self.attempts.unwrap_or(schedule.attempts),
            retry_after: self.retry_after.unwrap_or(base.retry_after),
            drain_limit: self.drain_limit.unwrap_or(base.drain_limit),
            drain_timeout: self.drain_timeout.or(base.drain_timeout),
            deadline: self.deadline.or(base.deadline),
            attempt_timeout: self.attempt_timeout.or(base.attempt_timeout),
            nested: self.nested.unwrap_or(base.nested),
            ..schedule
        };
        self.first_delay_fits_the_deadline(&policy)?;
        Ok(Draft { policy, delays: self.delays })
    }

    /// Returns true for the standard schedule, with its jitter and its cap unless these are written.
    fn is_standard(&self) -> bool {
        !["backoff", "start", "factor", "delays"].iter().any(|key| self.wrote(key))
    }

    /// The schedule where there is none of the code below it: that of the attribute with the same keys.
    fn schedule(&self) -> Policy {
        let backoff = match &self.delays {
            Some(delays) => Backoff::Fixed(delays[0]),
            None => {
                let factor = self.factor.unwrap_or(STANDARD_FACTOR);
                Self::computed(self.backoff.unwrap_or("exponential"), self.start(), factor)
            }
        };
        let (cap, jitter) = match self.is_standard() {
            true => (Policy::new().cap, Policy::new().jitter),
            false => (Duration::MAX, Jitter::None),
        };
        Policy {
            attempts: self.delays.as_deref().map_or(Policy::new().attempts, Self::attempts_of),
            backoff,
            cap: self.max_delay.unwrap_or(cap),
            jitter: self.jitter.unwrap_or(jitter),
            ..Policy::new()
        }
    }

    fn computed(word: &str, start: Duration, factor: f64) -> Backoff {
        match word {
            "fixed" => Backoff::Fixed(start),
            "linear" => Backoff::Linear(start),
            "fibonacci" => Backoff::Fibonacci(start),
            "random" => Backoff::Random(start),
            "decorrelated" => Backoff::Decorrelated(start),
            _ => Backoff::Exponential { start, factor },
        }
    }

    /// One more attempt than there are delays.
    fn attempts_of(delays: &[Duration]) -> u32 {
        u32::try_from(delays.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    fn start(&self) -> Duration {
        self.start.unwrap_or(STANDARD_START)
    }
}

/// The policy that the keys change.
#[derive(Clone, Copy)]
pub(crate) enum Base {
    /// No policy: keys that are left out have the attribute's defaults.
    Standard,
    /// A policy of the code: what the file does not change stays.
    Code(Policy),
}

/// A policy that was read and is not in use yet.
#[derive(Clone)]
pub(crate) struct Draft {
    /// Its backoff is the first delay of the list, if there is one.
    policy: Policy,
    delays: Option<Vec<Duration>>,
}

impl Draft {
    /// A policy of the code as it is.
    pub(crate) fn of(policy: Policy) -> Self {
        Self { policy, delays: None }
    }

    /// The policy, to be used from now on. Keeps its list of delays for as long as the program runs.
    pub(crate) fn into_policy(self) -> Policy {
        match self.delays {
            Some(delays) => Policy { backoff: Backoff::Delays(kept(delays)), ..self.policy },
            None => self.policy,
        }
    }
}

/// The list as a constant: a policy is `Copy`, and may be in use for as long as the program runs. Each different list is kept once.
fn kept(delays: Vec<Duration>) -> &'static [Duration] {
    static LISTS: Mutex<BTreeSet<&'static [Duration]>> = Mutex::new(BTreeSet::new());
    let mut lists = LISTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = lists.get(delays.as_slice()) {
        return known;
    }
    let kept = Box::leak(delays.into_boxed_slice());
    lists.insert(kept);
    kept
}

/// Reads a policy from a map whose keys are arguments of the attribute: `attempts`, `backoff`, `start`, `factor`, `max_delay`, `delays`,
/// `jitter`, `retry_after`, `drain_limit`, `drain_timeout`, `deadline`, `attempt_timeout` and `nested`, with the same values, defaults and
/// rules. Numbers may be strings, and `delays` one string with commas, so that environment variables will do. What only code
/// can say is added by code:
///
/// ```
/// use retry_runtime::{Budget, Policy};
///
/// static API: Budget = Budget::new();
///
/// let text = r#"{ "attempts": 5, "start": "1s", "max_delay": "1m", "jitter": "20%", "deadline": "1h 30m" }"#;
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
/// Each different list of `delays` that was read without an error is kept for as long as the program runs.
///
/// Several policies with names, over those of the code, are [`Policies`](crate::config::Policies).
///
/// # Errors
///
/// For unknown keys, and for whatever the attribute refuses, in its words.
impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let draft = Over { base: Base::Standard, trail: &mut Trail::default() }.deserialize(deserializer)?;
        Ok(draft.into_policy())
    }
}

/// Reads what is written over a policy.
pub(crate) struct Over<'a> {
    pub(crate) base: Base,
    pub(crate) trail: &'a mut Trail,
}

impl<'de> DeserializeSeed<'de> for Over<'_> {
    type Value = Draft;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Draft, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Over<'_> {
    type Value = Draft;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the keys of a policy, such as `attempts`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
        let Self { base, trail } = self;
        let mut written = Written::default();
        while let Some(key) = map.next_key_seed(Word(|key: &str| known_key(key, &written, trail)))? {
            map.next_value_seed(Entry { key, written: &mut written, trail })?;
            trail.key = None;
        }
        written.over(base).map_err(|rules::Broken { key, message }| {
            trail.key = Some(key.to_owned());
            Error::custom(trail.wrong(message))
        })
    }
}

fn known_key(key: &str, written: &Written, trail: &mut Trail) -> Result<&'static str, String> {
    trail.key = Some(key.to_owned());
    let message = match KEYS.into_iter().find(|known| *known == key) {
        Some(known) if !written.wrote(known) => return Ok(known),
        Some(known) => format!("`{known}` is given twice: keep one of them"),
        None if IN_CODE.contains(&key) => format!("`{key}` is for the code to say: remove it"),
        None => format!("unknown key: {}", suggest(key, &KEYS)),
    };
    Err(trail.wrong(message))
}

/// Reads the value of a key.
struct Entry<'a> {
    key: &'static str,
    written: &'a mut Written,
    trail: &'a mut Trail,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self { key, written, trail } = self;
        let value = Value::deserialize(deserializer)?;
        written.read(key, &value).map_err(|message| Error::custom(trail.wrong(message)))
    }
}
