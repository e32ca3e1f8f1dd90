//! Function bodies: how they end, the items they declare, and the values they hold across an await.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Mutex;

use retry_runtime::retry;
use tokio::task::yield_now;

use super::{Flaky, R, assert_third};

#[retry(start = "0s")]
async fn early_return(flaky: &Flaky) -> R<u32> {
    if let Err(error) = flaky.attempt(()) {
        return Err(error);
    }
    Ok(1)
}

#[retry(start = "0s")]
async fn early_success(flaky: &Flaky) -> R<()> {
    if !flaky.fails() {
        return Ok(());
    }
    Err("not yet".to_owned())
}

#[retry(start = "0s")]
#[allow(clippy::needless_return)]
async fn only_a_return(flaky: &Flaky) -> R<u32> {
    return flaky.attempt(1);
}

#[retry(start = "0s")]
async fn labelled_break(flaky: &Flaky) -> R<u32> {
    let found = 'search: loop {
        loop {
            yield_now().await;
            break 'search flaky.attempt(1);
        }
    };
    found
}

#[retry(start = "0s")]
async fn labelled_block(flaky: &Flaky) -> R<u32> {
    'done: {
        if flaky.fails() {
            break 'done Err("not yet".to_owned());
        }
        Ok(1)
    }
}

#[retry(start = "0s")]
async fn only_a_loop(flaky: &Flaky) -> R<u32> {
    loop {
        yield_now().await;
        break flaky.attempt(1);
    }
}

#[retry(start = "0s")]
async fn loop_that_returns(flaky: &Flaky) -> R<u32> {
    let mut turns = 0;
    loop {
        turns += 1;
        if turns < 3 {
            continue;
        }
        return flaky.attempt(turns);
    }
}

#[retry(start = "0s")]
async fn match_tail(flaky: &Flaky) -> R<u32> {
    match flaky.attempt(1) {
        Ok(n) if n > 1 => Err("too much".to_owned()),
        Ok(n) => Ok(n),
        Err(error) => Err(error),
    }
}

#[retry(start = "0s")]
async fn if_tail(flaky: &Flaky) -> R<u32> {
    if let Ok(n) = flaky.attempt(1) { Ok(n) } else { Err("not yet".to_owned()) }
}

#[retry(start = "0s")]
async fn let_else(flaky: &Flaky) -> R<u32> {
    let Ok(n) = flaky.attempt(1) else {
        return Err("not yet".to_owned());
    };
    Ok(n)
}

#[retry(start = "0s")]
async fn awaits_in_the_scrutinee(flaky: &Flaky) -> R<u32> {
    let load = async || flaky.attempt(Some(1));
    while let Some(n) = load().await? {
        return Ok(n);
    }
    Ok(0)
}

#[retry(start = "0s")]
async fn every_path_leaves(flaky: &Flaky) -> R<u32> {
    if flaky.fails() {
        return Err("not yet".to_owned());
    } else {
        return Ok(1);
    }
}

