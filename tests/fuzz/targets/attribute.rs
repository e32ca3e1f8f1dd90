//! The attribute, `retrying!` and the derive macro, on any tokens and on mutations of valid ones.
//!
//! A procedural macro cannot be linked, so its modules are part of this program. Outside the compiler, `proc_macro2` has tokens of its own.
#![cfg_attr(feature = "libfuzzer", no_main)]
#![allow(dead_code, clippy::large_enum_variant, reason = "the modules are written for another crate")]

use std::ops::Range;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree, extra};
use retry_fuzz::{Input, text};
use retry_spec::key::Key;

#[path = "../../../retry-macros/src/args/mod.rs"]
mod args;
#[path = "../../../retry-macros/src/codegen/mod.rs"]
mod codegen;
#[path = "../../../retry-macros/src/derive/mod.rs"]
mod derive;
#[path = "../../../retry-macros/src/entry.rs"]
mod entry;
#[path = "../../../retry-macros/src/errors.rs"]
mod errors;
#[path = "../../../retry-macros/src/input/mod.rs"]
mod input;

retry_fuzz::target!(attribute);

fn attribute(bytes: &[u8]) {
    // The positions of all tokens are kept until then.
    extra::invalidate_current_thread_spans();
    let mut input = Input::new(bytes);
    match input.up_to(3) {
        0 => any_tokens(&text(input.rest())),
        1 => annotated(&mut input),
        2 => block(&mut input),
        _ => derived(&mut input),
    }
}

const MARK: &str = "\"mark of the body\"";

const FUNCTIONS: &[&str] = &[
    r#"async fn load(id: u32, mut list: Vec<u8>) -> Result<String, Error> { get("mark of the body", id).await }"#,
    r#"pub async fn load<T: Clone>(&mut self, value: &T) -> Result<T, Box<dyn Error>> where T: Send { let text = "mark of the body"; Ok(self.get(text)?) }"#,
    r#"fn load(path: &Path) -> std::io::Result<String> { std::fs::read_to_string(path.join("mark of the body")) }"#,
    r#"fn load<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>> { Box::pin(async move { self.get("mark of the body").await }) }"#,
    r#"fn load(url: String) -> impl Future<Output = reqwest::Result<Response>> { async move { get(url, "mark of the body").await } }"#,
    r#"#[doc = "text"] unsafe extern "C" fn load(self, (a, b): (u8, u8)) -> Option<u8> { #![allow(unused)] const { "mark of the body" } }"#,
    r#"async fn load() -> StatusCode { loop { break "mark of the body" } }"#,
    r#"async fn load(&self) -> Result<(), Error>;"#,
    r#"struct Load { mark: [u8; "mark of the body".len()] }"#,
];

const BLOCKS: &[&str] = &[
    r#"async { get("mark of the body").await }"#,
    r#"async move { get("mark of the body").await }"#,
    r#"async |attempt| -> Result<Row, Error> { get("mark of the body", attempt).await }"#,
    r#"async move |_| get("mark of the body").await"#,
    r#"|| read("mark of the body")"#,
    r#"move |attempt| -> std::io::Result<u32> { read("mark of the body", attempt) }"#,
    r#"{ get("mark of the body") }"#,
    r#"get("mark of the body")"#,
];

const TYPES: &[&str] = &[
    "enum E { #[retryable(transient, server_delay = wait)] Busy { wait: Duration }, #[retryable(status = 0)] Refused(u16), #[retryable(source)] Transport(reqwest::Error), Other }",
    "#[retryable(permanent)] struct E<'a, T: Display>(&'a T) where T: Send;",
    "#[retryable(status = status, server_delay = delay)] #[retryable(crate = facade)] struct E { status: u16, delay: Option<Duration> }",
    "#[retryable(source = 1)] struct E(String, Box<dyn Error>);",
    "union E { #[retryable(transient)] a: u8 }",
    "enum E { #[retryable(source)] A(#[from] X), #[retryable(permanent)] B {}, #[retryable(transient, source)] C(T) }",
];

/// Tokens that an argument may have by mistake.
const ODD: &[&str] = &[
    "attempts",
    "=",
    ",",
    "3",
    "0",
    "-1",
    "1.5",
    "\"1s\"",
    "\"1\"",
    "\"\"",
    "|x| x",
    "[",
    "503",
    "[]",
    "{}",
    "()",
    "async",
    "move",
    "=>",
    "::",
    "#",
    "'a",
    "policy",
    "blocking",
    "r#type",
    "500..=599",
    "\"5xx\"",
    "fn",
    "self",
    "&",
    "|",
    "!",
    "\"unlimited\"",
    "max_retries",
    "99999999999999999999",
    "0x1",
    "1e3",
    ";",
    "true",
];

/// Arguments and an item, separated by `=>`.
fn any_tokens(text: &str) {
    let (arguments, item) = text.split_once("=>").unwrap_or((text, ""));
    let (Ok(arguments), Ok(item)) = (arguments.parse::<TokenStream>(), item.parse::<TokenStream>()) else { return };
    has_function(&item, entry::retry(arguments.clone(), item.clone()));
    has_function(&TokenStream::new(), entry::retrying(arguments.clone()));
    entry::derive(arguments);
}

/// `#[retry(ARGUMENTS)] FUNCTION`
fn annotated(input: &mut Input<'_>) {
    let (mutates_item, mutates_arguments) = (input.one_in(4), input.any());
    let mut item: TokenStream = input.one_of(FUNCTIONS).parse().unwrap();
    let mut arguments: TokenStream = arguments(input).parse().unwrap();
    if mutates_arguments {
        arguments = mutated(arguments, input);
    }
    if mutates_item {
        item = mutated(item, input);
    }
    let output = entry::retry(arguments, item.clone());
    has_function(&item, output);
}

