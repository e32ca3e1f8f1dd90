//! The rules about conditions and names.

use super::broken::{At, Rules};
use crate::key::Key;
use crate::keywords::OnError;

impl Rules<'_> {
    pub(super) fn conditions(&mut self) {
        self.some_outcome_is_retried();
        self.delays_of_errors_are_read();
        self.name_is_not_empty();
    }

    /// At least one outcome is retried.
    fn some_outcome_is_retried(&mut self) {
        let values = self.values;
        let never = values.on_error == Some(OnError::Never) && values.on_status_is_empty == Some(true);
        if never && !values.is_written(Key::OnOk) && !values.is_written(Key::Until) {
            let message = "nothing is retried with `on_status = []` and `on_error = \"never\"`: remove one of them";
            self.broken_by(Key::OnStatus, Key::OnError, message);
        }
    }

    /// The delay of an error is read before the error is retried.
    fn delays_of_errors_are_read(&mut self) {
        let values = self.values;
        let has_no_statuses = !values.is_written(Key::OnStatus) || values.on_status_is_empty == Some(true);
        if values.on_error == Some(OnError::Never) && has_no_statuses && values.is_written(Key::ErrorDelay) {
            let message =
                "`error_delay` has no effect with `on_error = \"never\"`, which retries no error: remove one of them";
            self.broken_by(Key::ErrorDelay, Key::OnError, message);
        }
    }

    /// Events need a name that people can read.
    fn name_is_not_empty(&mut self) {
        if self.values.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
            let message = "the name is empty: remove `name` to use the name of the function";
            self.broken(Key::Name, At::Value(Key::Name), message);
        }
    }
}
