//! Selects the compile-time check that the conditions of a function can have an effect on its outcome. The traits of the
//! checks are in the runtime's `private::required`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use retry_spec::keywords;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Path, PathArguments, Type, TypePath};

use crate::args::model::{Arguments, OnError};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Required {
    /// The value or the error can carry a status.
    Status { clients: ClientTypes },
    /// The value or the error can be transient.
    Transient,
    /// The same, without a status.
    TransientWithoutStatus,
    /// The value can be a failure.
    ValueThatFails,
}

/// The names of client crates in the type as it is written. A macro sees no more of a type than its tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClientTypes {
    /// `true` for a type of reqwest. The message then names the feature.
    reqwest: bool,
    /// `true` for the error type of a client, whose chain contains no error of another client.
    error_of_a_client: bool,
}

/// Clients whose `Error` contains no error of another client in its chain.
const CLIENTS: [&str; 6] = ["attohttpc", "curl", "isahc", "minreq", "reqwest", "ureq"];

pub(crate) fn required(arguments: &Arguments, outcome: Option<&Type>) -> Option<Required> {
    // Hedging makes copies even if no outcome is retried.
    let may_retry_nothing = arguments.is_one_attempt()
        || arguments.hedge.is_some()
        || arguments.on_ok.is_some()
        || arguments.until.is_some();
    let on_status = arguments.on_status.as_ref().map(|statuses| statuses.value.is_empty());
    let on_error = arguments.on_error.as_ref().map(|on_error| &on_error.value);
    match (on_status, on_error) {
        // A type that can carry a status can also be transient, so one check is enough.
        (Some(false), _) => Some(Required::Status { clients: clients(outcome) }),
        (_, Some(OnError::Keyword(keywords::OnError::Transient))) => Some(Required::Transient),
        (Some(true), None) if !may_retry_nothing => Some(Required::TransientWithoutStatus),
        (None, Some(OnError::Keyword(keywords::OnError::Never))) if !may_retry_nothing => {
            Some(Required::ValueThatFails)
        }
        _ => None,
    }
}

impl Required {
    /// The function of the runtime that checks it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Status { clients: ClientTypes { reqwest: true, .. } } => "require_status_of_reqwest",
            Self::Status { .. } => "require_status",
            Self::Transient => "require_transient",
            Self::TransientWithoutStatus => "require_transient_without_status",
            Self::ValueThatFails => "require_value_that_fails",
        }
    }

    /// The argument of that function: an expression whose type is the result of the check.
    pub(crate) fn argument(self, krate: &Path, inspect: &TokenStream, span: Span) -> TokenStream {
        let either = |error: TokenStream, value: TokenStream| quote_spanned!(span=> #krate::private::either(#inspect.#error, #inspect.#value));
        match self {
            Self::Status { clients: ClientTypes { error_of_a_client: true, .. } } => {
                either(quote!(__error_status().__without_chain()), quote!(__value_status()))
            }
            Self::Status { .. } => either(quote!(__error_status()), quote!(__value_status())),
            Self::Transient => either(quote!(__error_transient()), quote!(__value_fails())),
            Self::TransientWithoutStatus => either(quote!(__error_transient()), quote!(__value_transient())),
            Self::ValueThatFails => quote_spanned!(span=> #inspect.__value_fails()),
        }
    }
}

fn clients(outcome: Option<&Type>) -> ClientTypes {
    let error = outcome.and_then(error_path).and_then(client);
    let mut types = TypesOfReqwest(false);
    outcome.cloned().iter_mut().for_each(|outcome| types.visit_type_mut(outcome));
    ClientTypes { reqwest: types.0, error_of_a_client: error.is_some_and(|client| CLIENTS.contains(&client.as_str())) }
}

/// The path that names the error type: that of the error in `Result<T, reqwest::Error>`, or that of the alias
/// `reqwest::Result<T>`.
fn error_path(outcome: &Type) -> Option<&Path> {
    let path = path(outcome)?;
    let last = path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Some(path) };
    match arguments.args.iter().nth(1) {
        Some(GenericArgument::Type(error)) => self::path(error).filter(|error| ends_with(error, &["Error"])),
        _ => Some(path),
    }
}