#[tokio::test]
async fn body_may_end_in_any_way() {
    let flaky = Flaky::new();
    assert_third(&flaky, early_return(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, early_success(&flaky).await, ());
    let flaky = Flaky::new();
    assert_third(&flaky, only_a_return(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, labelled_break(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, labelled_block(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, only_a_loop(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, loop_that_returns(&flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, match_tail(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, if_tail(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, let_else(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, awaits_in_the_scrutinee(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, every_path_leaves(&flaky).await, 1_u32);
}

#[retry(start = "0s")]
async fn closures_return(flaky: &Flaky) -> R<u32> {
    let sign = |n: i32| -> &str {
        if n < 0 {
            return "negative";
        }
        "positive"
    };
    let parsed = (|| -> Result<u32, std::num::ParseIntError> { Ok(sign(1).len().to_string().parse()?) })();
    flaky.attempt(parsed.map_err(|error| error.to_string())?)
}

#[retry(start = "0s")]
async fn nested_async_blocks(flaky: &Flaky) -> R<u32> {
    let inner = async {
        if flaky.fails() {
            return Err(0);
        }
        Ok(1)
    };
    let outer = async move {
        let n = inner.await.map_err(|n: u32| n.to_string())?;
        Ok::<_, String>(n + 1)
    };
    outer.await
}

#[retry(start = "0s")]
async fn closures_hold_arguments(log: &mut Vec<u32>, mut n: u32, flaky: &Flaky) -> R<u32> {
    let mut step = || {
        n += 1;
        log.push(n);
    };
    step();
    yield_now().await;
    step();
    flaky.attempt(n)
}

#[tokio::test]
async fn return_in_a_closure_or_async_block_does_not_end_the_attempt() {
    let flaky = Flaky::new();
    assert_third(&flaky, closures_return(&flaky).await, 8_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, nested_async_blocks(&flaky).await, 2_u32);
    let (flaky, mut log) = (Flaky::new(), vec![]);
    assert_third(&flaky, closures_hold_arguments(&mut log, 0, &flaky).await, 6_u32);
    assert_eq!(log, [1, 2, 3, 4, 5, 6]);
}

#[retry(start = "0s")]
async fn items(flaky: &Flaky) -> R<usize> {
    use std::fmt::Write;
    const POLICY: &str = "ab";
    static CALLS: Flaky = Flaky::new();
    #[derive(Default)]
    struct Text(String);
    impl Text {
        fn add(&mut self, more: &str) -> std::fmt::Result {
            write!(self.0, "{more}")
        }
    }
    let mut text = Text::default();
    text.add(POLICY).map_err(|error| error.to_string())?;
    CALLS.fails();
    flaky.attempt(text.0.len() + CALLS.attempts() as usize)
}

enum Kind {
    #[allow(dead_code)]
    Result,
    Option,
}

#[retry(start = "0s")]
async fn imports_that_name_the_return_type(flaky: &Flaky) -> Result<u32, String> {
    use Kind::*;
    let kind = Option;
    flaky.attempt(match kind {
        Result => 0,
        Option => 1,
    })
}

#[retry(start = "0s")]
async fn glob_import_of_another_result(flaky: &Flaky) -> Result<u32, String> {
    use std::io::*;
    let read: Result<u32> = Ok(1);
    flaky.attempt(read.map_err(|error: Error| error.to_string())?)
}

#[tokio::test]
async fn items_declared_in_the_body_do_not_affect_the_expansion() {
    let flaky = Flaky::new();
    assert_third(&flaky, items(&flaky).await, 5_usize);
    let flaky = Flaky::new();
    assert_third(&flaky, imports_that_name_the_return_type(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, glob_import_of_another_result(&flaky).await, 1_u32);
}

#[retry(start = "0s")]
async fn local_rc_across_an_await(flaky: &Flaky) -> R<usize> {
    let shared = Rc::new(RefCell::new(vec![1]));
    let other = Rc::clone(&shared);
    yield_now().await;
    other.borrow_mut().push(2);
    let length = shared.borrow().len();
    flaky.attempt(length)
}

#[retry(start = "0s")]
async fn guard_until_the_end(log: &Mutex<Vec<u32>>, flaky: &Flaky) -> R<usize> {
    let mut log = log.lock().map_err(|error| error.to_string())?;
    log.push(1);
    flaky.attempt(log.len())
}

#[retry(start = "0s")]
async fn temporary_in_the_tail(log: &Mutex<Vec<u32>>, flaky: &Flaky) -> R<usize> {
    flaky.attempt(log.lock().map_err(|error| error.to_string())?.len())
}

#[retry(start = "0s")]
async fn unsafe_block(flaky: &Flaky) -> R<&'static str> {
    // SAFETY: ASCII is UTF-8.
    flaky.attempt(unsafe { std::str::from_utf8_unchecked(b"a") })
}

#[tokio::test]
async fn body_may_hold_values_that_are_not_send() {
    let flaky = Flaky::new();
    assert_third(&flaky, local_rc_across_an_await(&flaky).await, 2_usize);
    let (flaky, log) = (Flaky::new(), Mutex::new(vec![]));
    assert_third(&flaky, guard_until_the_end(&log, &flaky).await, 3_usize);
    let flaky = Flaky::new();
    assert_third(&flaky, temporary_in_the_tail(&log, &flaky).await, 3_usize);
    let flaky = Flaky::new();
    assert_third(&flaky, unsafe_block(&flaky).await, "a");
}

#[retry(start = "0s")]
async fn boxed_recursion(depth: u32, flaky: &Flaky) -> R<u32> {
    if depth == 0 {
        return flaky.attempt(0);
    }
    Ok(Box::pin(boxed_recursion(depth - 1, flaky)).await? + 1)
}

fn mutual(depth: u32, flaky: &Flaky) -> Pin<Box<dyn Future<Output = R<u32>> + Send + '_>> {
    Box::pin(mutual_recursion(depth, flaky))
}

#[retry(start = "0s")]
async fn mutual_recursion(depth: u32, flaky: &Flaky) -> R<u32> {
    if depth == 0 { flaky.attempt(0) } else { mutual(depth - 1, flaky).await }
}

#[tokio::test]
async fn recursion_is_accepted() {
    let flaky = Flaky::new();
    assert_third(&flaky, boxed_recursion(3, &flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, mutual_recursion(3, &flaky).await, 0_u32);
}

#[retry(start = "0s")]
async fn outer(outer: &Flaky, inner: &Flaky) -> R<u32> {
    #[retry(start = "0s")]
    async fn nested(flaky: &Flaky) -> R<u32> {
        flaky.attempt(1)
    }
    let n = nested(inner).await?;
    outer.attempt(n)
}

#[tokio::test]
async fn annotated_function_may_be_nested_in_another() {
    let (flaky, inner) = (Flaky::new(), Flaky::new());
    assert_third(&flaky, outer(&flaky, &inner).await, 1_u32);
    // Three attempts within the first attempt of the outer function, then one in each further attempt.
    assert_eq!(inner.attempts(), 5);
}
