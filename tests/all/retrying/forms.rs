//! The forms of the last item, and what its code may do.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use retry_runtime::{Attempt, retrying};

use crate::support::{Attempts, Fault, SECOND, all_ms, timed};

#[tokio::test(start_paused = true)]
async fn without_arguments_it_makes_up_to_three_attempts() {
    let attempts = Attempts::new();
    let outcome = retrying!(async { attempts.succeed_at(9, Fault::TRANSIENT) }).await;
    assert_eq!((outcome, attempts.count()), (Err(Fault::TRANSIENT), 3));
}

#[tokio::test(start_paused = true)]
async fn the_value_of_the_first_success_is_returned() {
    let attempts = Attempts::new();
    let outcome = retrying!(attempts = 5, start = "1s", async { attempts.succeed_at(3, Fault::TRANSIENT) }).await;
    assert_eq!((outcome, attempts.delays()), (Ok(3), all_ms([1_000, 2_000])));
}

#[tokio::test(start_paused = true)]
async fn every_form_retries() {
    let fault = Fault::TRANSIENT;
    let attempts = Attempts::new();
    assert_eq!(retrying!(async { attempts.succeed_at(2, fault) }).await, Ok(2));
    let (attempts, taken) = (Attempts::new(), String::from("taken"));
    assert_eq!(retrying!(async move { attempts.succeed_at(2, fault).map(|n| (n, taken.len())) }).await, Ok((2, 5)));
    let attempts = Attempts::new();
    assert_eq!(retrying!(async || { attempts.succeed_at(2, fault) }).await, Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(async || attempts.succeed_at(2, fault)).await, Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(async || -> Result<u32, Fault> { attempts.succeed_at(2, fault) }).await, Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(async move || -> Result<u32, Fault> { attempts.succeed_at(2, fault) },).await, Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(async |attempt| attempts.succeed_at(2, fault).map(|_| attempt.number())).await, Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(async |_| attempts.succeed_at(2, fault)).await, Ok(2));
}

#[test]
fn every_blocking_form_retries() {
    let fault = Fault::TRANSIENT;
    let attempts = Attempts::new();
    assert_eq!(retrying!(blocking, start = "0s", || attempts.succeed_at(2, fault)), Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(blocking, start = "0s", || { attempts.succeed_at(2, fault) }), Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(start = "0s", blocking, || -> Result<u32, Fault> { attempts.succeed_at(2, fault) }), Ok(2));
    let attempts = Attempts::new();
    assert_eq!(retrying!(start = "0s", blocking, move || attempts.succeed_at(2, fault)), Ok(2));
    let attempts = Attempts::new();
    let number = |attempt: &Attempt| attempt.number();
    assert_eq!(
        retrying!(blocking, start = "0s", |attempt| {
            attempts.succeed_at(2, fault)?;
            Ok::<_, Fault>(number(attempt))
        }),
        Ok(2)
    );
}

#[tokio::test(start_paused = true)]
async fn an_expression_may_contain_commas() {
    fn convert<A, B: From<A>>(value: A) -> Option<B> {
        Some(B::from(value))
    }
    assert_eq!(retrying!(blocking, attempts = 2, || convert::<u8, u32>(7)), Some(7));
    assert_eq!(retrying!(attempts = 2, async || convert::<u8, u32>(7)).await, Some(7));
}

#[tokio::test(start_paused = true)]
async fn locals_are_lent() {
    let attempts = Attempts::new();
    let mut log = Vec::new();
    let sum = &mut 0;
    let outcome = retrying!(start = "1s", async {
        let number = attempts.start();
        log.push(number);
        *sum += number;
        if number < 3 { Err(Fault::TRANSIENT) } else { Ok(*sum) }
    })
    .await;
    assert_eq!(outcome, Ok(6));
    assert_eq!((log, *sum), (vec![1, 2, 3], 6));
}

#[test]
fn locals_are_lent_to_a_blocking_closure() {
    let mut log = Vec::new();
    let outcome = retrying!(blocking, start = "0s", |attempt| {
        log.push(attempt.number());
        if attempt.is_last() { Ok(log.len()) } else { Err(Fault::TRANSIENT) }
    });
    assert_eq!((outcome, log), (Ok(3), vec![1, 2, 3]));
}

async fn fails(attempts: &Attempts) -> Result<u32, Fault> {
    attempts.start();
    Err(Fault::TRANSIENT)
}

