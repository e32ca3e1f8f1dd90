//! Reads a body that is exactly one `async` block, bare or in `Box::pin(…)`. `#[async_trait]` writes such bodies, and people write
//! them in functions that return `impl Future`.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, GenericArgument, Path, PathArguments, PathSegment, ReturnType, Token, Type, TypeParamBound};

/// Input:
///
/// ```text
/// #![inner]
/// Box::pin(async move {
///     let __self = self;
///     let __ret: Output = { BODY };
///     __ret
/// })
/// ```
///
/// Output: `before` is `#![inner] Box::pin`, `prologue` is `let __self = self;`, `body` is `{ BODY }`. In a block that
/// `#[async_trait]` did not write, `body` is the whole block.
pub(crate) struct FutureBody {
    /// The tokens before the block, or before the parentheses around it.
    pub before: TokenStream,
    /// The parentheses of `Box::pin(…)`, with the block inside.
    pub parens: Option<Group>,
    pub async_token: Ident,
    pub move_token: Option<Ident>,
    /// The braces of the whole `async` block.
    pub block: Group,
    /// Runs once. It moves arguments, which a second attempt could not repeat.
    pub prologue: TokenStream,
    /// Runs at each attempt.
    pub body: Group,
    /// The output of the future, if the return type names it.
    pub output: Option<Type>,
    /// `Out` in `-> Out`, if the return type is a path that does not name it: an alias of a future.
    pub alias: Option<Type>,
}

impl FutureBody {
    /// A block that is not in a function, with the output that is written for it.
    pub(crate) fn of_block(async_token: Ident, move_token: Option<Ident>, block: Group, output: &ReturnType) -> Self {
        let (before, prologue, body) = (TokenStream::new(), TokenStream::new(), block.clone());
        let output = match output {
            ReturnType::Type(_, ty) => Some((**ty).clone()),
            ReturnType::Default => None,
        };
        FutureBody { before, parens: None, async_token, move_token, block, prologue, body, output, alias: None }
    }

    /// Returns `None` for any other body.
    pub(crate) fn read(body: &Group, returned: &ReturnType) -> Option<Self> {
        let trees = visible(body.stream());
        let code = after_inner_attributes(&trees);
        let attributes = &trees[..trees.len() - code.len()];
        let code = visible(code.iter().cloned().collect());
        if let Some(block) = AsyncBlock::read(&code) {
            return Some(block.into_future_body(attributes, &[], None, returned));
        }
        let [path @ .., TokenTree::Group(parens)] = code.as_slice() else {
            return None;
        };
        let block = AsyncBlock::read(&inside_parens(parens)?).filter(|_| is_box_pin(path))?;
        Some(block.into_future_body(attributes, path, Some(parens), returned))
    }

    /// The same body with other content in its `async` block.
    pub(crate) fn wrap(&self, content: TokenStream) -> TokenStream {
        let FutureBody { before, async_token, move_token, .. } = self;
        let block = same_delimiters(&self.block, content);
        let future = quote!(#async_token #move_token #block);
        let future = match &self.parens {
            Some(parens) => same_delimiters(parens, future).into_token_stream(),
            None => future,
        };
        quote!(#before #future)
    }
}

struct AsyncBlock {
    async_token: Ident,
    move_token: Option<Ident>,
    block: Group,
}

impl AsyncBlock {
    fn read(code: &[TokenTree]) -> Option<Self> {
        let (async_token, move_token, block) = match code {
            [TokenTree::Ident(async_token), block] => (async_token, None, block),
            [TokenTree::Ident(async_token), TokenTree::Ident(word), block] if word == "move" => {
                (async_token, Some(word.clone()), block)
            }
            _ => return None,
        };
        let block = braces(block).filter(|_| async_token == "async")?;
        Some(AsyncBlock { async_token: async_token.clone(), move_token, block })
    }

    fn into_future_body(
        self,
        attributes: &[TokenTree],
        path: &[TokenTree],
        parens: Option<&Group>,
        returned: &ReturnType,
    ) -> FutureBody {
        let AsyncBlock { async_token, move_token, block } = self;
        let before = attributes.iter().chain(path).cloned().collect();
        let parens = parens.cloned();
        let made = made_by_async_trait(&block);
        let alias = made.is_none().then(|| alias_of_future(returned)).flatten().cloned();
        let (prologue, output, body) = made.unwrap_or_else(|| {
            let declared = declared_output(returned).flatten().cloned();
            (TokenStream::new(), declared, block.clone())
        });
        FutureBody { before, parens, async_token, move_token, block, prologue, body, output, alias }
    }
}

/// Input, see <https://github.com/dtolnay/async-trait/blob/master/src/expand.rs>:
///
/// ```text
/// let __self = self;
/// let __ret: Output = { BODY };
/// __ret
/// ```
///
/// Output: `let __self = self;`, `Output`, `{ BODY }`.
fn made_by_async_trait(block: &Group) -> Option<(TokenStream, Option<Type>, Group)> {
    let trees: Vec<TokenTree> = block.stream().into_iter().collect();
    let place = trees.windows(3).position(is_let_ret)?;
    let declaration = trees[place + 3..].iter().cloned().collect();
    let (output, body) = declared_body.parse2(declaration).ok()?;
    Some((trees[..place].iter().cloned().collect(), Some(output), body))
}

fn is_let_ret(trees: &[TokenTree]) -> bool {
    match trees {
        [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(colon)] => {
            word == "let" && name == "__ret" && colon.as_char() == ':'
        }
        _ => false,
    }
}

/// Reads `Output = { BODY }; #[allow(unreachable_code)] __ret`.
fn declared_body(input: ParseStream) -> syn::Result<(Type, Group)> {
    let output = input.parse()?;
    input.parse::<Token![=]>()?;
    let body = braces(&input.parse()?).ok_or_else(|| input.error("expected a block"))?;
    input.parse::<Token![;]>()?;
    input.call(Attribute::parse_outer)?;
    let name: Ident = input.parse()?;
    if name != "__ret" {
        return Err(input.error("expected `__ret`"));
    }
    Ok((output, body))
}

/// The output of the future that a function returns: `None` if the return type cannot be recognized as a future, and
/// `Some(None)` if it does not name its output.
pub(crate) fn declared_output(returned: &ReturnType) -> Option<Option<&Type>> {
    match returned {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => output_of(ty),
    }
}

/// A return type that may be an alias of a future.
fn alias_of_future(returned: &ReturnType) -> Option<&Type> {
    match returned {
        ReturnType::Type(_, ty) if declared_output(returned).is_none() => path(ty),
        _ => None,
    }
}

fn path(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Group(group) => path(&group.elem),
        Type::Paren(paren) => path(&paren.elem),
        Type::Path(_) => Some(ty),
        _ => None,
    }
}

fn output_of(ty: &Type) -> Option<Option<&Type>> {
    match ty {
        Type::Group(group) => output_of(&group.elem),
        Type::Paren(paren) => output_of(&paren.elem),
        Type::ImplTrait(ty) => ty.bounds.iter().find_map(output_of_bound),
        Type::TraitObject(ty) => ty.bounds.iter().find_map(output_of_bound),
        Type::Path(ty) => output_of_path(ty.path.segments.last()?),
        _ => None,
    }
}

/// `Pin<Box<dyn Future<Output = T>>>`, or an alias such as futures' `BoxFuture<'_, T>`.
fn output_of_path(segment: &PathSegment) -> Option<Option<&Type>> {
    let first = arguments(segment).find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    match segment.ident.to_string().as_str() {
        "Pin" | "Box" => output_of(first?),
        "BoxFuture" | "LocalBoxFuture" => Some(first),
        _ => None,
    }
}

/// `Future<Output = T>`
fn output_of_bound(bound: &TypeParamBound) -> Option<Option<&Type>> {
    let TypeParamBound::Trait(bound) = bound else {
        return None;
    };
    let segment = bound.path.segments.last().filter(|segment| segment.ident == "Future")?;
    Some(arguments(segment).find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
        _ => None,
    }))
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &GenericArgument> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten()
}

