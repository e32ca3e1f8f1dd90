//! Collects errors, so that one compilation reports every mistake.

use proc_macro2::Span;

/// A list of errors that cannot be lost: it panics if it is dropped before [`Errors::finish`].
pub(crate) struct Errors {
    found: Option<Vec<syn::Error>>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Errors { found: Some(Vec::new()) }
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.get_or_insert_default().push(error);
    }

    pub(crate) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Returns the value, or adds the error and returns `None`.
    pub(crate) fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns `true` before the first error.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.as_ref().is_none_or(Vec::is_empty)
    }

    pub(crate) fn finish(mut self) -> syn::Result<()> {
        let found = self.found.take().unwrap_or_default();
        let all = found.into_iter().reduce(|mut all, next| {
            all.combine(next);
            all
        });
        all.map_or(Ok(()), Err)
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        // A second panic during unwinding would abort the process and hide the first.
        if self.found.is_some() && !std::thread::panicking() {
            panic!("errors were collected, but `finish` was not called");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_errors_are_reported() {
        let mut errors = Errors::new();
        errors.at(Span::call_site(), "one");
        assert!(errors.take(Err::<(), _>(syn::Error::new(Span::call_site(), "two"))).is_none());
        let all: Vec<String> = errors.finish().unwrap_err().into_iter().map(|e| e.to_string()).collect();
        assert_eq!(all, ["one", "two"]);
    }

    #[test]
    fn no_errors_is_a_success() {
        assert!(Errors::new().finish().is_ok());
    }

    #[test]
    #[should_panic = "`finish` was not called"]
    fn dropped_errors_panic() {
        drop(Errors::new());
    }
}
