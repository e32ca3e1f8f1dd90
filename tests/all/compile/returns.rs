//! Return types: each kind of outcome, in each spelling.

use std::cell::Cell;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Display};
use std::io;
use std::num::ParseIntError;
use std::pin::Pin;
use std::time::Duration;

use retry_runtime::{Class, Policy, Retryable, retry};

use crate::support::{FakeResponse, SECOND};

use super::{Flaky, R, assert_third};

#[derive(Debug)]
struct BadWord<'a>(&'a str);

#[retry(start = "0s")]
async fn error_with_lifetime<'a>(text: &'a str, flaky: &Flaky) -> Result<usize, BadWord<'a>> {
    if flaky.fails() { Err(BadWord(text)) } else { Ok(text.len()) }
}

#[retry(start = "0s")]
async fn generic_error<E: Error + From<io::Error>>(flaky: &Flaky) -> Result<u32, E> {
    if flaky.fails() {
        Err(io::Error::other("not yet"))?;
    }
    Ok(1)
}

#[retry(start = "0s")]
async fn generic_unbounded_error<E>(make: impl Fn() -> E, flaky: &Flaky) -> Result<u32, E> {
    if flaky.fails() { Err(make()) } else { Ok(1) }
}

#[retry(start = "0s")]
async fn error_of_the_callers_choice(flaky: &Flaky) -> Result<u32, impl Display + use<>> {
    flaky.attempt(1)
}

#[retry(start = "0s")]
async fn plain_text_error(flaky: &Flaky) -> Result<&'static str, &'static str> {
    if flaky.fails() { Err("not yet") } else { Ok("done") }
}

#[retry(start = "0s")]
async fn unit_error(flaky: &Flaky) -> Result<u32, ()> {
    flaky.attempt(1).map_err(drop)
}

#[tokio::test]
async fn error_may_be_of_any_type() {
    let flaky = Flaky::new();
    assert_third(&flaky, error_with_lifetime("one", &flaky).await, 3_usize);
    let flaky = Flaky::new();
    assert_third(&flaky, generic_error::<io::Error>(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, generic_unbounded_error(|| Cell::new(0), &flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, error_of_the_callers_choice(&flaky).await.map_err(|error| error.to_string()), 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, plain_text_error(&flaky).await, "done");
    let flaky = Flaky::new();
    assert_third(&flaky, unit_error(&flaky).await, 1_u32);
}

#[tokio::test]
async fn last_error_is_returned_unchanged() {
    #[retry(start = "0s")]
    async fn never<'a>(text: &'a str, flaky: &Flaky) -> Result<Infallible, BadWord<'a>> {
        flaky.attempt(()).ok();
        Err(BadWord(text))
    }
    let flaky = Flaky::new();
    let BadWord(text) = never("bad", &flaky).await.unwrap_err();
    assert_eq!((text, flaky.attempts()), ("bad", 3));
}

// https://github.com/tokio-rs/tokio/issues/6930
#[retry(start = "0s")]
async fn converts_into_a_boxed_error(text: &str, flaky: &Flaky) -> Result<u32, Box<dyn Error + Send + Sync>> {
    flaky.attempt(())?;
    Ok(text.parse()?)
}

#[retry(start = "0s")]
async fn converts_into_a_local_boxed_error(text: &str, flaky: &Flaky) -> Result<u32, Box<dyn Error>> {
    flaky.attempt(())?;
    Ok(text.parse()?)
}

#[retry(start = "0s")]
async fn converts_into_anyhow(text: &str, flaky: &Flaky) -> anyhow::Result<u32> {
    anyhow::ensure!(!flaky.fails(), "not yet");
    Ok(text.parse()?)
}

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error("a bad number")]
    Number(#[from] ParseIntError),
    #[error("not yet")]
    Busy(#[from] fmt::Error),
}

#[retry(start = "0s")]
async fn converts_into_an_enum(text: &str, flaky: &Flaky) -> Result<u32, LoadError> {
    if flaky.fails() {
        return Err(fmt::Error.into());
    }
    let number: u32 = text.parse()?;
    Ok(number)
}

#[tokio::test]
async fn question_mark_converts_errors_as_in_a_plain_function() {
    let flaky = Flaky::new();
    assert_third(&flaky, converts_into_a_boxed_error("7", &flaky).await, 7_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, converts_into_a_local_boxed_error("7", &flaky).await, 7_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, converts_into_anyhow("7", &flaky).await, 7_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, converts_into_an_enum("7", &flaky).await, 7_u32);
}

type Loaded = Result<u32, LoadError>;
type Text<'a, E = String> = Result<&'a str, E>;
type Nested<T> = R<Option<T>>;

macro_rules! outcome {
    ($ok:ty) => { R<$ok> };
}

#[retry(start = "0s")]
async fn io_result(flaky: &Flaky) -> io::Result<u32> {
    if flaky.fails() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(1) }
}

