//! Policies with names, which operators change while the program runs.

use core::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use retry_spec::suggest::suggest;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::config::written::trail::{Trail, Word};
use crate::config::written::{Base, Draft, Over};
use crate::policy::builder::Policy;
pub use change::PolicyChange;
pub use error::PoliciesError;
pub use named::NamedPolicy;

mod change;
mod error;
mod files;
mod named;

/// Policies with names: those of the code, and over them the keys of a file.
///
/// The macro [`policies!`](crate::policies) declares them, so that the compiler checks each name:
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Budget, Policy, retry};
///
/// static API: Budget = Budget::new();
///
/// retry_runtime::policies! {
///     static POLICIES {
///         billing: Policy::fixed(Duration::from_secs(1)).budget(|| &API),
///         search: Policy::new(),
///     }
/// }
///
/// #[retry(policy = POLICIES.billing)]
/// async fn bill() -> Result<(), std::io::Error> {
///     # Ok(())
///     // …
/// }
///
/// # {
/// # let path = std::env::temp_dir().join("retry-runtime-policies.toml");
/// # std::fs::write(&path, "billing = { attempts = 5 }").unwrap();
/// match POLICIES.load_toml(&path) {
///     Ok(changes) => changes.iter().for_each(|change| println!("{change}")),
///     Err(error) => eprintln!("the policies stay as they are: {error}"),
/// }
/// # }
/// # POLICIES.load(serde_json::json!({ "billing": { "attempts": 5 } })).unwrap();
/// assert_eq!(POLICIES.billing.to_string(), "5 attempts, fixed 1s, with a budget");
/// ```
///
/// A call takes its policy when it begins, and keeps it. Names that are only known at run time are looked up with
/// [`get`](Self::get).
///
/// # Files
///
/// ```toml
/// [billing]                     # a name that the code declares
/// attempts = 5                  # keys and values are those of the attribute
/// deadline = "10s"
///
/// [search]
/// max_delay = "5s"
/// ```
///
/// Each key replaces the same key of the code, and everything else stays as the code has it: `search` above is still exponential with full
/// jitter. This holds within the schedule too, with these rules:
///
/// - `backoff` keeps the code's `start`, `max_delay` and `jitter`. `"random"` and `"decorrelated"` have no jitter, and `"fixed"` has no cap.
/// - `delays` replaces the backoff and the cap, and gives the number of attempts unless `attempts` is written. The jitter stays.
/// - A key without an effect on the code's schedule is an error that says what to write: `max_delay` for a fixed delay, `factor`
///   for a backoff that is not exponential, `start` for a list of delays or a function of the code.
///
/// Budget and random source stay the code's. A file can make a limit that the code sets longer, but not remove it.
///
/// A name that is not in the file has the code's policy, also if the file loaded before had it.
///
/// # Loading
///
/// All or nothing: with an error, all running policies stay. To follow a file, load it again when it has changed, in a loop of
/// yours (`examples/integrations/policies.rs`). Write the new file under another name and rename it, because half a file may be a valid one with
/// fewer policies.
pub struct Policies {
    declared: &'static [(&'static str, Policy)],
    /// In the order of those declared, which they replace once something was loaded.
    loaded: ArcSwapOption<Vec<Policy>>,
}

