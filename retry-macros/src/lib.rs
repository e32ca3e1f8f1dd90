//! The attribute `#[retry]`, the macro `retrying!` and the derive macro `Retryable`. Depend on `retry-runtime`, which exports them: the generated code
//! calls that crate, and only versions that were released together fit each other.
//!
//! The modules in order; each imports only those above it:
//!
//! - `retry_spec`, a crate of its own: the specification of a policy, which configuration files share
//! - `errors`: collects errors, to report all of them
//! - `args`: reads and checks the attribute's arguments
//! - `input`: reads the annotated function, or the block of `retrying!`
//! - `codegen`: writes it again, with the loop around its body
//! - `derive`: the derive macro
//! - `entry`: the three macros, on tokens that also exist outside the compiler

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

mod args;
mod codegen;
mod derive;
mod entry;
mod errors;
mod input;

// The index of the arguments is made of their table, which the errors and configuration files use too.
#[doc = include_str!("retry.md")]
#[doc = retry_spec::arguments!()]
///
#[doc = include_str!("retry.arguments.md")]
#[proc_macro_attribute]
pub fn retry(arguments: TokenStream, item: TokenStream) -> TokenStream {
    entry::retry(arguments.into(), item.into()).into()
}

#[doc = include_str!("retrying.md")]
#[proc_macro]
pub fn retrying(input: TokenStream) -> TokenStream {
    entry::retrying(input.into()).into()
}

/// Implements `Retryable` for an error type: its class, the status, the delay that the server asks for, and whether the server has processed
/// the request.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::Retryable;
///
/// #[derive(Retryable)]
/// enum PushError {
///     #[retryable(transient, unprocessed, server_delay = wait)]
///     Busy { wait: Duration },
///     #[retryable(status = 0)]
///     Refused(u16),
///     #[retryable(source)]
///     Transport(reqwest::Error),
///     #[retryable(permanent)]
///     Malformed,
///     Other(String),
/// }
/// ```
///
/// The arguments are written above the variants of an enum, or above a struct:
///
/// | argument | meaning |
/// |---|---|
/// | `transient` | another attempt may succeed |
/// | `permanent` | no attempt can succeed |
/// | `status = field` | the status decides the class; the field converts into `u16` and is `Copy` |
/// | `server_delay = field` | beside `transient` or `status`: the delay that the server asks for, a `Duration` or an `Option` of one |
/// | `unprocessed` | beside `transient` or `status`: the server has not processed the request, so even one that [must not be sent twice] may be repeated |
/// | `source` | everything is that of the only field; `source = field` names one of several |
///
/// [must not be sent twice]: https://docs.rs/retry-runtime/latest/retry_runtime/http/index.html#which-requests-are-retried
///
/// A variant without an argument has the class "unknown". A field of a tuple is named by its index. `#[retryable(crate = path)]`
/// above the type names `retry_runtime`, if it is renamed or re-exported by another crate.
#[proc_macro_derive(Retryable, attributes(retryable))]
pub fn derive_retryable(item: TokenStream) -> TokenStream {
    entry::derive(item.into()).into()
}

#[cfg(test)]
mod tests {
    use retry_spec::key::Key;

    /// The anchors of the headings, and the sections below them. A hidden line of an example also begins with `# `.
    fn sections() -> impl Iterator<Item = (String, &'static str)> {
        include_str!("retry.arguments.md").split("\n\n# ").map(|section| {
            let heading = section.lines().next().unwrap_or_default();
            (heading.to_lowercase().replace(' ', "-").replace('\'', ""), section)
        })
    }

    #[test]
    fn index_links_to_the_section_that_describes_the_argument() {
        for key in Key::ALL {
            let entry = format!("\n- `{key}`");
            let described: Vec<_> =
                sections().filter(|(_, text)| text.contains(&entry)).map(|(anchor, _)| anchor).collect();
            let section = key.row().section;
            assert_eq!(
                described,
                [section],
                "`retry.arguments.md`: the entry \"- `{key}`\" must be in the section `{section}` only"
            );
        }
    }
}
