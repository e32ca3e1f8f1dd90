use quote::{ToTokens, quote};

use super::*;
use crate::args::parse::tests::messages;

fn read_under(attribute: TokenStream, item: TokenStream) -> (Option<Function>, Vec<String>) {
    let mut errors = Errors::new();
    let arguments = Arguments::read(attribute, &mut errors);
    let function = Function::read(item, &arguments, &mut errors);
    (function, messages(errors))
}

#[track_caller]
fn read(item: TokenStream) -> Function {
    let (function, messages) = read_under(quote!(), item);
    assert_eq!(messages, [""; 0]);
    function.unwrap()
}

#[track_caller]
fn future_body(item: TokenStream) -> FutureBody {
    match read(item).shape {
        Shape::Returned { future } => *future,
        _ => panic!("not a function that returns a future"),
    }
}

#[track_caller]
fn refused(item: TokenStream, message: &str) {
    assert_eq!(read_under(quote!(), item).1, [message]);
}

fn invisible(tokens: TokenStream) -> TokenTree {
    Group::new(Delimiter::None, tokens).into()
}

fn text(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string()
}

#[test]
fn printing_the_parts_restores_the_function() {
    for item in [
        quote!(async fn f() -> R<u32> { #![allow(dead_code)] not even rust }),
        quote!(
            #[a]
            #[doc = "b"]
            pub(in crate::c) async unsafe extern "C" fn f<'a, T: ?Sized>(
                mut self: Arc<Self>,
                #[cfg(x)] (a, _): (u8, T),
            ) -> R<&'a T>
            where
                T: Copy,
            {
                x
            }
        ),
        quote!(default async fn r#type(&mut self) -> Result<(), E> { Ok(()) }),
    ] {
        let Function { attrs, vis, defaultness, sig, body, .. } = read(item.clone());
        assert_eq!(text(quote!(#(#attrs)* #vis #defaultness #sig #body)), item.to_string());
    }
}

#[test]
fn variables_of_macro_rules_are_read() {
    let (vis, body, ty) = (invisible(quote!(pub)), invisible(quote!({ Ok(1) })), invisible(quote!(Result<u8, E>)));
    let function = read(quote!(#vis async fn f() -> #ty #body));
    assert_eq!(text(&function.body), "{ Ok (1) }");
    let nothing = invisible(quote!());
    assert_eq!(text(read(quote!(#nothing async fn f() -> R { x })).body), "{ x }");
}

#[test]
fn other_items_are_refused() {
    for (item, keyword) in [
        (
            quote!(
                struct S;
            ),
            "struct",
        ),
        (
            quote!(
                pub enum E {}
            ),
            "enum",
        ),
        (
            quote!(
                type T = u8;
            ),
            "type",
        ),
        (
            quote!(
                const N: u8 = 1;
            ),
            "const",
        ),
        (
            quote!(
                static S: u8 = 1;
            ),
            "static",
        ),
        (
            quote!(
                extern "C" {}
            ),
            "extern",
        ),
        (
            quote!(
                macro_rules! m {
                    () => {};
                }
            ),
            "macro_rules",
        ),
    ] {
        refused(item, &format!("expected a function, found `{keyword}`"));
    }
    for (item, keyword) in [
        (quote!(impl T for S {}), "impl"),
        (
            quote!(
                unsafe impl T for S {}
            ),
            "impl",
        ),
        (
            quote!(
                pub trait T {}
            ),
            "trait",
        ),
        (
            quote!(
                mod m {}
            ),
            "mod",
        ),
    ] {
        refused(item, &format!("expected a function, found `{keyword}`: put `#[retry]` on the functions inside it"));
    }
    for item in [quote!(async || 3), quote!(async move { 3 }), quote!(3), quote!(), quote!(let x = 3;)] {
        refused(item, "expected a function");
    }
}

#[test]
fn functions_that_cannot_be_retried_are_refused() {
    refused(
        quote!(
            async fn f() -> R;
        ),
        "this function has no body to retry: put `#[retry]` on its implementation",
    );
    refused(
        quote!(
            const fn f() -> R {}
        ),
        "a `const fn` cannot wait for a retry: remove `const`",
    );
    refused(
        quote!(
            fn f() -> R {
                Ok(())
            }
        ),
        "the `async` keyword is missing: write `async fn`, or write `blocking` in `#[retry]` for a function that \
         blocks its thread",
    );
    refused(
        quote!(
            fn main() -> R {
                tokio::runtime::Builder::new_multi_thread().build().expect("x").block_on(body)
            }
        ),
        "the `async` keyword is missing: put `#[retry]` above the attribute that removed it, or write `blocking` in \
         `#[retry]` for a function that blocks its thread",
    );
    refused(
        quote!(
            fn f() -> impl Future<Output = R> {
                let a = 1;
                async move { a }
            }
        ),
        "only a body that is exactly one `async` block can be retried: move the rest into the block, or \
         write `async fn`",
    );
}

#[test]
fn blocking_needs_a_plain_function() {
    let (function, messages) = read_under(
        quote!(blocking),
        quote!(
            fn f() -> R {}
        ),
    );
    assert_eq!(messages, [""; 0]);
    assert!(matches!(function.unwrap().shape, Shape::Blocking));
    let (_, messages) = read_under(
        quote!(blocking),
        quote!(
            async fn f() -> R {}
        ),
    );
    assert_eq!(messages, ["this function is `async`: remove `blocking`"]);
    let (_, messages) = read_under(
        quote!(blocking),
        quote!(
            fn f() -> BoxFuture<'_, R> {
                Box::pin(async {})
            }
        ),
    );
    assert_eq!(messages, ["this function returns a future: remove `blocking`"]);
}

#[test]
fn return_types_without_a_failure_are_refused() {
    let right = "return `Result`, `Option`, or a type that implements `Retryable`";
    refused(
        quote!(
            async fn f() {}
        ),
        &format!("this function cannot return a failure: {right}"),
    );
    for ty in [
        quote!(()),
        quote!(!),
        quote!(u32),
        quote!(bool),
        quote!(String),
        quote!(&str),
        quote!(&'a mut [u8]),
        quote!((R, u8)),
        quote!([u8; 3]),
        quote!(fn() -> R),
        quote!(*const u8),
        quote!((u8)),
    ] {
        refused(quote!(async fn f() -> #ty {}), &format!("this type cannot be a failure: {right}"));
    }
    for ty in
        [quote!(R), quote!(io::Result<()>), quote!(Option<u8>), quote!(&Outcome), quote!(Self), quote!(impl Retryable)]
    {
        read(quote!(async fn f() -> #ty {}));
    }
    let nothing = format!("this function cannot return a failure: {right}");
    refused(
        quote!(
            fn f() -> Pin<Box<dyn Future<Output = ()>>> {
                Box::pin(async move {
                    let _: () = {};
                })
            }
        ),
        &nothing,
    );
    refused(
        quote!(
            fn f() -> impl Future<Output = u8> {
                async { 1 }
            }
        ),
        &format!("this type cannot be a failure: {right}"),
    );
}

#[test]
fn returned_futures_are_read() {
    for (item, output) in [
        (
            quote!(
                fn f(&self) -> impl Future<Output = R<u32>> + Send + use<'_> {
                    async move { x }
                }
            ),
            Some("R < u32 >"),
        ),
        (
            quote!(
                fn f() -> impl Send + std::future::Future<Output = R> {
                    async { x }
                }
            ),
            Some("R"),
        ),
        (
            quote!(
                fn f() -> Pin<Box<dyn Future<Output = R> + Send + '_>> {
                    Box::pin(async move { x })
                }
            ),
            Some("R"),
        ),
        (
            quote!(
                fn f() -> BoxFuture<'a, R> {
                    ::std::boxed::Box::pin(async { x })
                }
            ),
            Some("R"),
        ),
        (
            quote!(
                fn f() -> LocalBoxFuture<'static, R> {
                    Box::pin(async { x })
                }
            ),
            Some("R"),
        ),
        (
            quote!(
                fn f() -> Mine {
                    Box::pin(async { x })
                }
            ),
            None,
        ),
    ] {
        let future = future_body(item);
        assert_eq!(future.output.map(text), output.map(str::to_owned));
        assert_eq!(text(future.body), "{ x }");
        assert!(future.prologue.is_empty());
    }
}

// https://github.com/dtolnay/async-trait/blob/master/src/expand.rs
#[test]
fn the_prologue_of_async_trait_runs_once() {
    let future = future_body(quote! {
        fn f<'life0, 'async_trait>(&'life0 mut self, id: u8)
            -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<(), E>> + ::core::marker::Send + 'async_trait>>
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            Box::pin(async move {
                if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<Result<(), E>> {
                    #[allow(unreachable_code)]
                    return __ret;
                }
                let mut __self = self;
                let id = id;
                let __ret: Result<(), E> = { __self.push(id).await };
                #[allow(unreachable_code)]
                __ret
            })
        }
    });
    assert_eq!(text(&future.output), "Result < () , E >");
    assert_eq!(text(&future.body), "{ __self . push (id) . await }");
    assert!(text(&future.prologue).ends_with("let mut __self = self ; let id = id ;"));
    assert!(text(&future.prologue).starts_with("if let"));
    assert_eq!(text(future.wrap(quote!(x))), "Box :: pin (async move { x })");
}

#[test]
fn a_block_of_the_user_has_no_prologue() {
    let future = future_body(quote! {
        fn f() -> impl Future<Output = R> {
            async { let value: R = { g() }; value }
        }
    });
    assert!(future.prologue.is_empty());
    assert_eq!(text(&future.body), "{ let value : R = { g () } ; value }");
}

#[test]
fn a_second_retry_attribute_is_refused() {
    let message = "this function already has `#[retry]`, and two multiply their attempts: remove one of them";
    refused(
        quote!(
            #[retry]
            async fn load() -> R {}
        ),
        message,
    );
    refused(
        quote!(
            #[doc = ""]
            #[retry_runtime::retry(attempts = 5)]
            async fn load() -> R {}
        ),
        message,
    );
    refused(
        quote!(
            #[::retry_runtime::retry]
            async fn load() -> R {}
        ),
        message,
    );
    read(quote!(
        #[other::retry]
        async fn load() -> R {}
    ));
}

#[test]
fn track_caller_on_a_blocking_function_is_refused() {
    let message =
        "`#[track_caller]` has no effect on a function with `#[retry]`, whose body runs in a closure: remove it";
    let read = |attribute: TokenStream| {
        read_under(
            attribute,
            quote!(
                #[track_caller]
                fn load() -> R {}
            ),
        )
        .1
    };
    assert_eq!(read(quote!(blocking)), [message]);
}
