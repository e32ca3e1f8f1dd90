//! Forms of hedged functions: methods, generic functions, opaque values, and futures that are `Send`.

use std::rc::Rc;

use retry_runtime::{Executor, Policy, TimedOut, retry};
use tokio::time::sleep;

use super::Outcome;
use crate::support::{Attempts, Fault, SECOND, ms, timed};

struct Client {
    attempts: Attempts,
    name: String,
}

#[allow(clippy::manual_async_fn, reason = "one of the tested forms")]
impl Client {
    #[retry(hedge = "50ms", bind = attempt, clone = [text], on_error = "transient")]
    async fn load(&self, text: String, (a, _b): (u32, u32), more: impl Fn(u32) -> u32) -> Outcome {
        let number = self.attempts.start();
        let mut text = text;
        text.push_str(&self.name);
        if number == 1 {
            sleep(SECOND).await;
            return Err(Fault::PERMANENT);
        }
        let value = fails_if(number > 9).await?;
        let length = text.into_bytes().len() as u32;
        Ok(more(a) + value + length + attempt.number())
    }

    #[retry(hedge = "50ms")]
    fn returned<'a>(&'a self, text: &'a str) -> impl Future<Output = Result<&'a str, Fault>> + Send + 'a {
        async move {
            if self.attempts.start() == 1 {
                sleep(SECOND).await;
            }
            Ok(text)
        }
    }
}

async fn fails_if(fails: bool) -> Outcome {
    if fails { Err(Fault::TRANSIENT) } else { Ok(100) }
}

#[tokio::test(start_paused = true)]
async fn methods_may_be_hedged() {
    let client = Client { attempts: Attempts::new(), name: "name".to_owned() };
    let call = client.load("text".to_owned(), (1000, 2), |n| n * 2);
    assert_eq!(timed(call).await, (Ok(2000 + 100 + 8 + 1), ms(50)));
    let client = Client { attempts: Attempts::new(), name: String::new() };
    assert_eq!(timed(client.returned("text")).await, (Ok("text"), ms(50)));
}

#[async_trait::async_trait]
trait Load {
    async fn load(&self, text: &str) -> Result<usize, Fault>;
}

#[async_trait::async_trait]
impl Load for Attempts {
    #[retry(hedge = "50ms")]
    async fn load(&self, text: &str) -> Result<usize, Fault> {
        if self.start() == 1 {
            sleep(SECOND).await;
        }
        Ok(text.len())
    }
}

#[tokio::test(start_paused = true)]
async fn async_trait_methods_may_be_hedged() {
    assert_eq!(timed(Attempts::new().load("text")).await, (Ok(4), ms(50)));
}

#[retry(hedge = "50ms")]
async fn generic<T: Clone, E>(attempts: &Attempts, value: &T) -> Result<T, E> {
    if attempts.start() == 1 {
        sleep(SECOND).await;
    }
    Ok(value.clone())
}

#[tokio::test(start_paused = true)]
async fn generic_functions_may_be_hedged() {
    assert_eq!(timed(generic::<_, String>(&Attempts::new(), &[7])).await, (Ok([7]), ms(50)));
}

#[retry(hedge = "50ms", on_ok = |n| *n.to_string() == *"")]
async fn opaque(attempts: &Attempts) -> Result<impl ToString + use<>, Fault> {
    if attempts.start() == 1 {
        sleep(SECOND).await;
    }
    Ok(attempts.count())
}

#[tokio::test(start_paused = true)]
async fn functions_with_an_opaque_value_may_be_hedged() {
    assert_eq!(opaque(&Attempts::new()).await.unwrap().to_string(), "2");
}

/// An error that is not `Send`.
#[derive(Debug)]
struct Local(#[expect(dead_code, reason = "makes the type `!Send`")] Rc<()>);

impl From<TimedOut> for Local {
    fn from(_: TimedOut) -> Self {
        Self(Rc::default())
    }
}

#[retry(hedge = "50ms", start = "0s", deadline = "1m")]
async fn outer(text: &str, attempts: &Attempts) -> Result<usize, Local> {
    inner(text, attempts).await
}

#[retry(hedge = "50ms", start = "0s", nested = "once")]
async fn inner(text: &str, attempts: &Attempts) -> Result<usize, Local> {
    innermost(text, attempts).await
}

#[retry(hedge = "50ms", start = "0s")]
async fn innermost(text: &str, attempts: &Attempts) -> Result<usize, Local> {
    if attempts.start() < 3 {
        tokio::task::yield_now().await;
        return Err(Local(Rc::default()));
    }
    Ok(text.len())
}

#[tokio::test(start_paused = true)]
async fn nested_hedged_functions_can_be_spawned() {
    let call = async { outer("text", &Attempts::new()).await.map_err(drop) };
    assert_eq!(tokio::spawn(call).await.unwrap(), Ok(4));
    let looped = async {
        let attempts = Attempts::new();
        let mut retry = Executor::new(&const { Policy::new() });
        retry.attempt(outer("text", &attempts)).await.map_err(drop)
    };
    assert_eq!(tokio::spawn(looped).await.unwrap(), Ok(4));
}

/// Each copy has its own clone, so the argument need not be `Sync`.
#[tokio::test(start_paused = true)]
async fn cloned_argument_that_is_not_sync_keeps_the_future_send() {
    #[retry(hedge = "50ms", clone = [service])]
    async fn call(mut service: std::cell::Cell<u32>, attempts: &Attempts) -> Outcome {
        *service.get_mut() += attempts.start();
        if service.get() == 1 {
            sleep(SECOND).await;
        }
        Ok(service.into_inner())
    }
    let call = async { call(std::cell::Cell::new(0), &Attempts::new()).await };
    assert_eq!(tokio::spawn(call).await.unwrap(), Ok(2));
}
