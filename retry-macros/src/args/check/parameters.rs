//! The rules about the arguments of the function.

use proc_macro2::Ident;
use retry_spec::suggest::suggest;
use syn::visit_mut::{self, VisitMut};
use syn::{ExprPath, FnArg, PatIdent, Signature};

use crate::args::model::{Arg, Arguments, Attempts, Backoff, Delays, Given, RetryAfter};
use crate::errors::Errors;

/// `clone` names arguments of the function, each once.
pub(super) fn clones_are_parameters(arguments: &Arguments, parameters: &Parameters, errors: &mut Errors) {
    let unknown = |name: &Ident| (!parameters.0.contains(name)).then(|| parameters.unknown(name));
    clones_are_named_once(arguments, "an argument of this function", unknown, errors);
}

/// `clone` names one or more of these, each once. `unknown` is the message for a name that is none of them.
pub(super) fn clones_are_named_once(
    arguments: &Arguments,
    of: &str,
    unknown: impl Fn(&Ident) -> Option<String>,
    errors: &mut Errors,
) {
    let Some(clone) = &arguments.clone else {
        return;
    };
    if clone.value.is_empty() {
        errors.at(clone.span, format_args!("`clone` is empty: name {of}"));
    }
    for (index, name) in clone.value.iter().enumerate() {
        if name == "self" {
            errors.at(name.span(), "`self` cannot be replaced by a clone: write `self.clone()` in the body");
        } else if clone.value[..index].contains(name) {
            errors.at(name.span(), format_args!("`{name}` is given twice: keep one of them"));
        } else if let Some(message) = unknown(name) {
            errors.at(name.span(), message);
        }
    }
}

/// `bind` does not shadow an argument.
pub(super) fn bound_name_is_free(arguments: &Arguments, parameters: &Parameters, errors: &mut Errors) {
    if let Some(bind) = arguments.bind.as_ref().filter(|bind| parameters.0.contains(&bind.value)) {
        let name = &bind.value;
        errors.at(bind.span, format_args!("`{name}` is also an argument of this function: choose another name"));
    }
}

/// A constant or a `static` cannot be an argument of the function.
pub(super) fn constants_are_not_parameters(arguments: &Arguments, parameters: &Parameters, errors: &mut Errors) {
    for (key, path) in constants(arguments) {
        let Some(name) = path.path.get_ident().filter(|name| parameters.0.contains(name)) else {
            continue;
        };
        let (kind, right) = match key.to_string().as_str() {
            "hedge" | "hedge_max" | "name" => ("constant", "write a literal or the path of a constant"),
            _ => ("constant", "use `policy` for a value that is known only at run time"),
        };
        let message = format!("`{key}` takes a {kind}, and `{name}` is an argument of this function: {right}");
        errors.at(name.span(), message);
    }
}

/// The arguments whose value is the path of a constant, of a `static`, or of a function that a constant holds.
fn constants(arguments: &Arguments) -> impl Iterator<Item = (&Ident, &ExprPath)> {
    let Arguments { attempts, backoff, delays, retry_after, random_source, .. } = arguments;
    let attempts = attempts.iter().filter_map(|Arg { key, value, .. }| match value {
        Attempts::Path(path) => Some((key, path)),
        _ => None,
    });
    let backoff = backoff.iter().filter_map(|Arg { key, value, .. }| match value {
        Backoff::Function(path) => Some((key, path)),
        _ => None,
    });
    let delays = delays.iter().filter_map(|Arg { key, value, .. }| match value {
        Delays::Path(path) => Some((key, path)),
        Delays::List(_) => None,
    });
    let retry_after = retry_after.iter().filter_map(|Arg { key, value, .. }| match value {
        RetryAfter::AtMost(Given::Path(path)) => Some((key, path)),
        _ => None,
    });
    let paths = random_source.iter().map(|Arg { key, value, .. }| (key, value));
    attempts.chain(backoff).chain(delays).chain(retry_after).chain(paths).chain(given_constants(arguments))
}

/// The arguments whose value is a literal or the path of a constant, if it is a path.
fn given_constants(arguments: &Arguments) -> impl Iterator<Item = (&Ident, &ExprPath)> {
    fn given<T>(argument: &Option<Arg<Given<T>>>) -> Option<(&Ident, &ExprPath)> {
        match argument {
            Some(Arg { key, value: Given::Path(path), .. }) => Some((key, path)),
            _ => None,
        }
    }
    let Arguments { start, max_delay, deadline, attempt_timeout, drain_timeout, hedge, .. } = arguments;
    let durations = [start, max_delay, deadline, attempt_timeout, drain_timeout, hedge].map(given);
    let others =
        [given(&arguments.factor), given(&arguments.drain_limit), given(&arguments.hedge_max), given(&arguments.name)];
    durations.into_iter().chain(others).flatten()
}

/// The names that the function's arguments bind.
#[derive(Default)]
pub(super) struct Parameters(Vec<Ident>);

impl Parameters {
    pub(super) fn of(sig: &Signature) -> Self {
        let mut parameters = Parameters::default();
        for input in &sig.inputs {
            if let FnArg::Typed(parameter) = input {
                parameters.visit_pat_mut(&mut parameter.pat.as_ref().clone());
            }
        }
        parameters
    }

    fn unknown(&self, name: &Ident) -> String {
        let names: Vec<String> = self.0.iter().map(Ident::to_string).collect();
        if names.is_empty() {
            return "this function has no argument to clone: remove `clone`".to_owned();
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("this function has no argument `{name}`: {}", suggest(&name.to_string(), &names))
    }
}

impl VisitMut for Parameters {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        self.0.push(pattern.ident.clone());
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}
