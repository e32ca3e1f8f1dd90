//! The three macros, on the tokens of `proc_macro2`, which also exist outside the compiler: `tests/fuzz` calls them.

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::check::{check, check_of_block};
use crate::args::model::Arguments;
use crate::codegen::expand::{expand, expand_block, expand_once};
use crate::errors::Errors;
use crate::input::block::{self, Block};
use crate::input::function::Function;

/// `#[retry]`.
pub(crate) fn retry(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = expand_retry(arguments, item.clone());
    // After an error the function is emitted unchanged. Otherwise each call would be a second error about a function that does
    // not exist, and an editor would lose completion in its body.
    expanded.unwrap_or_else(|errors| [errors.into_compile_error(), item].into_iter().collect())
}

pub(crate) fn expand_retry(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::new();
    let arguments = Arguments::read(arguments, &mut errors);
    let function = Function::read(item, &arguments, &mut errors);
    check(&arguments, function.as_ref().map(|function| &function.sig), &mut errors);
    errors.finish()?;
    Ok(function.map(|function| expand(&arguments, &function)).unwrap_or_default())
}

/// `retrying!`.
pub(crate) fn retrying(input: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let (mut arguments, item) = Arguments::read_before(input.clone(), block::starts, &mut errors);
    let block = Block::read(item.clone(), &mut arguments, &mut errors);
    check_of_block(&arguments, &mut errors);
    match (errors.finish(), &block) {
        (Ok(()), Some(block)) => expand_block(&arguments, block),
        // A block that is missing is an error, so this is only for the compiler.
        (Ok(()), None) => TokenStream::new(),
        // One attempt, so that the code around it has the types that it will have.
        (Err(errors), Some(block)) => {
            let (errors, once) = (errors.into_compile_error(), expand_once(&arguments, block));
            quote!({ #errors #once })
        }
        // `compile_error!` is a value of any type. The user's code is kept for editors.
        (Err(errors), None) => {
            let errors = errors.into_compile_error();
            let kept = block::unread(item, input).map(|code| quote!(let _ = #code;));
            quote!({ #kept #errors })
        }
    }
}

/// `#[derive(Retryable)]`.
pub(crate) fn derive(item: TokenStream) -> TokenStream {
    crate::derive::derive(item).unwrap_or_else(syn::Error::into_compile_error)
}
