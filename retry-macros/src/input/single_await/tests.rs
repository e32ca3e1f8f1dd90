use proc_macro2::TokenStream;
use quote::quote;

use super::*;

fn is_read(body: TokenStream, sig: TokenStream) -> bool {
    SingleAwait::read(body, &syn::parse2(sig).unwrap()).is_some()
}

#[test]
fn one_operand_is_read() {
    for body in [
        quote!(f().await),
        quote!(self.client.get(url).header("a", "b").send().await),
        quote!(::path::f::<T, Vec<u8>>(x, &[y, 2], a + b, |z| z * 2).await),
        quote!(Self::f(0..9, -x, x as u8).await),
        quote!(self.list[0].0.load().await),
        quote!((f)().await),
        quote!(future.await),
    ] {
        assert!(is_read(body.clone(), quote!(fn f(&self, url: &str, x: u8))), "{body}");
    }
}

#[test]
fn other_bodies_are_not_read() {
    for body in [
        quote!(),
        quote!(.await),
        quote!(x),
        quote!(f().await.g()),
        quote!(f().await?),
        quote!(f()?.await),
        quote!(f(x?).await),
        quote!(f(g().await).await),
        quote!(f(return).await),
        quote!(f(|| break).await),
        quote!(f(vec![1]).await),
        quote!(f([1; 2]).await),
        quote!(f({ 1 }).await),
        quote!(async { 1 }.await),
        quote!(let x = 1; f(x).await),
        quote!(return f().await),
        quote!(f(); g().await),
        quote!(a + f().await),
        quote!(&f().await),
        quote!(*f().await),
        quote!(!f().await),
        quote!(a..f().await),
        quote!(a = f().await),
        quote!(x as f.await),
        quote!(
            #[cfg(test)]
            f().await
        ),
        quote!(<T as Trait>::f().await),
        quote!(f::<fn() -> u8>().await),
        quote!(f::<{ 1 }>().await),
    ] {
        assert!(!is_read(body.clone(), quote!(fn f())), "{body}");
    }
}

#[test]
fn body_that_may_consume_an_argument_is_not_read() {
    for (is_consumed, body, sig) in [
        (true, quote!(f(x).await), quote!(fn f(x: String))),
        (true, quote!(x.f().await), quote!(fn f(x: String))),
        (true, quote!(f(g(x)).await), quote!(fn f(x: impl Into<String>))),
        (true, quote!(f(b).await), quote!(fn f((a, Pair { b, .. }): T))),
        (true, quote!(f(x).await), quote!(fn f(x: &mut T))),
        (true, quote!(self.f().await), quote!(fn f(self))),
        (true, quote!(__self.f().await), quote!(fn f(self: Arc<Self>))),
        (false, quote!(f(&x, &mut y).await), quote!(fn f(x: String, mut y: String))),
        (false, quote!(f(x, y).await), quote!(fn f(x: &str, y: u64))),
        (false, quote!(self.f().await), quote!(fn f(&mut self))),
    ] {
        assert_eq!(!is_read(body.clone(), sig), is_consumed, "{body}");
    }
}
