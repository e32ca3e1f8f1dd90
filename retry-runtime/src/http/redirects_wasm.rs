//! Redirects on wasm, where reqwest cannot track them: nothing proves that there was none.

use core::marker::PhantomData;

#[derive(Debug)]
pub(crate) struct Seen;

impl Seen {
    pub(crate) const NONE: Self = Self;

    #[allow(clippy::unused_self, reason = "the signature of the other twin")]
    pub(crate) const fn is_only(&self, _: &str, _: Option<u16>) -> bool {
        false
    }
}

#[derive(Debug)]
pub(crate) struct Watching<'a>(PhantomData<&'a ()>);

impl<'a> Watching<'a> {
    pub(crate) const fn new(_: &'a mut Seen) -> Self {
        Self(PhantomData)
    }
}
