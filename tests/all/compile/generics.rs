//! Type, lifetime and constant parameters, and their bounds.

use std::fmt::Display;
use std::marker::PhantomData;

use retry_runtime::retry;

use super::{Flaky, R, assert_third};

// https://github.com/tokio-rs/tracing/issues/262
#[retry(start = "0s")]
async fn unsized_and_constant<T, const N: usize>(t: &T, a: [u8; N], flaky: &Flaky) -> R<String>
where
    T: Display + ?Sized,
{
    flaky.attempt(format!("{t}{}{N}", a.len()))
}

// https://github.com/dtolnay/async-trait/issues/28
#[retry(start = "0s")]
async fn outlives<'a, 'b: 'a>(short: &'a str, long: &'b str, flaky: &Flaky) -> R<(&'a str, &'b str)> {
    flaky.attempt((short, long))
}

#[retry(start = "0s")]
async fn for_any_lifetime<F, T>(read: F, flaky: &Flaky) -> R<T>
where
    F: for<'a> Fn(&'a str) -> Option<T>,
    for<'a> T: PartialEq<&'a str>,
{
    flaky.attempt(())?;
    read("text").ok_or_else(String::new)
}

#[retry(start = "0s")]
async fn only_in_the_body<T: Default + Into<u64>>(flaky: &Flaky) -> R<u64> {
    let value: T = T::default();
    flaky.attempt(value.into() + size_of::<T>() as u64)
}

#[retry(start = "0s")]
async fn constant_expressions<const N: usize, const ODD: bool>(flaky: &Flaky) -> R<[usize; 2]> {
    const fn doubled(n: usize) -> usize {
        n * 2
    }
    flaky.attempt([const { doubled(N) }, if ODD { N } else { 0 }])
}

#[retry(start = "0s")]
async fn generic_futures<Fut>(make: impl Fn() -> Fut) -> R<u32>
where
    Fut: Future<Output = R<u32>>,
{
    make().await
}

#[retry(start = "0s")]
async fn both_kinds_of_generics<T: From<u8>>(n: impl Into<u8> + Copy, flaky: &Flaky) -> R<T> {
    flaky.attempt(n.into().into())
}

#[retry(start = "0s")]
async fn static_bound<T: Clone + Send + Sync + 'static>(t: T, flaky: &Flaky) -> R<Box<dyn Fn() -> T>> {
    let t = t.clone();
    flaky.attempt(Box::new(move || t.clone()))
}

#[tokio::test]
async fn generic_functions_are_accepted() {
    let flaky = Flaky::new();
    assert_third(&flaky, unsized_and_constant("a", [0; 2], &flaky).await, "a22");
    let flaky = Flaky::new();
    assert_third(&flaky, outlives("a", "b", &flaky).await, ("a", "b"));
    let flaky = Flaky::new();
    assert_third(&flaky, for_any_lifetime(|text| Some(text.to_owned()), &flaky).await, "text");
    let flaky = Flaky::new();
    assert_third(&flaky, only_in_the_body::<u32>(&flaky).await, 4_u64);
    let flaky = Flaky::new();
    assert_third(&flaky, constant_expressions::<3, true>(&flaky).await, [6, 3]);
    let flaky = Flaky::new();
    assert_third(&flaky, generic_futures(|| async { flaky.attempt(1) }).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, both_kinds_of_generics::<u32>(1_u8, &flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, static_bound(1, &flaky).await.map(|get| get()), 1);
}

struct Holder<T, M = (), const ATTEMPTS: u32 = 3> {
    value: T,
    flaky: Flaky,
    marker: PhantomData<M>,
}

impl<T: Clone, M, const ATTEMPTS: u32> Holder<T, M, ATTEMPTS> {
    const MAX_ATTEMPTS: u32 = ATTEMPTS;

    fn of(value: T) -> Self {
        Self { value, flaky: Flaky::new(), marker: PhantomData }
    }

    #[retry(start = "0s")]
    async fn get(&self) -> R<T> {
        self.flaky.attempt(self.value.clone())
    }

    #[retry(start = "0s")]
    async fn replace<U>(&self, map: impl Fn(&T) -> U) -> R<Holder<U, M>>
    where
        U: Clone,
    {
        self.flaky.attempt(())?;
        Ok(Holder::of(map(&self.value)))
    }

    #[retry(start = "0s", attempts = ATTEMPTS)]
    async fn attempts_from_the_parameter(&self) -> R<Self>
    where
        Self: Sized,
    {
        let value = self.value.clone();
        self.flaky.attempt(Self::of(value))
    }

    #[retry(start = "0s", attempts = Self::MAX_ATTEMPTS)]
    async fn attempts_from_the_constant(&self) -> R<T> {
        self.flaky.attempt(self.value.clone())
    }
}

#[tokio::test]
async fn methods_of_generic_types_are_accepted() {
    let holder = Holder::<_>::of(1);
    assert_third(&holder.flaky, holder.get().await, 1);
    let holder = Holder::<_>::of(1);
    assert_third(&holder.flaky, holder.replace(|n| n + 1).await.map(|new| new.value), 2);
}

#[tokio::test]
async fn number_of_attempts_may_be_a_generic_constant() {
    let holder = Holder::<_, (), 3>::of(1);
    assert_third(&holder.flaky, holder.attempts_from_the_parameter().await.map(|new| new.value), 1);
    let holder = Holder::<_, (), 2>::of(1);
    assert!(holder.attempts_from_the_parameter().await.is_err());
    assert_eq!(holder.flaky.attempts(), 2);
    let holder = Holder::<_, (), 1>::of(1);
    assert!(holder.attempts_from_the_constant().await.is_err());
    assert_eq!(holder.flaky.attempts(), 1);
}

struct Reader<'a, T: ?Sized> {
    text: &'a str,
    log: &'a mut Vec<u32>,
    other: &'a T,
}

impl<'a, T: Display + ?Sized> Reader<'a, T> {
    #[retry(start = "0s")]
    async fn read(&mut self, flaky: &Flaky) -> R<&'a str> {
        self.log.push(1);
        flaky.attempt(&self.text[1..])
    }

    #[retry(start = "0s")]
    async fn show(&self, flaky: &Flaky) -> R<impl Display + use<'a, '_, T>> {
        flaky.attempt(self.other.to_string())
    }
}

#[tokio::test]
async fn methods_of_types_with_lifetimes_are_accepted() {
    let (flaky, mut log) = (Flaky::new(), vec![]);
    let mut reader = Reader { text: "abc", log: &mut log, other: "d" };
    // The value borrows from the text behind the reader, not from the reader.
    let outcome = reader.read(&flaky).await;
    reader.log.push(2);
    assert_third(&flaky, outcome, "bc");
    let flaky = Flaky::new();
    assert_third(&flaky, reader.show(&flaky).await.map(|shown| shown.to_string()), "d");
    assert_eq!(log, [1, 1, 1, 2]);
}

trait Lender {
    type Lent<'a>
    where
        Self: 'a;
    fn lend(&self) -> Self::Lent<'_>;
}

impl Lender for String {
    type Lent<'a> = &'a str;
    fn lend(&self) -> &str {
        self
    }
}

#[retry(start = "0s")]
async fn generic_associated_type<'a, L: Lender>(lender: &'a L, flaky: &Flaky) -> R<L::Lent<'a>> {
    flaky.attempt(lender.lend())
}

#[tokio::test]
async fn outcome_may_be_a_generic_associated_type() {
    let (flaky, lender) = (Flaky::new(), "abc".to_owned());
    assert_third(&flaky, generic_associated_type(&lender, &flaky).await, "abc");
}
