//! `Policy::run`: a closure for each attempt, and the settings of the call.

use std::future::pending;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use retry_runtime::event::EventLevel;
use retry_runtime::{Budget, Condition, OnError, Policy};

use crate::support::trace::record;
use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, ms, timed};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);

/// An error that implements nothing.
#[derive(PartialEq)]
struct Plain(u32);

#[tokio::test(start_paused = true)]
async fn predicate_decides_about_an_error_of_any_type() {
    let attempts = Attempts::new();
    let outcome =
        POLICY.run(|_| async { attempts.succeed_at(9, Plain(attempts.count())) }).when(|error| error.0 < 1).await;
    assert!(outcome == Err(Plain(1)));
    assert_eq!(attempts.delays(), all_ms([1000]));
    assert_eq!(POLICY.run(|_| async { Ok::<_, Plain>(7) }).when(|_| true).await.ok(), Some(7));
}

#[tokio::test(start_paused = true)]
async fn condition_decides_by_class() {
    for (errors, count) in [(OnError::Any, 3), (OnError::Never, 1)] {
        let attempts = Attempts::new();
        let condition = Condition::new().on_error(errors);
        let outcome = POLICY.run(|_| async { attempts.succeed_at(9, Fault::PERMANENT) }).condition(condition).await;
        assert_eq!((outcome, attempts.count()), (Err(Fault::PERMANENT), count));
    }
}

#[tokio::test(start_paused = true)]
async fn hook_is_called_before_each_wait_with_the_typed_error() {
    let attempts = Attempts::new();
    let mut seen = Vec::new();
    let outcome = POLICY
        .run(|attempt| async move { Err::<(), _>(Plain(attempt.number() * 10)) })
        .when(|_| true)
        .on_retry(|retrying| {
            attempts.start();
            seen.push((retrying.error().unwrap().0, retrying.attempt().number(), retrying.delay()));
        })
        .await;
    assert!(outcome == Err(Plain(30)));
    assert_eq!(seen, [(10, 1, SECOND), (20, 2, SECOND * 2)]);
    // The first one came before the wait of a second, the other one after it.
    assert_eq!(attempts.delays(), all_ms([1000]));
}