/// `retrying!(ARGUMENTS, BLOCK)`
fn block(input: &mut Input<'_>) {
    let (mutates, kind) = (input.any::<bool>(), input.one_of(BLOCKS));
    let arguments = arguments(input);
    let separator = if arguments.is_empty() { "" } else { "," };
    let mut tokens: TokenStream = format!("{arguments}{separator} {kind}").parse().unwrap();
    if mutates {
        tokens = mutated(tokens, input);
    }
    let output = entry::retrying(tokens.clone());
    if !mutates {
        assert!(output.to_string().contains(MARK), "the block is lost: {tokens} gives {output}");
        assert!(syn::parse2::<syn::Expr>(output.clone()).is_ok(), "no expression: {tokens} gives {output}");
    }
    errors_are_in_the_input(&output);
}

fn derived(input: &mut Input<'_>) {
    let mutates = input.any();
    let mut item: TokenStream = input.one_of(TYPES).parse().unwrap();
    if mutates {
        item = mutated(item, input);
    }
    let output = entry::derive(item.clone());
    errors_are_in_the_input(&output);
    assert!(syn::parse2::<syn::File>(output.clone()).is_ok(), "no items: {item} gives {output}");
    if matches!(syn::parse2(item.clone()), Ok(syn::Item::Struct(_) | syn::Item::Enum(_))) {
        assert!(output.to_string().contains("Retryable for"), "no implementation: {item} gives {output}");
    }
}

/// Arguments with values of their own kind, most of them right.
fn arguments(input: &mut Input<'_>) -> String {
    let mut arguments = Vec::new();
    for _ in 0..input.up_to(5) {
        let key = input.pick(Key::ALL);
        let value = match input.up_to(7) {
            0 => input.one_of(ODD).to_owned().replace(['[', '#'], ""),
            1 => input.pick(Key::ALL).row().example.to_owned(),
            _ => key.row().example.to_owned(),
        };
        arguments.push(if value.is_empty() { key.name().to_owned() } else { format!("{} = {value}", key.name()) });
    }
    // An example may be an incomplete expression.
    let text = arguments.join(", ");
    if text.parse::<TokenStream>().is_ok() { text } else { String::new() }
}

/// Removes, doubles, replaces or inserts a tree, at any depth.
fn mutated(tokens: TokenStream, input: &mut Input<'_>) -> TokenStream {
    let mut trees: Vec<TokenTree> = tokens.into_iter().collect();
    for _ in 0..=input.up_to(2) {
        if trees.is_empty() {
            break;
        }
        let at = input.up_to(trees.len() - 1);
        match (input.up_to(6), trees[at].clone()) {
            (0..=2, TokenTree::Group(group)) => {
                let inside = mutated(group.stream(), input);
                let mut changed = Group::new(delimiter(&group, input), inside);
                changed.set_span(group.span());
                trees[at] = changed.into();
            }
            (0 | 1, _) => drop(trees.remove(at)),
            (2 | 3, tree) => trees.insert(at, tree),
            (4, tree) => trees.push(tree),
            _ => {
                let odd = input.one_of(ODD).parse::<TokenStream>().unwrap_or_default();
                trees.splice(at..=at, odd);
            }
        }
    }
    trees.into_iter().collect()
}

/// An invisible group is what a variable of `macro_rules!` becomes.
fn delimiter(group: &Group, input: &mut Input<'_>) -> Delimiter {
    match input.up_to(15) {
        0 => Delimiter::None,
        1 => Delimiter::Brace,
        2 => Delimiter::Bracket,
        _ => group.delimiter(),
    }
}

/// The output has the function, changed or, after an error, as it is.
#[track_caller]
fn has_function(item: &TokenStream, output: TokenStream) {
    errors_are_in_the_input(&output);
    let (item_text, text) = (item.to_string(), output.to_string());
    if text.contains("compile_error !") {
        assert!(text.ends_with(&item_text), "the function is lost: {item_text} gives {text}");
        return;
    }
    assert!(!item_text.contains(MARK) || text.contains(MARK), "the body is lost: {item_text} gives {text}");
    let Ok(syn::Item::Fn(function)) = syn::parse2(item.clone()) else { return };
    match syn::parse2::<syn::File>(output) {
        Ok(file) => {
            let kept = |item: &syn::Item| matches!(item, syn::Item::Fn(other) if other.sig.ident == function.sig.ident);
            assert!(file.items.iter().any(kept), "no function: {text}");
        }
        Err(error) => panic!("{error}: {item_text} gives {text}"),
    }
}

/// Each `compile_error!` has a message, and is at tokens of the input or at the macro itself.
fn errors_are_in_the_input(output: &TokenStream) {
    let mut after_name = false;
    for tree in output.clone() {
        match &tree {
            TokenTree::Group(group) if after_name => {
                let message = group.stream().to_string();
                assert!(message.len() > 2, "an error without a message: {output}");
                let Range { start, end } = group.span().byte_range();
                let source = group.span().source_text();
                assert!(start <= end && (source.is_some() || (start, end) == (0, 0)), "{message} is at {start}..{end}");
            }
            TokenTree::Group(group) => errors_are_in_the_input(&group.stream()),
            _ => {}
        }
        let is_bang = matches!(&tree, TokenTree::Punct(bang) if bang.as_char() == '!');
        after_name = matches!(&tree, TokenTree::Ident(name) if name == "compile_error") || after_name && is_bang;
    }
}
