use quote::quote;
use retry_spec::key::{Key, Kind};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, File, Macro, PatIdent, Token};

use proc_macro2::{TokenStream, TokenTree};

/// The names that patterns bind, inside the arguments of macros too.
#[derive(Default)]
struct Bindings(Vec<String>);

impl VisitMut for Bindings {
    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        self.0.push(pattern.ident.to_string());
        visit_mut::visit_pat_ident_mut(self, pattern);
    }

    fn visit_macro_mut(&mut self, called: &mut Macro) {
        // `blocking` and the block after it do not parse as one expression.
        let blocking = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "blocking");
        let tokens = called.tokens.clone().into_iter().filter(|tree| !blocking(tree)).collect();
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens);
        arguments
            .expect("generated macro calls take expressions")
            .iter_mut()
            .for_each(|expr| self.visit_expr_mut(expr));
    }
}

/// A unit struct, a constant or a static of the same name would turn the binding into a pattern that is compared with.
#[track_caller]
fn assert_prefixed(generated: TokenStream, of_the_user: &[&str]) {
    let mut file: File = syn::parse2(generated).unwrap();
    let mut bindings = Bindings::default();
    bindings.visit_file_mut(&mut file);
    bindings.0.retain(|name| !of_the_user.contains(&name.as_str()));
    assert!(!bindings.0.is_empty());
    for name in bindings.0 {
        assert!(name.starts_with("__retry_"), "`{name}` may be the name of a constant of the user's");
    }
}

#[test]
fn every_binding_of_an_annotated_function_has_the_prefix() {
    let common = quote!(
        on_error = is_busy,
        on_ok = is_empty,
        server_delay = wait,
        breaker = B,
        bind = attempt,
        clone = [id],
        observer = OBSERVER,
        on_status = [503]
    );
    for arguments in [
        quote!(),
        quote!(deadline = "30s", budget = A, nested = "once", hedge = "50ms", hedge_max = 3, sleep = sleep, #common),
        quote!(attempts = 5, backoff = own, jitter = "full", random_source = random, attempt_timeout = "1s", #common),
        quote!(delays = ["1s", DELAY], retry_after = "2m", drain_limit = 0, name = "load", crate = facade, #common),
        quote!(policy = POLICY, #common),
    ] {
        let function = quote!(
            async fn load(id: u32) -> Result<u32, E> {
                other(id).await
            }
        );
        assert_prefixed(crate::entry::expand_retry(arguments.clone(), function).unwrap(), &["id", "attempt"]);
        let returned = quote!(
            fn load(id: u32) -> impl Future<Output = Result<u32, E>> {
                async move { Ok(id) }
            }
        );
        assert_prefixed(crate::entry::expand_retry(arguments, returned).unwrap(), &["id", "attempt"]);
    }
    let common =
        quote!(on_error = is_busy, on_ok = is_empty, breaker = B, bind = attempt, clone = [id], policy = POLICY);
    let function = quote!(
        fn load(id: u32) -> Result<u32, E> {
            other(id)
        }
    );
    assert_prefixed(
        crate::entry::expand_retry(quote!(blocking, sleep = sleep, #common), function).unwrap(),
        &["id", "attempt"],
    );
}

#[test]
fn every_binding_of_a_block_has_the_prefix() {
    let common = quote!(on_error = is_busy, on_ok = is_empty, server_delay = wait, clone = [id], observer = OBSERVER);
    for input in [
        quote!(async move { other(id).await }),
        quote!(#common, deadline = "30s", breaker = B, async |attempt| { other(id).await }),
        quote!(#common, policy = POLICY, async || -> Result<u32, E> { other(id).await }),
        quote!(#common, policy = POLICY, bind = attempt, async { other(id).await }),
        quote!(#common, hedge = "50ms", async { other(id).await }),
        quote!(#common, blocking, policy = POLICY, |attempt| other(id)),
    ] {
        let expanded = crate::entry::retrying(input);
        assert_prefixed(quote!(async fn f() { #expanded }), &["id", "attempt"]);
    }
}

#[test]
fn every_binding_of_a_derived_implementation_has_the_prefix() {
    let item = quote! {
        enum E {
            #[retryable(transient, server_delay = wait)] Busy { wait: Duration },
            #[retryable(status = 0, server_delay = 1)] Refused(u16, Option<Duration>),
            #[retryable(source)] Io(io::Error),
        }
    };
    assert_prefixed(crate::derive::derive(item).unwrap(), &[]);
}

#[test]
fn every_argument_changes_the_generated_code() {
    let expand = |arguments: &str| {
        // Public and without documentation, so that the section "Retries" is not part of it.
        let function = quote!(
            pub async fn load(argument: u32) -> Result<u32, E> {
                other(argument).await
            }
        );
        crate::entry::expand_retry(arguments.parse().unwrap(), function).unwrap().to_string()
    };
    for key in Key::ALL.iter().filter(|key| key.row().kind != Kind::Flag) {
        let others = if *key == Key::HedgeMax { "hedge = \"50ms\"," } else { "" };
        let changes = expand(&format!("{others} {}", key.example())) != expand(others);
        assert!(changes, "`{key}` has no effect: write it in `codegen`, such as in `policy.rs`");
    }
}