#[tokio::test(start_paused = true)]
async fn question_mark_and_return_end_the_attempt() {
    let attempts = Attempts::new();
    let outcome = retrying!(start = "1s", async || -> Result<u32, Fault> {
        if attempts.count() == 2 {
            return Ok(7);
        }
        let page = fails(&attempts).await?;
        Ok(page + 1)
    })
    .await;
    assert_eq!((outcome, attempts.count()), (Ok(7), 2));
    let attempts = Attempts::new();
    let outcome = retrying!(blocking, start = "0s", || -> Result<u32, Fault> {
        if attempts.count() == 2 {
            return Ok(7);
        }
        attempts.start();
        Err(Fault::TRANSIENT)?;
        unreachable!()
    });
    assert_eq!((outcome, attempts.count()), (Ok(7), 2));
}

#[tokio::test(start_paused = true)]
async fn question_mark_after_the_macro_is_that_of_the_function() {
    async fn load(attempts: &Attempts) -> Result<String, Box<dyn std::error::Error>> {
        let number = retrying!(start = "1s", async { attempts.succeed_at(2, Fault::TRANSIENT) }).await?;
        let text = retrying!(blocking, start = "0s", || Ok::<_, io::Error>(format!("page {number}")))?;
        Ok(text)
    }
    assert_eq!(load(&Attempts::new()).await.unwrap(), "page 2");
}

#[tokio::test(start_paused = true)]
async fn loops_inside_and_around_the_block() {
    let attempts = Attempts::new();
    let mut pages = Vec::new();
    'pages: for page in 0.. {
        let outcome = retrying!(start = "1s", async {
            for _ in 0..3 {
                if attempts.start() % 2 == 1 {
                    continue;
                }
                break;
            }
            if attempts.count() < 4 { Err(Fault::TRANSIENT) } else { Ok(page) }
        })
        .await;
        match outcome {
            Ok(3) => break 'pages,
            Ok(page) => pages.push(page),
            Err(_) => continue 'pages,
        }
    }
    assert_eq!(pages, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn clones_are_new_for_each_attempt() {
    let (mut names, attempts) = (vec!["a".to_owned()], Attempts::new());
    let outcome = retrying!(start = "1s", clone = [names], async {
        attempts.start();
        names.push("b".to_owned());
        let length = names.len();
        drop(names);
        if attempts.count() < 3 { Err(Fault::TRANSIENT) } else { Ok(length) }
    })
    .await;
    assert_eq!(outcome, Ok(2));
    names.push("c".to_owned());
    assert_eq!(names, ["a", "c"]);
}

#[test]
fn clones_are_new_for_each_blocking_attempt() {
    let (name, attempts) = ("a".to_owned(), Attempts::new());
    let outcome = retrying!(blocking, start = "0s", clone = [name], || {
        attempts.succeed_at(3, Fault::TRANSIENT).map(|_| name)
    });
    assert_eq!(outcome, Ok(name));
}

#[tokio::test(start_paused = true)]
async fn the_policy_may_be_a_local_variable() {
    let policy = retry_runtime::Policy::fixed(SECOND).attempts(4);
    let attempts = Attempts::new();
    let call = retrying!(policy = policy, async { attempts.succeed_at(9, Fault::TRANSIENT) });
    let (outcome, time) = timed(call).await;
    assert_eq!((outcome, time, attempts.count()), (Err(Fault::TRANSIENT), SECOND * 3, 4));
}

#[tokio::test(start_paused = true)]
async fn it_works_in_methods_and_with_macros_around_it() {
    struct Client(AtomicU32);
    impl Client {
        async fn load(&mut self) -> Result<u32, Fault> {
            retrying!(start = "1s", async {
                *self.0.get_mut() += 1;
                if *self.0.get_mut() < 2 { Err(Fault::TRANSIENT) } else { Ok(self.0.load(Ordering::Relaxed)) }
            })
            .await
        }
    }
    assert_eq!(Client(AtomicU32::new(0)).load().await, Ok(2));

    macro_rules! again {
        ($attempts:expr, $body:expr) => {
            retrying!(attempts = $attempts, start = "1s", $body).await
        };
    }
    macro_rules! again_block {
        ($name:ident, $body:block) => {
            retrying!(attempts = 2, start = "1s", async |$name| $body).await
        };
    }
    let attempts = Attempts::new();
    let outcome = again!(2, async { attempts.succeed_at(9, Fault::TRANSIENT) });
    assert_eq!((outcome, attempts.count()), (Err(Fault::TRANSIENT), 2));
    assert_eq!(again_block!(n, { if n.is_last() { Ok(n.number()) } else { Err(Fault::TRANSIENT) } }), Ok(2));
}

#[tokio::test(start_paused = true)]
async fn names_of_the_expansion_do_not_meet_those_of_the_user() {
    let __retry_executor = Cell::new(1);
    let __retry_outcome = 2;
    let outcome = retrying!(async { Ok::<_, Fault>(__retry_executor.get() + __retry_outcome) }).await;
    assert_eq!(outcome, Ok(3));
}