fn path(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(TypePath { qself: None, path, .. }) => Some(path),
        Type::Group(group) => path(&group.elem),
        Type::Paren(paren) => path(&paren.elem),
        _ => None,
    }
}

/// The crate of a path with more than one segment.
fn client(path: &Path) -> Option<String> {
    (path.segments.len() > 1).then(|| path.segments[0].ident.to_string())
}

fn ends_with(path: &Path, names: &[&str]) -> bool {
    path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}

/// Finds a response or an error of reqwest anywhere in a type.
struct TypesOfReqwest(bool);

impl VisitMut for TypesOfReqwest {
    fn visit_path_mut(&mut self, path: &mut Path) {
        let is_of_reqwest = client(path).is_some_and(|client| client == "reqwest");
        self.0 |= is_of_reqwest && ends_with(path, &["Error", "Response", "Result"]);
        visit_mut::visit_path_mut(self, path);
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::args::parse::tests::read;

    #[track_caller]
    fn assert_written(outcome: Type, reqwest: bool, error_of_a_client: bool) {
        assert_eq!(clients(Some(&outcome)), ClientTypes { reqwest, error_of_a_client });
    }

    #[test]
    fn types_of_clients() {
        assert_written(parse_quote!(reqwest::Result<reqwest::Response>), true, true);
        assert_written(parse_quote!(::reqwest::Result<()>), true, true);
        assert_written(parse_quote!(std::result::Result<(), reqwest::Error>), true, true);
        assert_written(parse_quote!(Result<reqwest::Response, Box<dyn Error>>), true, false);
        assert_written(parse_quote!(anyhow::Result<reqwest::Response>), true, false);
        assert_written(parse_quote!(Result<String, ureq::Error>), false, true);
        assert_written(parse_quote!((Result<String, ureq::Error>)), false, true);
    }

    #[test]
    fn other_types() {
        assert_written(parse_quote!(Result<reqwest::Url, String>), false, false);
        assert_written(parse_quote!(Result<reqwest>), false, false);
        assert_written(parse_quote!(Result<(), crate::ureq::Error>), false, false);
        assert_written(parse_quote!(Result<(), Mine<ureq::Error>>), false, false);
        assert_written(parse_quote!(Result<ureq::Error, Mine>), false, false);
        assert_written(parse_quote!(Option<u32>), false, false);
        assert_written(parse_quote!(impl Trait), false, false);
    }

    fn name(tokens: TokenStream) -> Option<&'static str> {
        required(&read(tokens), Some(&parse_quote!(Result<(), E>))).map(Required::name)
    }

    #[test]
    fn requirements() {
        assert_eq!(name(quote!()), None);
        assert_eq!(name(quote!(on_status = [503])), Some("require_status"));
        assert_eq!(name(quote!(on_status = [503], on_error = "transient")), Some("require_status"));
        assert_eq!(name(quote!(on_error = "transient")), Some("require_transient"));
        assert_eq!(name(quote!(on_status = [], on_error = "transient")), Some("require_transient"));
        assert_eq!(name(quote!(on_status = [])), Some("require_transient_without_status"));
        assert_eq!(name(quote!(on_error = "never")), Some("require_value_that_fails"));
        assert_eq!(name(quote!(on_error = "any")), None);
        assert_eq!(name(quote!(on_error = is_busy, on_status = [])), None);
        for condition in [quote!(on_status = []), quote!(on_error = "never")] {
            assert_eq!(name(quote!(#condition, on_ok = is_stale)), None);
            assert_eq!(name(quote!(#condition, attempts = 1)), None);
            assert_eq!(name(quote!(#condition, hedge = "50ms")), None);
        }
    }
}
