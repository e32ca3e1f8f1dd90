//! Policies with names, which operators change while the program runs.

use core::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use retry_words::suggest::suggest;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::Policy;
use crate::written::Over;
use crate::written::trail::{Trail, Word};
pub use error::PoliciesError;

mod error;
#[cfg(any(feature = "toml", feature = "json"))]
mod files;

/// Policies with names: those of the code, and over them what a file says.
///
/// The code declares each name with its policy, in a `static`; a file changes them, as often as it is loaded:
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Budget, Policies, Policy};
///
/// static API: Budget = Budget::new();
/// const BILLING: Policy = Policy::fixed(Duration::from_secs(1)).budget(|| &API);
///
/// static POLICIES: Policies = Policies::new(&[("billing", BILLING), ("search", Policy::new())]);
///
/// # #[cfg(feature = "toml")] {
/// # let path = std::env::temp_dir().join("retry-runtime-policies.toml");
/// # std::fs::write(&path, "billing = { attempts = 5 }").unwrap();
/// if let Err(error) = POLICIES.load_toml(&path) {
///     eprintln!("the policies stay as they are: {error}");
/// }
/// # }
/// # POLICIES.load(serde_json::json!({ "billing": { "attempts": 5 } })).unwrap();
/// assert_eq!(POLICIES.get("billing").to_string(), "5 attempts, fixed 1s, with a budget");
/// ```
///
/// In a function: `#[retry(policy = POLICIES.get("billing"))]`. A call takes its policy when it begins, and keeps it.
///
/// # What a file says
///
/// ```toml
/// [billing]                     # a name that the code declares
/// attempts = 5                  # keys, values and rules are those of the attribute
/// deadline = "10s"
///
/// [search]
/// backoff = "fixed"
/// start = "200ms"
/// ```
///
/// Each key that is there replaces what the code says. One of `backoff`, `start`, `factor`, `max_delay`, `delays` and `jitter` replaces
/// the whole schedule: where the others are left out they have the attribute's defaults, not the code's. With `delays`, the number
/// of attempts comes with them if it is not said. Budget and random source stay the code's. A limit that the code sets can be
/// made longer, but not taken away.
///
/// A name that is not there has the code's policy, also where the file loaded before had it: what was removed is gone.
///
/// # Loading
///
/// All or nothing: with an error the running policies stay, all of them. To follow a file, load it again when it has changed, in a loop of
/// yours (`examples/integrations/policies.rs`). Who writes it should write another file and rename that, for half a file may be a whole one of
/// fewer policies.
pub struct Policies {
    declared: &'static [(&'static str, Policy)],
    /// In the order of those declared, which they replace once something was loaded.
    loaded: ArcSwapOption<Vec<Policy>>,
}

impl Policies {
    /// Declares names, each with the policy that it has until a file says otherwise.
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

    /// The policy of this name as it is now. Takes no lock.
    ///
    /// # Panics
    ///
    /// When the code does not declare the name. No file can cause that.
    #[track_caller]
    pub fn get(&self, name: &str) -> Policy {
        let Some(place) = self.declared.iter().position(|(declared, _)| *declared == name) else {
            self.undeclared(name)
        };
        self.loaded.load().as_ref().map_or(self.declared[place].1, |loaded| loaded[place])
    }

    #[cold]
    #[track_caller]
    fn undeclared(&self, name: &str) -> ! {
        panic!("no policy `{name}` is declared: {}", suggest(name, &self.names()))
    }

    fn names(&self) -> Vec<&'static str> {
        self.declared.iter().map(|(name, _)| *name).collect()
    }

    /// Each name with its policy as it is now, all of one moment; to be logged after a load.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Policy)> + use<> {
        let (declared, loaded) = (self.declared, self.loaded.load_full());
        declared
            .iter()
            .enumerate()
            .map(move |(place, (name, policy))| (*name, loaded.as_ref().map_or(*policy, |loaded| loaded[place])))
    }

    /// Takes the policies of the code again.
    pub fn reset(&self) {
        self.loaded.store(None);
    }

    /// Loads from any format: a map of names to maps of keys.
    ///
    /// # Errors
    ///
    /// When something is wrong with it; the running policies stay. Of a format the error says what its `Display` says, with or without
    /// the place.
    pub fn load<'de, D: Deserializer<'de>>(&self, deserializer: D) -> Result<(), PoliciesError> {
        let mut trail = Trail::default();
        let policies = self.read(deserializer, &mut trail);
        self.store(policies.map_err(|error| PoliciesError::of(trail, error.to_string()))?);
        Ok(())
    }

    fn read<'de, D: Deserializer<'de>>(&self, deserializer: D, trail: &mut Trail) -> Result<Vec<Policy>, D::Error> {
        deserializer.deserialize_map(All { declared: self.declared, trail })
    }

    fn store(&self, policies: Vec<Policy>) {
        self.loaded.store(Some(Arc::new(policies)));
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
    type Value = Vec<Policy>;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a policy for each name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Policy>, A::Error> {
        let Self { declared, trail } = self;
        let mut loaded: Vec<Option<Policy>> = vec![None; declared.len()];
        while let Some(place) = map.next_key_seed(Word(|name: &str| place_of(name, declared, &loaded, trail)))? {
            loaded[place] = Some(map.next_value_seed(Over { base: declared[place].1, trail })?);
            trail.policy = None;
        }
        Ok(loaded.into_iter().zip(declared).map(|(loaded, (_, policy))| loaded.unwrap_or(*policy)).collect())
    }
}

fn place_of(
    name: &str,
    declared: &[(&'static str, Policy)],
    loaded: &[Option<Policy>],
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
