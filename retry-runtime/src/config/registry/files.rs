//! Files of policies.

use std::fs;
use std::path::Path;

use super::{Policies, PoliciesError, PolicyChange};
use crate::config::written::Draft;
use crate::config::written::trail::Trail;

impl Policies {
    /// Loads a file of TOML: a table for each name. Gives each policy that changed, with what it was before.
    ///
    /// Reads the file on the thread that calls it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or something is wrong with what it says; the running policies stay.
    pub fn load_toml(&self, path: impl AsRef<Path>) -> Result<Vec<PolicyChange>, PoliciesError> {
        self.load_file(path.as_ref(), Self::read_toml)
    }

    /// Loads a file of JSON: an object of objects. Gives each policy that changed, with what it was before.
    ///
    /// Reads the file on the thread that calls it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or something is wrong with what it says; the running policies stay.
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
        let mut trail = Trail::default();
        let read = toml::Deserializer::parse(text).and_then(|document| self.read(document, &mut trail));
        read.map_err(|error| {
            let wrong = PoliciesError::of(trail, error.message().to_owned());
            match error.span().and_then(|span| text.get(..span.start)) {
                Some(before) => {
                    let line = before.rsplit('\n').next().unwrap_or_default();
                    wrong.at(before.matches('\n').count() + 1, line.chars().count() + 1)
                }
                None => wrong,
            }
        })
    }

    fn read_json(&self, text: &str) -> Result<Vec<Draft>, PoliciesError> {
        let mut trail = Trail::default();
        let mut document = serde_json::Deserializer::from_str(text);
        let read = self.read(&mut document, &mut trail);
        let read = read.and_then(|policies| document.end().map(|()| policies));
        read.map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let message = error.to_string();
            let place = format!(" at line {line} column {column}");
            let wrong = PoliciesError::of(trail, message.strip_suffix(&place).unwrap_or(&message).to_owned());
            if line == 0 { wrong } else { wrong.at(line, column) }
        })
    }
}