impl Policies {
    /// Declares names, each with the policy that it has until a file changes it. [`policies!`](crate::policies) does the same, and
    /// gives each name a field.
    ///
    /// # Panics
    ///
    /// When a name is there twice; in a `static` that is a compile error.
    #[track_caller]
    pub const fn new(declared: &'static [(&'static str, Policy)]) -> Self {
        let mut later = 1;
        while later < declared.len() {
            let mut earlier = 0;
            while earlier < later {
                let same = is_same(declared[earlier].0.as_bytes(), declared[later].0.as_bytes());
                assert!(!same, "two policies have the same name: rename one of them");
                earlier += 1;
            }
            later += 1;
        }
        Self { declared, loaded: ArcSwapOption::const_empty() }
    }

    /// The current policy with a name that is only known at run time; `None` if the code does not declare it. Takes no lock.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Policy> {
        self.declared.iter().position(|(declared, _)| *declared == name).map(|place| self.at(place))
    }

    fn at(&self, place: usize) -> Policy {
        self.loaded.load().as_ref().map_or(self.declared[place].1, |loaded| loaded[place])
    }

    /// Each name with its current policy, all of one moment.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Policy)> + use<> {
        let (declared, loaded) = (self.declared, self.loaded.load_full());
        declared
            .iter()
            .enumerate()
            .map(move |(place, (name, policy))| (*name, loaded.as_ref().map_or(*policy, |loaded| loaded[place])))
    }

    /// Returns to the policies of the code. Gives each policy that changed.
    pub fn reset(&self) -> Vec<PolicyChange> {
        self.exchange(None)
    }

    /// Loads from any format: a map of names to maps of keys. Gives each policy that changed, with what it was before.
    ///
    /// # Errors
    ///
    /// When something is wrong with it; the running policies stay. An error of the format itself is reported in the words of its
    /// `Display`.
    pub fn load<'de, D: Deserializer<'de>>(&self, deserializer: D) -> Result<Vec<PolicyChange>, PoliciesError> {
        let mut trail = Trail::default();
        let drafts = self.read(deserializer, &mut trail);
        Ok(self.apply(drafts.map_err(|error| PoliciesError::of(trail, error.to_string()))?))
    }

    fn read<'de, D: Deserializer<'de>>(&self, deserializer: D, trail: &mut Trail) -> Result<Vec<Draft>, D::Error> {
        deserializer.deserialize_map(All { declared: self.declared, trail })
    }

    fn apply(&self, drafts: Vec<Draft>) -> Vec<PolicyChange> {
        self.exchange(Some(drafts.into_iter().map(Draft::into_policy).collect()))
    }

    /// In one step, so that of two loads at the same time each reports what it changed itself.
    fn exchange(&self, loaded: Option<Vec<Policy>>) -> Vec<PolicyChange> {
        let loaded = loaded.map(Arc::new);
        let before = self.loaded.swap(loaded.clone());
        let changes = self.declared.iter().enumerate().map(|(place, &(name, code))| {
            let [old, new] = [&before, &loaded].map(|loaded| loaded.as_ref().map_or(code, |loaded| loaded[place]));
            PolicyChange { name, old, new }
        });
        changes.filter(|change| !change.old.is_configured_as(&change.new)).collect()
    }
}

/// Comparison of texts is not `const`.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut place = 0;
    while place < one.len() && place < other.len() && one[place] == other[place] {
        place += 1;
    }
    place == one.len() && place == other.len()
}

/// Reads a policy for each name that is declared.
struct All<'a> {
    declared: &'static [(&'static str, Policy)],
    trail: &'a mut Trail,
}

impl<'de> Visitor<'de> for All<'_> {
    type Value = Vec<Draft>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a policy for each name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Draft>, A::Error> {
        let Self { declared, trail } = self;
        let mut loaded: Vec<Option<Draft>> = vec![None; declared.len()];
        while let Some(place) = map.next_key_seed(Word(|name: &str| place_of(name, declared, &loaded, trail)))? {
            loaded[place] = Some(map.next_value_seed(Over { base: Base::Code(declared[place].1), trail })?);
            trail.policy = None;
        }
        Ok(loaded.into_iter().zip(declared).map(|(loaded, (_, policy))| loaded.unwrap_or(Draft::of(*policy))).collect())
    }
}

fn place_of(
    name: &str,
    declared: &[(&'static str, Policy)],
    loaded: &[Option<Draft>],
    trail: &mut Trail,
) -> Result<usize, String> {
    trail.policy = Some(name.to_owned());
    let message = match declared.iter().position(|(declared, _)| *declared == name) {
        Some(place) if loaded[place].is_none() => return Ok(place),
        Some(_) => "this policy is given twice: keep one of them".to_owned(),
        None => {
            let names: Vec<&str> = declared.iter().map(|(name, _)| *name).collect();
            format!("unknown policy: {}", suggest(name, &names))
        }
    };
    Err(trail.wrong(message))
}

impl Debug for Policies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
