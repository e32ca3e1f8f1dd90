//! Loads policies from files.

use std::fs;
use std::path::Path;

use super::change::PolicyChange;
use super::error::PoliciesError;
use super::policies::Policies;
use crate::config::spec::Draft;
use crate::config::spec::path::ErrorPath;

impl Policies {
    /// Loads a TOML file with a table for each name. Returns each policy that changed, old and new.
    ///
    /// Blocks the calling thread while it reads the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its content is wrong. The current policies then stay in use.
    pub fn load_toml(&self, path: impl AsRef<Path>) -> Result<Vec<PolicyChange>, PoliciesError> {
        self.load_file(path.as_ref(), Self::read_toml)
    }

    /// Loads a JSON file, an object with an object for each name. Returns each policy that changed, old and new.
    ///
    /// Blocks the calling thread while it reads the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its content is wrong. The current policies then stay in use.
    pub fn load_json(&self, path: impl AsRef<Path>) -> Result<Vec<PolicyChange>, PoliciesError> {
        self.load_file(path.as_ref(), Self::read_json)
    }

    fn load_file(
        &self,
        path: &Path,
        read: fn(&Self, &str) -> Result<Vec<Draft>, PoliciesError>,
    ) -> Result<Vec<PolicyChange>, PoliciesError> {
        let text = fs::read_to_string(path).map_err(PoliciesError::unreadable);
        let drafts = text.and_then(|text| read(self, &text)).map_err(|error| error.in_file(path))?;
        Ok(self.apply(drafts))
    }

    fn read_toml(&self, text: &str) -> Result<Vec<Draft>, PoliciesError> {
        let mut path = ErrorPath::default();
        let read = toml::Deserializer::parse(text).and_then(|document| self.read(document, &mut path));
        read.map_err(|error| {
            let error_at_path = PoliciesError::of(path, error.message().to_owned());
            match error.span().and_then(|span| text.get(..span.start)) {
                Some(before) => {
                    let line = before.rsplit('\n').next().unwrap_or_default();
                    error_at_path.at(before.matches('\n').count() + 1, line.chars().count() + 1)
                }
                None => error_at_path,
            }
        })
    }

    fn read_json(&self, text: &str) -> Result<Vec<Draft>, PoliciesError> {
        let mut path = ErrorPath::default();
        let mut document = serde_json::Deserializer::from_str(text);
        let read = self.read(&mut document, &mut path);
        let read = read.and_then(|policies| document.end().map(|()| policies));
        read.map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = error.to_string();
            let place = format!(" at line {line} column {column}");
            let error_at_path = PoliciesError::of(path, message.strip_suffix(&place).unwrap_or(&message).to_owned());
            if line == 0 { error_at_path } else { error_at_path.at(line, column) }
        })
    }
}