#[retry(start = "0s")]
async fn whole_alias(flaky: &Flaky) -> Loaded {
    if flaky.fails() {
        Err(fmt::Error)?;
    }
    Ok("1".parse()?)
}

#[retry(start = "0s")]
async fn alias_with_a_default<'a>(text: &'a str, flaky: &Flaky) -> Text<'a> {
    flaky.attempt(text)
}

#[retry(start = "0s")]
async fn alias_of_an_alias(flaky: &Flaky) -> Nested<u32> {
    flaky.attempt(Some(1))
}

#[retry(start = "0s")]
async fn full_path(flaky: &Flaky) -> ::std::result::Result<u32, ::std::string::String> {
    flaky.attempt(1)
}

#[retry(start = "0s")]
async fn made_by_a_macro(flaky: &Flaky) -> outcome![u32] {
    flaky.attempt(1)
}

trait Source {
    type Item;
    type Error: fmt::Debug + From<String>;
    type Outcome;
}

struct Numbers;

impl Source for Numbers {
    type Item = u32;
    type Error = String;
    type Outcome = R<u32>;
}

#[retry(start = "0s")]
async fn associated_types<S: Source<Item: Copy>>(
    item: S::Item,
    flaky: &Flaky,
) -> Result<S::Item, <S as Source>::Error> {
    flaky.attempt(())?;
    Ok(item)
}

#[retry(start = "0s")]
async fn outcome_is_an_associated_type(flaky: &Flaky) -> <Numbers as Source>::Outcome {
    flaky.attempt(1)
}

#[tokio::test]
async fn return_type_may_have_any_spelling() {
    let flaky = Flaky::new();
    assert_third(&flaky, io_result(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, whole_alias(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, alias_with_a_default("a", &flaky).await, "a");
    let flaky = Flaky::new();
    assert_third(&flaky, alias_of_an_alias(&flaky).await, Some(1));
    let flaky = Flaky::new();
    assert_third(&flaky, full_path(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, made_by_a_macro(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, associated_types::<Numbers>(1, &flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, outcome_is_an_associated_type(&flaky).await, 1_u32);
}

// https://github.com/tokio-rs/tracing/issues/1236
#[retry(start = "0s")]
async fn impl_iterator(flaky: &Flaky) -> R<impl Iterator<Item = u32> + use<>> {
    flaky.attempt([1, 2].into_iter())
}

#[retry(start = "0s")]
async fn impl_iterator_that_borrows<'a>(text: &'a str, flaky: &Flaky) -> R<impl Iterator<Item = &'a str>> {
    flaky.attempt(())?;
    Ok(text.split(' '))
}

#[retry(start = "0s")]
async fn two_impls(flaky: &Flaky) -> Result<(impl Fn(u32) -> u32, Vec<impl Display>), impl Display> {
    let step = 1;
    flaky.attempt((move |n| n + step, vec!["a"]))
}

#[retry(start = "0s")]
async fn boxed_closure<'a>(step: &'a u32, flaky: &Flaky) -> R<Box<dyn Fn(u32) -> u32 + Send + 'a>> {
    flaky.attempt(())?;
    Ok(Box::new(move |n| n + step))
}

#[retry(start = "0s")]
async fn future_as_value(flaky: &Flaky) -> R<Pin<Box<dyn Future<Output = u32>>>> {
    flaky.attempt(())?;
    Ok(Box::pin(async { 1 }))
}

#[retry(start = "0s")]
async fn array(flaky: &Flaky) -> R<[u8; size_of::<u16>()]> {
    flaky.attempt([1; 2])
}

#[tokio::test]
async fn value_may_be_of_any_type() {
    let flaky = Flaky::new();
    assert_third(&flaky, impl_iterator(&flaky).await.map(Vec::from_iter), [1, 2]);
    let flaky = Flaky::new();
    assert_third(&flaky, impl_iterator_that_borrows("a b", &flaky).await.map(Vec::from_iter), ["a", "b"]);
    let flaky = Flaky::new();
    let both = two_impls(&flaky).await.map(|(map, list)| format!("{}{}", map(1), list[0]));
    assert_third(&flaky, both.map_err(|error| error.to_string()), "2a");
    let flaky = Flaky::new();
    assert_third(&flaky, boxed_closure(&2, &flaky).await.map(|map| map(1)), 3_u32);
    let flaky = Flaky::new();
    let future = future_as_value(&flaky).await.unwrap();
    assert_eq!((future.await, flaky.attempts()), (1, 3));
    let flaky = Flaky::new();
    assert_third(&flaky, array(&flaky).await, [1, 1]);
}

#[retry(start = "0s")]
async fn option(flaky: &Flaky) -> Option<u32> {
    flaky.attempt(()).ok()?;
    Some(1)
}

#[retry(start = "0s")]
async fn option_of_a_reference<'a>(list: &'a [u32], flaky: &Flaky) -> Option<&'a u32> {
    if flaky.fails() {
        return None;
    }
    list.first()
}