/// The group in braces. A `$body:block` of `macro_rules!` arrives inside a group with invisible delimiters.
pub(crate) fn braces(tree: &TokenTree) -> Option<Group> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group.clone()),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => match visible(group.stream()).as_slice() {
            [only] => braces(only),
            _ => None,
        },
        _ => None,
    }
}

/// The token trees, without groups with invisible delimiters around all of them.
fn visible(stream: TokenStream) -> Vec<TokenTree> {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => visible(group.stream()),
        _ => trees,
    }
}

pub(crate) fn after_inner_attributes(mut trees: &[TokenTree]) -> &[TokenTree] {
    while let [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(_), rest @ ..] = trees {
        if hash.as_char() != '#' || bang.as_char() != '!' {
            break;
        }
        trees = rest;
    }
    trees
}

/// The tokens in the parentheses, without a trailing comma.
fn inside_parens(parens: &Group) -> Option<Vec<TokenTree>> {
    if parens.delimiter() != Delimiter::Parenthesis {
        return None;
    }
    let mut trees = visible(parens.stream());
    if matches!(trees.last(), Some(TokenTree::Punct(comma)) if comma.as_char() == ',') {
        trees.pop();
    }
    Some(trees)
}

fn is_box_pin(path: &[TokenTree]) -> bool {
    let path = Path::parse_mod_style.parse2(path.iter().cloned().collect());
    let names: Vec<String> =
        path.iter().flat_map(|path| &path.segments).map(|segment| segment.ident.to_string()).collect();
    matches!(names.as_slice(), [.., owner, function] if owner == "Box" && function == "pin")
}

/// A group with the delimiters and the span of another one.
///
/// Reusing the span of the user's braces keeps the positions of errors about the whole body, and the edition of the body.
pub(crate) fn same_delimiters(model: &Group, content: TokenStream) -> Group {
    let mut group = Group::new(model.delimiter(), content);
    group.set_span(model.span());
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    fn braced(body: TokenStream) -> Group {
        Group::new(Delimiter::Brace, body)
    }

    #[test]
    fn bodies_other_than_one_block_are_refused() {
        for body in [
            quote!(async { x }.boxed()),
            quote!(async { x };),
            quote!(Box::new(async { x })),
            quote!(pin(async { x })),
            quote!(Mine::pin(async { x })),
            quote!(Box::pin(future)),
            quote!(Box::pin(async { x }, 2)),
            quote!(let a = 1; async { a }),
            quote!(),
        ] {
            let body = braced(body);
            assert!(FutureBody::read(&body, &ReturnType::Default).is_none(), "{body}");
        }
    }

    #[test]
    fn wrapping_restores_the_body() {
        for body in [
            quote!(async { x }),
            quote!(#![allow(a)] #![allow(b)] async move { x }),
            quote!(std::boxed::Box::pin(async move { x })),
        ] {
            let group = braced(body.clone());
            let future = FutureBody::read(&group, &ReturnType::Default).unwrap();
            assert_eq!(future.wrap(quote!(x)).to_string(), body.to_string());
        }
        let block = Group::new(Delimiter::None, quote!(async { x }));
        let group = braced(quote!(Box::pin(#block)));
        assert!(FutureBody::read(&group, &ReturnType::Default).is_some());
    }
}