#[tokio::test(start_paused = true)]
async fn hook_can_end_the_call() {
    let attempts = Attempts::new();
    let call = |flow: fn(u32) -> ControlFlow<()>| {
        POLICY
            .run(|_| async { attempts.succeed_at(9, Fault::UNKNOWN) })
            .on_retry(move |retrying| flow(retrying.attempt().number()))
    };
    assert_eq!(timed(call(|_| ControlFlow::Break(()))).await, (Err(Fault::UNKNOWN), Duration::ZERO));
    let second = call(|number| if number == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
    assert_eq!(timed(second).await, (Err(Fault::UNKNOWN), SECOND));
    let other = POLICY.run(|_| async { Err::<(), _>(Fault::UNKNOWN) }).on_retry(|_| Err(Fault::PERMANENT)).await;
    assert_eq!(other, Err(Fault::PERMANENT));
}

#[tokio::test(start_paused = true)]
async fn closures_of_a_call_may_change_what_they_capture() {
    let (mut calls, mut asked, mut hooks) = (0, 0, 0);
    let outcome = POLICY
        .run(|_| {
            calls += 1;
            async { Err::<(), _>(Plain(0)) }
        })
        .when(|_| {
            asked += 1;
            true
        })
        .on_retry(|_| hooks += 1)
        .await;
    assert!(outcome.is_err());
    assert_eq!((calls, asked, hooks), (3, 3, 2));
}

mod polling {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn value_is_asked_for_until_it_is_ready() {
        let attempts = Attempts::new();
        let policy = POLICY.attempts(9);
        let job = policy.run(|_| async { std::io::Result::Ok(attempts.start()) }).until(|number| *number == 4);
        assert_eq!(job.await.unwrap(), 4);
        assert_eq!(attempts.delays(), all_ms([1000, 2000, 4000]));
    }

    #[tokio::test(start_paused = true)]
    async fn value_that_is_never_ready_is_not_returned() {
        let outcome = POLICY.run(|_| async { std::io::Result::Ok(7) }).until(|_| false).await;
        let error = outcome.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string()),
            (std::io::ErrorKind::TimedOut, "not ready after 3 attempts".into())
        );
        assert_eq!(POLICY.run(|_| async { Some(7) }).until(|_| false).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_ends_the_polling_with_an_error() {
        let policy = Policy::fixed(SECOND).unlimited().deadline(ms(3500));
        let (outcome, took) = timed(policy.run(|_| async { std::io::Result::Ok(7) }).until(|_| false)).await;
        assert_eq!((outcome.unwrap_err().to_string(), took), ("not ready after 4 attempts".into(), SECOND * 3));
    }

    #[tokio::test(start_paused = true)]
    async fn error_while_polling_is_a_failure_and_pays_tokens() {
        let (budget, recorder) = (Budget::new().capacity(500), Recorder::new());
        let attempts = Attempts::new();
        let answer = || match attempts.start() {
            1 => Ok(1),
            2 => Err(std::io::Error::other("lost")),
            number => Ok(number),
        };
        let policy = POLICY.attempts(9);
        let call = policy.run(|_| async { answer() }).until(|number| {
            // The retry that the failure took tokens for has got a value, and is paid back.
            assert_eq!(budget.tokens(), if *number == 3 { 495 } else { 500 });
            *number == 4
        });
        assert_eq!(call.budget(&budget).observer(&*recorder).await.unwrap(), 4);
        let kinds: Vec<_> =
            recorder.lines().into_iter().filter(|line| line.contains("NotReady") || line.contains("Failed")).collect();
        assert_eq!(
            kinds,
            ["1/9 NotReady", "2/9 AttemptFailed { class: Unknown, status: None, reason: lost }", "3/9 NotReady"]
        );
    }
}

mod chosen_delays {
    use retry_runtime::Jitter;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn function_of_the_error_decides_and_chooses_the_delay() {
        // Neither the schedule, the cap nor the jitter changes the delay.
        let policy = Policy::exponential(SECOND).attempts(9).max_delay(SECOND).jitter(Jitter::Full);
        let (attempts, recorder) = (Attempts::new(), Recorder::new());
        let outcome = policy
            .run(|_| async { Err::<(), _>(Plain(attempts.start())) })
            .pause_after(|error| [ms(7), SECOND * 7, Duration::ZERO].get(error.0 as usize - 1).copied())
            .observer(&*recorder)
            .await;
        assert!(outcome == Err(Plain(4)));
        assert_eq!(attempts.delays(), all_ms([7, 7000, 0]));
        let lines = recorder.lines();
        assert_eq!(lines.iter().filter(|line| line.contains("Chosen")).count(), 3, "{lines:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn limits_of_the_policy_apply() {
        for (policy, waits) in [(POLICY, 2), (POLICY.deadline(SECOND * 3), 1), (POLICY.deadline(SECOND * 2), 0)] {
            let call = policy.run(|_| async { Err::<(), _>("no") }).pause_after(|_| Some(SECOND * 2));
            assert_eq!(timed(call).await, (Err("no"), SECOND * 2 * waits));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn values_that_are_not_ready_follow_the_schedule() {
        let attempts = Attempts::new();
        let answer = || match attempts.start() {
            2 => Err(std::io::Error::other("lost")),
            number => Ok(number),
        };
        let call = POLICY.attempts(9).run(|_| async { answer() }).pause_after(|_| Some(ms(5))).until(|n| *n == 4).await;
        assert_eq!((call.unwrap(), attempts.delays()), (4, all_ms([1000, 5, 4000])));
    }

    #[test]
    fn blocking_call_waits_for_it() {
        let mut slept = Vec::new();
        let call = POLICY.run(|_| Err::<(), _>(Plain(1))).blocking().pause_after(|error| Some(SECOND * error.0 * 9));
        assert!(call.on_retry(|_| {}).call_with(|delay| slept.push(delay)) == Err(Plain(1)));
        assert_eq!(slept, all_ms([9000, 9000]));
    }
}

mod limits {
    use super::*;

    const LIMITED: Policy = POLICY.attempt_timeout(ms(100)).attempts(1);

    #[tokio::test(start_paused = true)]
    async fn attempt_is_cut_off_unless_the_call_says_otherwise() {
        let slow = async |_| {
            tokio::time::sleep(SECOND).await;
            Ok::<_, Fault>(())
        };
        assert_eq!(timed(LIMITED.run(slow)).await, (Err(Fault::TRANSIENT), ms(100)));
        assert_eq!(timed(LIMITED.run(slow).to_end()).await, (Ok(()), SECOND));
        assert_eq!(timed(LIMITED.run(slow).when(|_| true)).await, (Ok(()), SECOND));
        assert_eq!(timed(LIMITED.run(slow).when(|_| true).cut_off()).await, (Err(Fault::TRANSIENT), ms(100)));
        assert_eq!(timed(LIMITED.run(slow).to_end().cut_off()).await, (Err(Fault::TRANSIENT), ms(100)));
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_is_cut_off_whether_that_is_set_before_or_after_the_predicate() {
        let slow = async |_| {
            tokio::time::sleep(SECOND).await;
            Ok::<_, Fault>(())
        };
        let call = || LIMITED.run(slow).cut_off();
        assert_eq!(timed(call().when(|_| true)).await, (Err(Fault::TRANSIENT), ms(100)));
        assert_eq!(timed(call().pause_after(|_| None)).await, (Err(Fault::TRANSIENT), ms(100)));
        assert_eq!(timed(call().on_retry(|_| {}).when(|_| true).name("cut off")).await.1, ms(100));
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_ends_the_retries_of_attempts_that_run_to_their_end() {
        let attempts = Attempts::new();
        let policy = POLICY.deadline(ms(1500));
        let outcome = policy.run(|_| async { attempts.succeed_at(9, Plain(1)) }).when(|_| true).await;
        assert!(outcome.is_err());
        assert_eq!(attempts.delays(), all_ms([1000]));
    }
}

mod settings {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn name_and_observer() {
        let recorder = Recorder::new();
        for (call, name) in [("a".to_owned(), "a"), ("b".to_owned(), "b")] {
            POLICY.run(|_| async { Some(1) }).name(call).observer(&*recorder).await;
            assert_eq!(recorder.names().last().unwrap(), name);
        }
        POLICY.run(|_| async { Some(1) }).observer(&*recorder).await;
        assert_eq!(recorder.names().last().unwrap(), "retry");
        assert_eq!(recorder.lines().len(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn budget_of_a_test_or_a_client() {
        let budget = Arc::new(Budget::new().capacity(5));
        let attempts = Attempts::new();
        let call = || POLICY.run(|_| async { attempts.succeed_at(9, Fault::UNKNOWN) }).budget(budget.clone());
        call().await.unwrap_err();
        // The tokens pay for one retry.
        assert_eq!(attempts.count(), 2);
        assert_eq!(budget.tokens(), 0);
    }

    #[tokio::test]
    async fn sleep_function() {
        let slept = Mutex::new(Vec::new());
        let sleep = async |delay| slept.lock().unwrap().push(delay);
        POLICY.run(|_| async { None::<()> }).sleep(&sleep).await;
        assert_eq!(*slept.lock().unwrap(), all_ms([1000, 2000]));
    }
}

mod blocking {
    use super::*;

    #[test]
    fn operation_returns_its_outcome_and_the_thread_waits() {
        let mut slept = Vec::new();
        let mut seen = Vec::new();
        let outcome = POLICY
            .run(|attempt| if attempt.number() < 3 { Err(Plain(attempt.number())) } else { Ok("text") })
            .blocking()
            .when(|error| error.0 < 9)
            .on_retry(|retrying| seen.push(retrying.error().unwrap().0))
            .call_with(|delay| slept.push(delay));
        assert_eq!(outcome.ok(), Some("text"));
        assert_eq!((slept, seen), (all_ms([1000, 2000]), vec![1, 2]));
    }

    /// The only such call of these tests whose events are on, because the warning is emitted once in a process.
    #[test]
    fn warning_reports_once_that_the_attempt_timeout_has_no_effect() {
        let (seen, _guard) = record();
        let call = |policy: Policy| policy.run(|_| std::io::Result::Ok(1)).blocking().name("load").call().unwrap();
        let warnings = || seen.events().into_iter().filter(|event| event.message.contains("blocking")).count();
        call(POLICY.deadline(SECOND * 9));
        call(POLICY.attempt_timeout(SECOND).events(EventLevel::Off));
        assert_eq!(warnings(), 0);
        call(POLICY.attempt_timeout(SECOND));
        call(POLICY.attempt_timeout(SECOND));
        assert_eq!(warnings(), 1);
        let text = "`load` cannot cut off attempts at the `attempt_timeout` of its policy, because it is blocking: set a timeout in the \
                    client, or remove the limit from the policy";
        assert!(seen.events().iter().any(|event| event.level == "WARN" && event.message == text));
    }

    #[test]
    fn condition_decides_without_a_predicate() {
        let attempts = Attempts::new();
        let call = |error| {
            Policy::fixed(Duration::ZERO)
                .run(move |_| Err::<(), _>(error))
                .blocking()
                .on_retry(|_| {
                    attempts.start();
                })
                .call()
        };
        assert_eq!(call(Fault::PERMANENT), Err(Fault::PERMANENT));
        assert_eq!(attempts.count(), 0);
        assert_eq!(call(Fault::UNKNOWN), Err(Fault::UNKNOWN));
        assert_eq!(attempts.count(), 2);
    }
}

#[test]
fn call_can_be_spawned_and_its_future_sent() {
    fn is_send<T: Send + 'static>(_: T) {}
    is_send(const { &POLICY }.run(|_| async { Err::<(), _>(Plain(1)) }).when(|_| true).on_retry(|_| {}));
}

#[tokio::test(start_paused = true)]
async fn dropped_call_is_cancelled() {
    let recorder = Recorder::new();
    let call = POLICY.run(|_| pending::<Option<()>>()).observer(&*recorder);
    tokio::time::timeout(SECOND, call).await.unwrap_err();
    assert_eq!(recorder.lines(), ["1/3 AttemptStarted", "1/3 Cancelled"]);
    drop(POLICY.run(|_| pending::<Option<()>>()).observer(&*recorder));
    assert_eq!(recorder.lines(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn condition_and_predicate_keep_until_in_either_order() {
    let attempts = Attempts::new();
    let call =
        POLICY.run(|_| async { std::io::Result::Ok(attempts.start()) }).until(|number| *number == 2).when(|_| true);
    assert_eq!(call.await.unwrap(), 2);
    let call = POLICY.run(|_| async { std::io::Result::Ok(attempts.start()) }).until(|number| *number == 4);
    assert_eq!(call.condition(Condition::new()).await.unwrap(), 4);
}
