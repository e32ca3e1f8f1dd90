//! Where a reader is, for the message when something is wrong there.

use core::fmt::{self, Display, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

/// Beside the error of the format, which is but text, and may say more around ours.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) policy: Option<String>,
    pub(crate) key: Option<String>,
    /// What is wrong, where it is nothing of the format.
    pub(crate) message: Option<String>,
}

impl Trail {
    /// Keeps the message, and gives it with its place.
    pub(crate) fn wrong(&mut self, message: String) -> String {
        self.message = Some(message);
        self.to_string()
    }
}

/// ``[billing] `attemps`: unknown key``
impl Display for Trail {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let message = self.message.as_deref().unwrap_or_default();
        if let Some(policy) = &self.policy {
            write!(f, "[{policy}] ")?;
        }
        // Messages about several keys begin with theirs, or with `key = "value"`.
        match self.key.as_ref().filter(|key| !message.starts_with(&format!("`{key}"))) {
            Some(key) => write!(f, "`{key}`: {message}"),
            None => f.write_str(message),
        }
    }
}

/// Reads a word, and makes something of it.
pub(crate) struct Word<F>(pub(crate) F);

impl<'de, T, F: FnOnce(&str) -> Result<T, String>> DeserializeSeed<'de> for Word<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Word<F> {
    type Value = T;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}
