//! Calls with random policies and outcomes, compared with a model that is written from the documentation.
#![cfg_attr(feature = "libfuzzer", no_main)]

mod error;
mod model;
mod record;
mod script;

use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use retry_fuzz::Input;
use retry_runtime::event::Retrying;
use retry_runtime::{Attempt, Budget};
use tokio::time::sleep;

use error::Failed;
use record::{Record, Step};
use script::Script;

retry_fuzz::target!(calls);

fn calls(bytes: &[u8]) {
    let script = Script::read(&mut Input::new(bytes));
    let Ok(policy) = script.settings.builder().build() else {
        // A builder that is lenient has a valid policy for any values.
        let _ = script.settings.builder().clamp().to_string();
        return;
    };
    script::seed(&script);
    let budget = script.budget.map(|tokens| Arc::new(Budget::new().capacity(tokens)));
    // Time passes only while everything waits.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (record, outcome) = runtime.block_on(async {
        let record = Record::new();
        let operation = |attempt: Attempt| one_attempt(&script, &record, attempt);
        let hook = |retrying: &Retrying<'_, (), Failed>| {
            record.push(Step::Hook { number: retrying.attempt().number(), delay: retrying.delay() });
            if script.stops(retrying.attempt().number()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let run = policy.run(operation).condition(script.condition()).observer(&record).on_retry(hook);
        let run = if let Some(budget) = &budget { run.budget(Arc::clone(budget)) } else { run };
        let outcome = if script.cuts_off {
            until_cancelled(&script, run).await
        } else {
            until_cancelled(&script, run.to_end()).await
        };
        (record, outcome)
    });
    let tokens = budget.map(|budget| budget.tokens());
    model::check(&script, &record.steps(), outcome, tokens);
}

async fn one_attempt(script: &Script, record: &Record, attempt: Attempt) -> Result<(), Failed> {
    let number = attempt.number();
    assert_eq!(attempt.attempts(), script.settings.attempts);
    let scripted = script.outcome(number);
    if !scripted.takes.is_zero() {
        sleep(scripted.takes).await;
    }
    record.push(Step::Ran { number });
    if scripted.succeeds { Ok(()) } else { Err(Failed::Scripted(number, scripted)) }
}

/// Drops the call at the scripted time, which comes first if it is that of another event.
async fn until_cancelled<T>(script: &Script, call: impl Future<Output = T>) -> Option<T> {
    let mut cancelled = script.cancelled_after.map(|after| Box::pin(sleep(after)));
    let mut call = pin!(call);
    poll_fn(|cx| {
        let is_cancelled = cancelled.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
        if is_cancelled { Poll::Ready(None) } else { call.as_mut().poll(cx).map(Some) }
    })
    .await
}
