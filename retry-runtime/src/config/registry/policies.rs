//! The set of named policies of a program.

use core::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use retry_spec::suggest::suggest;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::change::PolicyChange;
use super::error::PoliciesError;
use crate::config::spec::path::{ErrorPath, Name};
use crate::config::spec::{Base, Draft, PolicySeed};
use crate::policy::builder::Policy;

/// Named policies: those that the code declares, with the changes of a file.
///
/// The macro [`policies!`](crate::policies) declares them, and the compiler checks each name:
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
/// A call takes its policy when it starts, and keeps it. [`get`](Self::get) finds a policy by a name that is known only at run time.
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
/// Each key replaces that of the code's policy, and everything else stays: `search` above is still exponential with full jitter. The
/// schedule has these additional rules:
///
/// - `backoff` keeps the code's `start`, `max_delay` and `jitter`. `"random"` and `"decorrelated"` have no jitter, and `"fixed"`
///   has no cap.
/// - `delays` replaces the backoff and the cap. It also sets the number of attempts, unless `attempts` is written. The jitter stays.
/// - A key without an effect on the code's schedule is an error that says what to write: `max_delay` for a fixed delay, `factor`
///   for a backoff that is neither exponential nor decorrelated, `start` for a list of delays or a function of the code.
///
/// A file cannot change the budget and the random source. It can extend a time limit of the code's policy, but cannot remove it.
///
/// A name that is missing in the file gets the code's policy, even if the previous file had that name.
///
/// # Loading
///
/// A load changes all policies or, if there is an error, none. To follow a file, load it whenever it changes, as in
/// `examples/integrations/policies.rs`. Write the new file under another name and rename it, because the first half of a file may be a
/// valid file with fewer policies.
pub struct Policies {
    pub(super) declared: &'static [(&'static str, Policy)],
    /// The current policies, in the order of `declared`. `None` until the first load.
    loaded: ArcSwapOption<Vec<Policy>>,
}

impl Policies {
    /// Declares names, each with its policy until a file changes it. [`policies!`](crate::policies) does the same, with a field for
    /// each name.
    ///
    /// # Panics
    ///
    /// If two policies have the same name. In a `static` that is a compile error.
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

    /// The current policy with this name. `None` if the code does not declare the name. Takes no lock.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Policy> {
        self.declared.iter().position(|(declared, _)| *declared == name).map(|place| self.at(place))
    }

    pub(super) fn at(&self, place: usize) -> Policy {
        self.loaded.load().as_ref().map_or(self.declared[place].1, |loaded| loaded[place])
    }

    /// Each name with its current policy. All policies are from the same load.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Policy)> + use<> {
        let (declared, loaded) = (self.declared, self.loaded.load_full());
        declared
            .iter()
            .enumerate()
            .map(move |(place, (name, policy))| (*name, loaded.as_ref().map_or(*policy, |loaded| loaded[place])))
    }

    /// Restores the policies of the code. Returns each policy that changed.
    pub fn reset(&self) -> Vec<PolicyChange> {
        self.exchange(None)
    }

    /// Loads a map of names to maps of keys, from any format. Returns each policy that changed, old and new.
    ///
    /// # Errors
    ///
    /// If the content is wrong. The current policies then stay in use. For an error of the format itself, the message is its `Display`
    /// text.
    pub fn load<'de, D: Deserializer<'de>>(&self, deserializer: D) -> Result<Vec<PolicyChange>, PoliciesError> {
        let mut path = ErrorPath::default();
        let drafts = self.read(deserializer, &mut path);
        Ok(self.apply(drafts.map_err(|error| PoliciesError::of(path, error.to_string()))?))
    }

    pub(super) fn read<'de, D: Deserializer<'de>>(
        &self,
        deserializer: D,
        path: &mut ErrorPath,
    ) -> Result<Vec<Draft>, D::Error> {
        deserializer.deserialize_map(AllPolicies { declared: self.declared, path })
    }

    pub(super) fn apply(&self, drafts: Vec<Draft>) -> Vec<PolicyChange> {
        self.exchange(Some(drafts.into_iter().map(Draft::into_policy).collect()))
    }

    /// Replaces the policies in one step, so that two loads at the same time each report their own changes.
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

/// Reads a policy for each declared name.
struct AllPolicies<'a> {
    declared: &'static [(&'static str, Policy)],
    path: &'a mut ErrorPath,
}

impl<'de> Visitor<'de> for AllPolicies<'_> {
    type Value = Vec<Draft>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a policy for each name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Draft>, A::Error> {
        let Self { declared, path } = self;
        let mut loaded: Vec<Option<Draft>> = vec![None; declared.len()];
        while let Some(place) = map.next_key_seed(Name(|name: &str| place_of(name, declared, &loaded, path)))? {
            loaded[place] = Some(map.next_value_seed(PolicySeed { base: Base::Code(declared[place].1), path })?);
            path.policy = None;
        }
        Ok(loaded.into_iter().zip(declared).map(|(loaded, (_, policy))| loaded.unwrap_or(Draft::of(*policy))).collect())
    }
}

fn place_of(
    name: &str,
    declared: &[(&'static str, Policy)],
    loaded: &[Option<Draft>],
    path: &mut ErrorPath,
) -> Result<usize, String> {
    path.policy = Some(name.to_owned());
    let message = match declared.iter().position(|(declared, _)| *declared == name) {
        Some(place) if loaded[place].is_none() => return Ok(place),
        Some(_) => "this policy is given twice: keep one of them".to_owned(),
        None => {
            let names: Vec<&str> = declared.iter().map(|(name, _)| *name).collect();
            format!("unknown policy: {}", suggest(name, &names))
        }
    };
    Err(path.error(message))
}

impl Debug for Policies {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
