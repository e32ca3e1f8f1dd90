//! The rules about names of the function's arguments.

use proc_macro2::Ident;
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, PatIdent, Signature};

use crate::arguments::Arguments;
use crate::errors::Errors;
use crate::suggest::suggest;

/// `clone` names arguments of the function, each once.
pub(super) fn clones_are_parameters(arguments: &Arguments, parameters: &Parameters, errors: &mut Errors) {
    let Some(clone) = &arguments.clone else {
        return;
    };
    if clone.value.is_empty() {
        errors.at(clone.span, "`clone` is empty: name an argument of this function");
    }
    for (index, name) in clone.value.iter().enumerate() {
        if name == "self" {
            errors.at(name.span(), "`self` cannot be replaced by a clone: write `self.clone()` where it is consumed");
        } else if clone.value[..index].contains(name) {
            errors.at(name.span(), format_args!("`{name}` is given twice: keep one of them"));
        } else if !parameters.0.contains(name) {
            errors.at(name.span(), parameters.unknown(name));
        }
    }
}

/// `bind` does not hide an argument.
pub(super) fn bound_name_is_free(arguments: &Arguments, parameters: &Parameters, errors: &mut Errors) {
    if let Some(bind) = arguments.bind.as_ref().filter(|bind| parameters.0.contains(&bind.value)) {
        let name = &bind.value;
        errors.at(bind.span, format_args!("`{name}` is an argument of this function too: choose another name"));
    }
}

/// The names that the parameters bind.
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
            return "this function has no argument that could be cloned: remove `clone`".to_owned();
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
