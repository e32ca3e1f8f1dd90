//! Functions that macros make, and macros in bodies.

use retry_runtime::retry;

use super::{Flaky, R, assert_third};

// https://github.com/dtolnay/async-trait/issues/46, https://github.com/dtolnay/async-trait/issues/104
macro_rules! function {
    ($(#[$attribute:meta])* $visibility:vis $name:ident($flaky:ident) -> $ok:ty, $n:literal, $delay:literal, $body:block) => {
        $(#[$attribute])*
        #[retry(attempts = $n, start = $delay)]
        $visibility async fn $name($flaky: &Flaky) -> R<$ok> $body
    };
}

function!(block(flaky) -> u32, 3, "0s", {
    flaky.give(())?;
    Ok(1)
});
function!(#[inline] pub(super) with_attributes(flaky) -> Vec<u8>, 3, "0s", { flaky.give(vec![1]) });
function!(returning(flaky) -> u32, 3, "0s", {
    if flaky.fails() {
        return Err("not yet".to_owned());
    }
    Ok(1)
});

macro_rules! from_expression {
    ($name:ident, $flaky:ident, $condition:expr, $body:expr) => {
        #[retry(start = "0s", on_error = $condition)]
        async fn $name($flaky: &Flaky) -> R<u32> {
            let n: u32 = $body;
            $flaky.give(n)
        }
    };
}

from_expression!(expression, flaky, |error: &String| error == "not yet", 1 + 1);

macro_rules! item {
    ($item:item) => {
        #[retry(start = "0s")]
        $item
    };
}

item! {
    async fn whole_item(flaky: &Flaky) -> R<u32> {
        flaky.give(1)
    }
}

macro_rules! tokens {
    ($(#[$arguments:meta])? fn $($function:tt)*) => {
        $(#[$arguments])?
        async fn $($function)*
    };
}

tokens! {
    #[retry(start = "0s")]
    fn loose_tokens(flaky: &Flaky) -> R<u32> { flaky.give(1) }
}

/// The function's own names are the macro's.
macro_rules! hygienic {
    ($name:ident, $ok:ty, $value:expr) => {
        #[retry(start = "0s")]
        async fn $name(flaky: &Flaky) -> R<$ok> {
            let outcome = $value;
            flaky.give(outcome)
        }
    };
}

hygienic!(names_of_the_macro, &'static str, "a");

macro_rules! method {
    ($name:ident, $receiver:ident, $body:expr) => {
        #[retry(start = "0s")]
        async fn $name(&$receiver) -> R<u32> {
            $body
        }
    };
}

struct Client(Flaky);

impl Client {
    method!(of_a_macro, self, self.0.give(1));
}

#[tokio::test]
async fn functions_made_by_macros() {
    let flaky = Flaky::new();
    assert_third(&flaky, block(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, with_attributes(&flaky).await, [1]);
    let flaky = Flaky::new();
    assert_third(&flaky, returning(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, expression(&flaky).await, 2_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, whole_item(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, loose_tokens(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, names_of_the_macro(&flaky).await, "a");
    let client = Client(Flaky::new());
    assert_third(&client.0, client.of_a_macro().await, 1_u32);
}

macro_rules! check {
    ($outcome:expr) => {
        match $outcome {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}

macro_rules! ok {
    ($($value:tt)*) => { Ok($($value)*) };
}

#[retry(start = "0s")]
async fn macro_that_returns(flaky: &Flaky) -> R<u32> {
    let n = check!(flaky.give(1));
    ok!(n)
}

#[retry(start = "0s")]
async fn standard_macros(flaky: &Flaky) -> R<String> {
    let list = vec![1, 2];
    debug_assert!(matches!(list[..], [1, _]));
    print!("");
    flaky.give(format!("{list:?}"))
}

#[retry(start = "0s")]
async fn select(flaky: &Flaky) -> R<u32> {
    tokio::select! {
        biased;
        outcome = async { flaky.give(1) } => outcome,
        () = std::future::pending() => Err("never".to_owned()),
    }
}

#[retry(start = "0s")]
async fn select_that_returns(flaky: &Flaky) -> R<u32> {
    tokio::select! {
        outcome = async { flaky.give(1) } => return outcome,
        else => {}
    }
    #[allow(unreachable_code)]
    Ok(0)
}

#[retry(start = "0s")]
async fn join(flaky: &Flaky) -> R<u32> {
    let (one, two) = tokio::join!(async { 1 }, async { flaky.give(2) });
    Ok(one + two?)
}

#[retry(start = "0s")]
async fn try_join(flaky: &Flaky) -> R<u32> {
    let (one, two) = tokio::try_join!(async { Ok::<_, String>(1) }, async { flaky.give(2) })?;
    Ok(one + two)
}

#[retry(start = "0s")]
async fn pin(flaky: &Flaky) -> R<u32> {
    let future = async { flaky.give(1) };
    tokio::pin!(future);
    future.await
}

#[retry(start = "0s")]
async fn ensure(flaky: &Flaky) -> anyhow::Result<u32> {
    anyhow::ensure!(!flaky.fails(), "not yet");
    if false {
        anyhow::bail!("never");
    }
    Ok(1)
}

#[tokio::test]
async fn macros_in_bodies() {
    let flaky = Flaky::new();
    assert_third(&flaky, macro_that_returns(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, standard_macros(&flaky).await, "[1, 2]");
    let flaky = Flaky::new();
    assert_third(&flaky, select(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, select_that_returns(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, join(&flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, try_join(&flaky).await, 3_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, pin(&flaky).await, 1_u32);
    let flaky = Flaky::new();
    assert_third(&flaky, ensure(&flaky).await, 1_u32);
}
