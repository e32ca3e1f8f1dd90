//! Function arguments: patterns, `impl Trait`, references to unsized types, and attributes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use retry_runtime::{Policy, retry};

use super::{Flaky, R, assert_third};

struct Point {
    x: u32,
    y: u32,
}

struct Metres(u32);

// https://github.com/dtolnay/async-trait/issues/15
#[retry(start = "0s")]
async fn tuple_and_array((a, b): (u32, u32), [c, ..]: [u32; 3], _: String, flaky: &Flaky) -> R<u32> {
    flaky.attempt(a + b + c)
}

#[retry(start = "0s")]
async fn structs(Point { x, y: up }: Point, Metres(length): Metres, flaky: &Flaky) -> R<u32> {
    flaky.attempt(x + up + length)
}

#[retry(start = "0s")]
async fn references(&n: &u32, &(ref name, size): &(String, usize), flaky: &Flaky) -> R<String> {
    flaky.attempt(format!("{n} {name} {size}"))
}

#[retry(start = "0s")]
async fn by_reference(ref name: String, ref mut log: Vec<u32>, flaky: &Flaky) -> R<(String, usize)> {
    log.push(1);
    flaky.attempt((name.clone(), log.len()))
}

#[retry(start = "0s")]
async fn part_and_whole(whole @ (first, _): (u32, u32), flaky: &Flaky) -> R<((u32, u32), u32)> {
    flaky.attempt((whole, first))
}

#[retry(start = "0s")]
async fn nested((a, (mut b, [.., c])): (u32, (u32, [u32; 2])), flaky: &Flaky) -> R<u32> {
    b += 1;
    flaky.attempt(a + b + c)
}

#[tokio::test]
async fn patterns_are_accepted() {
    let flaky = Flaky::new();
    assert_third(&flaky, tuple_and_array((1, 2), [3, 4, 5], String::new(), &flaky).await, 6_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, structs(Point { x: 1, y: 2 }, Metres(3), &flaky).await, 6_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, references(&1, &("two".to_owned(), 3), &flaky).await, "1 two 3");
    let flaky = Flaky::new();
    assert_third(&flaky, by_reference("a".to_owned(), vec![], &flaky).await, ("a".to_owned(), 3));
    let flaky = Flaky::new();
    assert_third(&flaky, part_and_whole((1, 2), &flaky).await, ((1, 2), 1));
    let flaky = Flaky::new();
    assert_third(&flaky, nested((1, (0, [8, 2])), &flaky).await, 6_u32);
}

// https://github.com/jaemk/cached/issues/96
#[retry(start = "0s")]
async fn mutable(mut n: u32, flaky: &Flaky) -> R<u32> {
    n += 1;
    flaky.attempt(n)
}

#[retry(start = "0s", clone = [n])]
async fn mutable_and_cloned(mut n: u32, flaky: &Flaky) -> R<u32> {
    n += 1;
    flaky.attempt(n)
}

#[retry(start = "0s")]
async fn shadowed(text: &str, n: u32, flaky: &Flaky) -> R<String> {
    let text = text.trim();
    let n = n + 1;
    flaky.attempt(format!("{text}{n}"))
}

#[retry(start = "0s", clone = [body])]
async fn consumed(body: Vec<u8>, flaky: &Flaky) -> R<usize> {
    flaky.attempt(into_len(body))
}

fn into_len(body: Vec<u8>) -> usize {
    body.len()
}

