//! The position of a reader in a file, for error messages.

use core::fmt::{self, Display, Formatter};

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::util::mask::write_escaped;

/// The policy and the key that a reader is at, and the message if something is wrong there.
///
/// It is kept beside the error of the format, because that is only text, and may add text of its own around the message.
#[derive(Debug, Default)]
pub(crate) struct ErrorPath {
    pub(crate) policy: Option<String>,
    pub(crate) key: Option<String>,
    /// `None` if the format itself is wrong.
    pub(crate) message: Option<String>,
}

impl ErrorPath {
    /// Keeps the message, and returns it with its position.
    pub(crate) fn error(&mut self, message: String) -> String {
        self.message = Some(message);
        self.to_string()
    }
}

/// ``[billing] `attemps`: unknown key``, in one line, whatever the names and the values in a file are.
impl Display for ErrorPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let message = self.message.as_deref().unwrap_or_default();
        if let Some(policy) = &self.policy {
            write_escaped(&format!("[{policy}] "), f)?;
        }
        // A message about several keys starts with the key itself, or with `key = "value"`.
        if let Some(key) = self.key.as_ref().filter(|key| !message.starts_with(&format!("`{key}"))) {
            write_escaped(&format!("`{key}`: "), f)?;
        }
        write_escaped(message, f)
    }
}

/// Reads a name, and passes it to a function.
pub(crate) struct Name<F>(pub(crate) F);

impl<'de, T, F: FnOnce(&str) -> Result<T, String>> DeserializeSeed<'de> for Name<F> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T, F: FnOnce(&str) -> Result<T, String>> Visitor<'_> for Name<F> {
    type Value = T;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}