#[retry(start = "0s", on_ok = Option::is_none)]
async fn option_in_a_result(flaky: &Flaky) -> R<Option<u32>> {
    Ok(flaky.attempt(1).ok())
}

#[tokio::test]
async fn none_is_a_failure_and_on_ok_may_reject_a_value() {
    let flaky = Flaky::new();
    assert_third(&flaky, option(&flaky).await.ok_or(()), 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, option_of_a_reference(&[1], &flaky).await.ok_or(()), &1);
    let flaky = Flaky::new();
    assert_third(&flaky, option_in_a_result(&flaky).await, Some(1));
}

/// A value that classifies itself.
#[derive(Debug, PartialEq)]
enum JobState {
    Busy,
    Done(u32),
}

impl Retryable for JobState {
    fn class(&self) -> Class {
        match self {
            Self::Busy => Class::Transient,
            Self::Done(_) => Class::Success,
        }
    }
}

#[retry(start = "0s")]
async fn own_outcome(flaky: &Flaky) -> JobState {
    if flaky.fails() {
        return JobState::Busy;
    }
    JobState::Done(1)
}

#[retry(start = "0s")]
async fn own_outcome_in_a_result(flaky: &Flaky) -> Result<JobState, Infallible> {
    Ok(if flaky.fails() { JobState::Busy } else { JobState::Done(1) })
}

#[retry(start = "0s")]
async fn generic_outcome<O: Retryable>(make: impl Fn(bool) -> O, flaky: &Flaky) -> O {
    make(flaky.fails())
}

#[tokio::test]
async fn outcome_may_be_a_custom_type() {
    let flaky = Flaky::new();
    assert_third(&flaky, Ok::<_, ()>(own_outcome(&flaky).await), JobState::Done(1));
    let flaky = Flaky::new();
    assert_third(&flaky, own_outcome_in_a_result(&flaky).await, JobState::Done(1));
    let flaky = Flaky::new();
    let make = |busy| if busy { JobState::Busy } else { JobState::Done(2) };
    assert_third(&flaky, Ok::<_, ()>(generic_outcome(make, &flaky).await), JobState::Done(2));
}

type BoxFuture<'a, O> = Pin<Box<dyn Future<Output = O> + Send + 'a>>;

/// An alias with the name of the one in the crate `futures`.
#[retry(start = "0s")]
fn explicit_alias(flaky: &Flaky) -> BoxFuture<'_, Result<u32, Box<dyn Error + Send + Sync>>> {
    Box::pin(async {
        flaky.attempt(())?;
        Ok("7".parse()?)
    })
}

fn explicit_future(flaky: &Flaky) -> impl Future<Output = R<u32>> + Send {
    explicit(flaky)
}

#[retry(start = "0s")]
fn explicit(flaky: &Flaky) -> impl Future<Output = R<u32>> + Send {
    async move { flaky.attempt(1) }
}

#[retry(start = "0s")]
fn explicit_box<'a>(
    flaky: &'a Flaky,
    name: &'a str,
) -> Pin<Box<dyn Future<Output = Result<u32, Box<dyn Error>>> + 'a>> {
    Box::pin(async move {
        flaky.attempt(())?;
        Ok(name.parse()?)
    })
}

#[retry(start = "0s", blocking)]
fn blocks(flaky: &Flaky, text: &str) -> Result<u32, Box<dyn Error>> {
    flaky.attempt(())?;
    Ok(text.parse()?)
}

