//! Reads a body that is exactly one `EXPRESSION.await`, which needs no `async` block of its own.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, PatIdent, ReceiverKind, Signature, Type};

/// Input: `{ client.get(url).send().await }`. Output: `client.get(url).send()`.
pub(crate) struct SingleAwait {
    pub future: TokenStream,
}

impl SingleAwait {
    /// Returns `None` for any other body, for a body that would mean something else without the `async` block around it, and for a
    /// body that may consume an argument: rustc's error about that needs the block to give good advice.
    pub(crate) fn read(code: TokenStream, sig: &Signature) -> Option<Self> {
        let trees: Vec<TokenTree> = code.into_iter().collect();
        let [future @ .., TokenTree::Punct(dot), TokenTree::Ident(await_token)] = trees.as_slice() else {
            return None;
        };
        let is_awaited = dot.as_char() == '.' && await_token == "await";
        let is_read = is_awaited && is_operand(future) && !may_consume(future, &Owned::of(sig));
        is_read.then(|| Self { future: future.iter().cloned().collect() })
    }

    /// The first token of the expression.
    pub(crate) fn start(&self) -> Span {
        self.future.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
    }
}

/// The names of the arguments that an attempt could consume: those whose type is neither a shared reference nor a primitive type.
struct Owned(Vec<Ident>);

impl Owned {
    fn of(sig: &Signature) -> Self {
        let mut owned = Self(Vec::new());
        for input in &sig.inputs {
            match input {
                FnArg::Typed(typed) if !is_copied(&typed.ty) => owned.visit_pat_mut(&mut typed.pat.clone()),
                FnArg::Receiver(receiver) if !matches!(receiver.kind, ReceiverKind::Reference(..)) => {
                    // `#[async_trait]` renames it.
                    owned.0.extend(["self", "__self"].map(|name| Ident::new(name, Span::call_site())));
                }
                _ => {}
            }
        }
        owned
    }
}

impl VisitMut for Owned {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        self.0.push(pattern.ident.clone());
        visit_mut::visit_pat_ident_mut(self, pattern);
    }
}

fn is_copied(ty: &Type) -> bool {
    const PRIMITIVES: [&str; 16] = [
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize",
    ];
    match ty {
        Type::Reference(reference) => reference.mutability.is_none(),
        Type::Path(path) => {
            path.path.get_ident().is_some_and(|ident| PRIMITIVES.iter().any(|primitive| ident == primitive))
        }
        _ => false,
    }
}

/// Returns `true` if one of these arguments is used without `&` in front of it.
fn may_consume(trees: &[TokenTree], owned: &Owned) -> bool {
    let is_borrowed = |at: usize| match at.checked_sub(1).map(|before| &trees[before]) {
        Some(TokenTree::Punct(punct)) => punct.as_char() == '&',
        Some(TokenTree::Ident(word)) => word == "mut",
        _ => false,
    };
    trees.iter().enumerate().any(|(at, tree)| match tree {
        TokenTree::Ident(ident) => owned.0.contains(ident) && !is_borrowed(at),
        TokenTree::Group(group) => may_consume(&group.stream().into_iter().collect::<Vec<_>>(), owned),
        _ => false,
    })
}

/// Returns `true` if the expression is one operand, as in `path::f::<T>(x).g[0]`, so that `.await` awaits all of it. Returns
/// `false` for anything unusual.
fn is_operand(trees: &[TokenTree]) -> bool {
    let mut rest = trees;
    while let [first, after @ ..] = rest {
        rest = match first {
            TokenTree::Ident(word) if is_name(word) => after,
            TokenTree::Literal(_) => after,
            TokenTree::Group(group) if is_plain_group(group) => after,
            TokenTree::Punct(dot) if dot.as_char() == '.' && dot.spacing() == Spacing::Alone => after,
            TokenTree::Punct(colon) if colon.as_char() == ':' => match after {
                [TokenTree::Punct(second), after @ ..] if second.as_char() == ':' => match after_generics(after) {
                    Some(after) => after,
                    None => return false,
                },
                _ => return false,
            },
            _ => return false,
        };
    }
    !trees.is_empty()
}

/// The tokens after `<…>`, or all tokens if they do not begin with it.
fn after_generics(trees: &[TokenTree]) -> Option<&[TokenTree]> {
    let mut depth = 0_usize;
    for (at, tree) in trees.iter().enumerate() {
        match tree {
            TokenTree::Punct(angle) if angle.as_char() == '<' => depth += 1,
            TokenTree::Punct(angle) if angle.as_char() == '>' && depth > 0 => depth -= 1,
            // The arrow of `fn() -> T` is not a bracket, and `-` appears in no other type.
            TokenTree::Punct(minus) if minus.as_char() == '-' => return None,
            other if depth > 0 && !stays_inside(other) => return None,
            _ => {}
        }
        if depth == 0 {
            let is_closed = matches!(tree, TokenTree::Punct(angle) if angle.as_char() == '>');
            return Some(&trees[if is_closed { at + 1 } else { at }..]);
        }
    }
    None
}

fn is_plain_group(group: &Group) -> bool {
    group.delimiter() != Delimiter::Brace && group.stream().into_iter().all(|tree| stays_inside(&tree))
}

/// Returns `false` for tokens that could leave the attempt, wait in it, or contain statements.
fn stays_inside(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Ident(word) => {
            !["await", "become", "break", "continue", "return", "yield"].iter().any(|keyword| word == keyword)
        }
        TokenTree::Punct(punct) => !['?', '!', ';', '#'].contains(&punct.as_char()),
        TokenTree::Group(group) => is_plain_group(group),
        TokenTree::Literal(_) => true,
    }
}

/// Returns `false` for keywords, except those that begin a path.
fn is_name(word: &Ident) -> bool {
    ["self", "Self", "super", "crate"].iter().any(|keyword| word == keyword)
        || syn::parse_str::<Ident>(&word.to_string()).is_ok()
}

#[cfg(test)]
mod tests;