#[tokio::test]
async fn mutable_argument_is_shared_between_attempts_unless_cloned() {
    let flaky = Flaky::new();
    assert_third(&flaky, mutable(0, &flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, mutable_and_cloned(0, &flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, consumed(vec![0; 5], &flaky).await, 5_usize);
}

#[tokio::test]
async fn shadowed_argument_is_the_original_in_each_attempt() {
    let flaky = Flaky::new();
    assert_third(&flaky, shadowed(" a ", 1, &flaky).await, "a2");
}

// https://github.com/tokio-rs/tracing/issues/3320
#[retry(start = "0s")]
async fn configured(
    #[cfg(not(target_os = "none"))] n: u32,
    #[cfg(target_os = "none")] n: TypeOfAnotherPlatform,
    #[allow(unused_variables)] unused: u32,
    flaky: &Flaky,
) -> R<u32> {
    flaky.attempt(n)
}

#[retry(start = "0s")]
#[rustfmt::skip]
async fn trailing_comma(flaky: &Flaky,) -> R<u32> { flaky.attempt(1) }

#[retry(start = "0s")]
async fn raw_identifiers(r#type: &str, r#match: u32, flaky: &Flaky) -> R<String> {
    flaky.attempt(format!("{type}{}", r#match))
}

#[retry(start = "0s")]
async fn r#loop(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[retry(start = "0s")]
#[allow(clippy::too_many_arguments)]
async fn twelve(
    flaky: &Flaky,
    a: u8,
    b: u16,
    c: u32,
    d: u64,
    e: i8,
    f: &str,
    g: String,
    h: Option<u8>,
    i: bool,
    j: char,
    k: f64,
) -> R<String> {
    flaky.attempt(format!("{a}{b}{c}{d}{e}{f}{g}{h:?}{i}{j}{k}"))
}

#[tokio::test]
async fn cfg_attributes_raw_identifiers_and_many_arguments_are_accepted() {
    let flaky = Flaky::new();
    assert_third(&flaky, configured(1, 2, &flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, trailing_comma(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, raw_identifiers("a", 1, &flaky).await, "a1");
    let flaky = Flaky::new();
    assert_third(&flaky, r#loop(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    let outcome = twelve(&flaky, 1, 2, 3, 4, 5, "6", "7".to_owned(), None, true, '8', 0.5).await;
    assert_third(&flaky, outcome, "1234567Nonetrue80.5");
}

// https://github.com/dtolnay/async-trait/issues/177
#[retry(start = "0s")]
async fn impl_display(shown: impl Display, flaky: &Flaky) -> R<String> {
    flaky.attempt(shown.to_string())
}

#[retry(start = "0s")]
async fn impl_fn_mut(mut next: impl FnMut() -> u32, flaky: &Flaky) -> R<u32> {
    let n = next();
    flaky.attempt(n)
}

#[retry(start = "0s")]
async fn impl_with_lifetime<'a>(words: impl Iterator<Item = &'a str> + Clone, flaky: &Flaky) -> R<Vec<&'a str>> {
    flaky.attempt(words.clone().collect())
}

#[retry(start = "0s")]
async fn impl_in_a_reference(numbers: &mut impl Iterator<Item = u32>, flaky: &Flaky) -> R<Option<u32>> {
    let n = numbers.next();
    flaky.attempt(n)
}

#[retry(start = "0s")]
async fn impl_for_any_lifetime(cut: impl for<'a> Fn(&'a str) -> &'a str, flaky: &Flaky) -> R<String> {
    flaky.attempt(cut("ab").to_owned())
}

#[retry(start = "0s")]
async fn impl_async_fn(load: impl AsyncFn(u32) -> R<u32>, flaky: &Flaky) -> R<u32> {
    let n = load(1).await?;
    flaky.attempt(n)
}

#[retry(start = "0s")]
async fn impl_as_ref(path: impl AsRef<Path> + Send, flaky: &Flaky) -> R<usize> {
    flaky.attempt(path.as_ref().as_os_str().len())
}

#[tokio::test]
async fn impl_trait_arguments_are_accepted() {
    let flaky = Flaky::new();
    assert_third(&flaky, impl_display(7, &flaky).await, "7");
    let (flaky, mut n) = (Flaky::new(), 0);
    let counter = || {
        n += 1;
        n
    };
    assert_third(&flaky, impl_fn_mut(counter, &flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, impl_with_lifetime("a b".split(' '), &flaky).await, ["a", "b"]);
    let flaky = Flaky::new();
    assert_third(&flaky, impl_in_a_reference(&mut (1..), &flaky).await, Some(3));
    let flaky = Flaky::new();
    assert_third(&flaky, impl_for_any_lifetime(|text| &text[1..], &flaky).await, "b");
    let flaky = Flaky::new();
    assert_third(&flaky, impl_async_fn(async |n| Ok(n + 1), &flaky).await, 2_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, impl_as_ref("abc", &flaky).await, 3_usize);
}

#[retry(start = "0s")]
async fn unsized_behind_references(text: &str, list: &mut [u32], path: &Path, flaky: &Flaky) -> R<usize> {
    list[0] += 1;
    flaky.attempt(text.len() + list.len() + path.as_os_str().len())
}

#[retry(start = "0s")]
async fn objects(shown: &dyn Display, count: &mut dyn FnMut() -> u32, map: &(dyn Fn(u32) -> u32 + Sync)) -> R<String> {
    let n = map(count());
    if n < 30 { Err("not yet".to_owned()) } else { Ok(format!("{shown}{n}")) }
}

#[retry(start = "0s")]
async fn boxed_objects(shown: Box<dyn Display>, mut count: Box<dyn FnMut() -> u32 + '_>, flaky: &Flaky) -> R<String> {
    let n = count();
    flaky.attempt(format!("{shown}{n}"))
}

#[retry(start = "0s")]
async fn function_pointers(map: fn(&str) -> usize, twice: fn(fn(&str) -> usize) -> usize, flaky: &Flaky) -> R<usize> {
    flaky.attempt(map("ab") + twice(map))
}

#[retry(start = "0s")]
async fn optional_reference(mut log: Option<&mut Vec<u32>>, flaky: &Flaky) -> R<()> {
    if let Some(log) = log.as_deref_mut() {
        log.push(1);
    }
    flaky.attempt(())
}

#[retry(start = "0s")]
async fn borrowed_or_owned(text: Cow<'_, str>, flaky: &Flaky) -> R<usize> {
    flaky.attempt(text.len())
}

#[retry(start = "0s")]
async fn double_reference(names: &mut &[&str], flaky: &Flaky) -> R<usize> {
    *names = &names[1..];
    flaky.attempt(names.len())
}

#[retry(start = "0s")]
async fn counted(words: &[&str], counts: &mut HashMap<String, u32>, flaky: &Flaky) -> R<u32> {
    // A closure that borrows an argument mutably until the end of the attempt.
    let mut count = |word: &&str| *counts.entry((*word).to_owned()).or_default() += 1;
    words.iter().for_each(&mut count);
    flaky.attempt(counts["a"])
}

#[tokio::test]
async fn trait_objects_and_references_are_accepted() {
    let (flaky, mut list) = (Flaky::new(), [0, 0]);
    assert_third(&flaky, unsized_behind_references("abc", &mut list, Path::new("d"), &flaky).await, 6_usize);
    assert_eq!(list, [3, 0]);
    let mut n = 0;
    let mut count = || {
        n += 1;
        n
    };
    assert_eq!(objects(&"n", &mut count, &|n| n * 10).await, Ok("n30".to_owned()));
    let flaky = Flaky::new();
    assert_third(&flaky, boxed_objects(Box::new("n"), Box::new(&mut count), &flaky).await, "n6");
    let flaky = Flaky::new();
    assert_third(&flaky, function_pointers(str::len, |len| len("abc"), &flaky).await, 5_usize);
    let (flaky, mut log) = (Flaky::new(), vec![]);
    assert_third(&flaky, optional_reference(Some(&mut log), &flaky).await, ());
    assert_eq!(log, [1, 1, 1]);
    let flaky = Flaky::new();
    assert_third(&flaky, borrowed_or_owned("abc".into(), &flaky).await, 3_usize);
    let flaky = Flaky::new();
    assert_third(&flaky, double_reference(&mut &["a", "b", "c", "d"][..], &flaky).await, 1_usize);
    let flaky = Flaky::new();
    assert_third(&flaky, counted(&["a", "b"], &mut HashMap::new(), &flaky).await, 3_u32);
}

#[retry(start = "0s", clone = [list])]
async fn mutable_in_a_pattern((mut list, more): (Vec<u32>, u32), flaky: &Flaky) -> R<usize> {
    list.push(more);
    flaky.attempt(list.len())
}

#[tokio::test]
async fn cloned_binding_in_a_pattern_stays_mutable() {
    let flaky = Flaky::new();
    assert_third(&flaky, mutable_in_a_pattern((vec![1], 2), &flaky).await, 2_usize);
}

/// The temporary value of the expression lives as long as the call.
#[retry(policy = &Policy::fixed(Duration::ZERO).attempts(3))]
async fn temporary_policy(flaky: &Flaky) -> R<u32> {
    flaky.attempt(1)
}

#[tokio::test]
async fn policy_may_be_a_temporary_value() {
    let flaky = Flaky::new();
    assert_third(&flaky, temporary_policy(&flaky).await, 1_u32);
}