#[tokio::test]
async fn plain_function_may_return_a_future_or_block() {
    let flaky = Flaky::new();
    assert_third(&flaky, explicit_future(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, explicit_box(&flaky, "7").await, 7_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, explicit_alias(&flaky).await, 7_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, blocks(&flaky, "7"), 7_u32);
}

/// An error without any trait, not even `Debug`.
struct Bare(&'static str);

type Boxed<O> = Pin<Box<dyn Future<Output = O> + Send>>;
type BoxedBare = Boxed<Result<u32, Bare>>;

/// The macro cannot see that the alias is a future. The type of the error is known only from the alias.
#[retry(start = "0s")]
fn unseen_alias(flaky: &'static Flaky) -> BoxedBare {
    Box::pin(async {
        if flaky.fails() {
            return Err(Bare("not yet"));
        }
        Ok(1)
    })
}

#[retry(start = "0s")]
fn unseen_alias_converts(flaky: &'static Flaky) -> Boxed<Result<u32, Box<dyn Error + Send + Sync>>> {
    Box::pin(async {
        flaky.attempt(())?;
        Ok("7".parse()?)
    })
}

#[retry(policy = Policy::fixed(Duration::ZERO).deadline(SECOND), hedge = "1ms")]
fn unseen_alias_beside_a_policy(flaky: &'static Flaky) -> BoxedBare {
    Box::pin(async { flaky.attempt(1).map_err(|_| Bare("not yet")) })
}

trait Loads: Future<Output = Result<u32, Bare>> {}
impl<F: Future<Output = Result<u32, Bare>>> Loads for F {}

/// Not even the alias names the output.
#[retry(start = "0s")]
fn trait_that_is_a_future(flaky: &Flaky) -> impl Loads {
    async { if flaky.fails() { Err(Bare("not yet")) } else { Ok(1) } }
}

#[retry(policy = Policy::fixed(Duration::ZERO).deadline(SECOND))]
fn trait_that_is_a_future_beside_a_policy(flaky: &Flaky) -> impl Loads {
    async { if flaky.fails() { Err(Bare("not yet")) } else { Ok(1) } }
}

#[tokio::test]
async fn error_behind_an_alias_of_a_future_needs_no_trait() {
    let text = |error: Bare| error.0;
    let flaky = || &*Box::leak(Box::new(Flaky::new()));
    let one = flaky();
    assert_third(one, unseen_alias(one).await.map_err(text), 1_u32);
    let one = flaky();
    assert_third(one, unseen_alias_converts(one).await, 7_u32);
    let one = flaky();
    assert_third(one, unseen_alias_beside_a_policy(one).await.map_err(text), 1_u32);
    let one = flaky();
    assert_third(one, trait_that_is_a_future(one).await.map_err(text), 1_u32);
    let one = flaky();
    assert_third(one, trait_that_is_a_future_beside_a_policy(one).await.map_err(text), 1_u32);
}

/// An error object that borrows. Trait bounds on its type would have to hold for all lifetimes.
#[retry(start = "0s")]
async fn borrowing_object<'a>(flaky: &Flaky, name: &'a str) -> Result<&'a str, Box<dyn Error + Send + Sync + 'a>> {
    flaky.attempt(name).map_err(Box::from)
}

#[retry(start = "0s", on_ok = |n| *n == 3, on_error = |_| false)]
async fn borrowing_object_with_predicates<'a>(
    outcomes: &mut Vec<Result<u32, &'a str>>,
) -> Result<u32, Box<dyn Error + Send + Sync + 'a>> {
    outcomes.remove(0).map_err(Box::from)
}

#[retry(start = "0s", on_status = [503])]
async fn borrowing_object_beside_a_response<'a>(
    outcomes: &mut Vec<Result<FakeResponse, &'a str>>,
) -> Result<FakeResponse, Box<dyn Error + 'a>> {
    outcomes.remove(0).map_err(Box::from)
}

#[tokio::test]
async fn response_is_classified_beside_a_borrowing_error_object() {
    let mut outcomes = vec![Ok(FakeResponse(503)), Ok(FakeResponse(200)), Ok(FakeResponse(1))];
    assert_eq!(borrowing_object_beside_a_response(&mut outcomes).await.unwrap(), FakeResponse(200));
    assert_eq!(outcomes, [Ok(FakeResponse(1))]);
}

#[tokio::test]
async fn predicates_are_called_beside_a_borrowing_error_object() {
    let mut outcomes = vec![Ok(3), Err("no"), Ok(1)];
    assert_eq!(borrowing_object_with_predicates(&mut outcomes).await.unwrap_err().to_string(), "no");
    assert_eq!(outcomes, [Ok(1)]);
}

#[tokio::test]
async fn error_object_may_borrow() {
    let (flaky, name) = (Flaky::new(), String::from("name"));
    assert_third(&flaky, borrowing_object(&flaky, &name).await.map_err(|error| error.to_string()), "name");
}
