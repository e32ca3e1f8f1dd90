//! Checks what the arguments mean together. Maps the rules of the specification to positions, and adds the rules that need
//! tokens or the function's signature.

use proc_macro2::Span;
use retry_spec::rules::{self, At};
use syn::Signature;

use super::model::{Arguments, Delays};
use super::values::values;
use crate::errors::Errors;
use parameters::Parameters;

mod parameters;
mod statuses;

pub(crate) fn check(arguments: &Arguments, sig: Option<&Signature>, errors: &mut Errors) {
    for broken in rules::check(&values(arguments)) {
        errors.at(position(arguments, broken.at), broken.message);
    }
    statuses::statuses_are_listed_once(arguments, errors);
    if let Some(sig) = sig {
        let parameters = Parameters::of(sig);
        parameters::clones_are_parameters(arguments, &parameters, errors);
        parameters::bound_name_is_free(arguments, &parameters, errors);
        parameters::constants_are_not_parameters(arguments, &parameters, errors);
    }
}

/// Checks the arguments of `retrying!`, whose block uses the variables around it. The macro cannot see which there are.
pub(crate) fn check_of_block(arguments: &Arguments, errors: &mut Errors) {
    check(arguments, None, errors);
    parameters::clones_are_named_once(arguments, "a variable that the block uses", |_| None, errors);
}

/// The smallest token for a position in the arguments.
fn position(arguments: &Arguments, at: At) -> Span {
    let written = |key| arguments.written.iter().find(|written| written.key == key);
    let span = match at {
        At::Key(key) => written(key).map(|written| written.ident.span()),
        At::Value(key) => written(key).map(|written| written.value.unwrap_or(written.ident.span())),
        At::Delay(index) => arguments.delays.as_ref().map(|delays| match &delays.value {
            Delays::List(list) => list.get(index).map_or(delays.span, |(_, span)| *span),
            Delays::Path(_) => delays.span,
        }),
    };
    // A rule is about arguments that are written, so this is only for the compiler.
    span.unwrap_or_else(Span::call_site)
}

#[cfg(test)]
mod tests;
