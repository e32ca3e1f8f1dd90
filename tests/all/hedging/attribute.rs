//! The arguments `hedge` and `hedge_max` of the attribute.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use retry_runtime::{Budget, Policy, retry};
use tokio::time::sleep;

use super::{Outcome, Plan};
use crate::support::trace::record;
use crate::support::{Attempts, FakeResponse, Fault, Recorder, SECOND, ms, timed};

#[retry(hedge = "50ms", backoff = "fixed", start = "1s")]
async fn twice<const N: usize>(plan: &Plan<N>) -> Outcome {
    plan.copy().await
}

#[tokio::test(start_paused = true)]
async fn first_success_wins_and_the_other_copies_are_dropped() {
    for (first, second, outcome, took, dropped) in
        [(500, 20, 2, 70, vec![1]), (60, 500, 1, 60, vec![2]), (50, 1, 1, 50, vec![])]
    {
        let plan = Plan::new([(ms(first), None), (ms(second), None)]);
        let (won, when) = timed(twice(&plan)).await;
        assert_eq!((won, when, plan.copies.dropped()), (Ok(outcome), ms(took), dropped));
    }
}

#[tokio::test(start_paused = true)]
async fn retry_follows_when_all_copies_have_failed() {
    let fails = |after| (ms(after), Some(Fault::TRANSIENT));
    // The first copy fails after 60 ms, the second one at 150 ms. The next attempt begins a second later.
    let plan = Plan::new([fails(60), fails(100), (ms(10), None)]);
    assert_eq!(timed(twice(&plan)).await, (Ok(3), ms(150) + SECOND + ms(10)));
    // A copy that fails within 50 ms remains the only one.
    let plan = Plan::new([fails(10), (ms(10), None)]);
    assert_eq!(timed(twice(&plan)).await, (Ok(2), ms(10) + SECOND + ms(10)));
    // Each attempt has its own copies.
    let plan = Plan::new([fails(60), fails(10), (ms(500), None), (ms(20), None)]);
    assert_eq!(timed(twice(&plan)).await, (Ok(4), ms(60) + SECOND + ms(70)));
    // The last failure is the outcome.
    let plan = Plan::new([fails(60), (ms(100), Some(Fault::PERMANENT))]);
    assert_eq!(timed(twice(&plan)).await, (Err(Fault::PERMANENT), ms(150)));
}

#[tokio::test(start_paused = true)]
async fn hedge_max_limits_the_copies() {
    const MAX: u32 = 4;
    const DELAY: Duration = Duration::from_millis(20);

    #[retry(hedge = "50ms", hedge_max = 3)]
    async fn three(attempts: &Attempts) -> Outcome {
        attempts.start();
        sleep(SECOND).await;
        Ok(1)
    }
    #[retry(hedge = DELAY, hedge_max = MAX)]
    async fn four(attempts: &Attempts) -> Outcome {
        attempts.start();
        sleep(SECOND).await;
        Ok(1)
    }
    let attempts = Attempts::new();
    three(&attempts).await.unwrap();
    assert_eq!(attempts.delays(), [ms(50), ms(50)]);
    let attempts = Attempts::new();
    four(&attempts).await.unwrap();
    assert_eq!(attempts.delays(), [ms(20), ms(20), ms(20)]);
}

#[tokio::test(start_paused = true)]
async fn condition_of_the_function_decides_which_outcome_wins() {
    macro_rules! wins {
        (($($arguments:tt)*) $output:ty, $first:expr) => {{
            #[retry(hedge = "50ms", start = "1ms", attempts = 2, $($arguments)*)]
            async fn call(attempts: &Attempts) -> $output {
                if attempts.start() == 1 {
                    sleep(ms(60)).await;
                    return $first;
                }
                sleep(ms(100)).await;
                Ok(FakeResponse(200))
            }
            timed(call(&Attempts::new())).await.1
        }};
    }
    type Response = Result<FakeResponse, String>;
    // The first copy ends after 60 ms, the second one after 150 ms. Those of the next attempt end after 251 and 301 ms.
    assert_eq!(wins!(() Response, Ok(FakeResponse(200))), ms(60));
    assert_eq!(wins!(() Response, Ok(FakeResponse(503))), ms(150));
    assert_eq!(wins!(() Response, Ok(FakeResponse(404))), ms(150));
    assert_eq!(wins!(() Response, Err(String::new())), ms(150));
    assert_eq!(wins!(() anyhow::Result<FakeResponse>, Err(io::Error::from(ErrorKind::InvalidInput).into())), ms(150));
    assert_eq!(wins!((on_ok = |response| response.0 == 200) Response, Ok(FakeResponse(200))), ms(301));
    assert_eq!(wins!((on_status = [200]) Response, Ok(FakeResponse(200))), ms(301));
}

#[tokio::test(start_paused = true)]
async fn copies_take_tokens_from_the_budget_of_the_policy() {
    static BUDGET: Budget = Budget::new().capacity(10);
    static OTHER: Budget = Budget::new().capacity(10);
    const POLICY: Policy = Policy::fixed(Duration::ZERO).budget(|| &OTHER);

    #[retry(hedge = "50ms", hedge_max = 9, budget = BUDGET)]
    async fn call(attempts: &Attempts) -> Outcome {
        attempts.start();
        sleep(SECOND).await;
        Ok(1)
    }
    #[retry(hedge = "50ms", hedge_max = 9, policy = POLICY)]
    async fn with_a_policy(attempts: &Attempts) -> Outcome {
        attempts.start();
        sleep(SECOND).await;
        Ok(1)
    }
    let attempts = Attempts::new();
    call(&attempts).await.unwrap();
    // Two copies take all tokens, and the success returns one.
    assert_eq!((attempts.count(), BUDGET.tokens(), BUDGET.refusals()), (3, 1, 6));
    let attempts = Attempts::new();
    with_a_policy(&attempts).await.unwrap();
    assert_eq!((attempts.count(), OTHER.tokens(), OTHER.refusals()), (3, 1, 6));
}

#[tokio::test(start_paused = true)]
async fn time_limits_include_all_copies() {
    #[retry(hedge = "50ms", hedge_max = 3, attempts = 2, start = "1s", attempt_timeout = "120ms")]
    async fn limited(plan: &Plan<6>) -> Outcome {
        plan.copy().await
    }
    let plan = Plan::new([(SECOND * 9, None); 6]);
    assert_eq!(timed(limited(&plan)).await, (Err(Fault::TRANSIENT), ms(120) + SECOND + ms(120)));
    assert_eq!((plan.attempts.count(), plan.copies.dropped().len()), (6, 6));

    #[retry(hedge = "50ms", deadline = "70ms", start = "1ms")]
    async fn under_a_deadline(plan: &Plan<2>, inner: &Attempts) -> Outcome {
        Policy::fixed(ms(15))
            .attempts(9)
            .run(async |_| {
                inner.start();
                Err(Fault::TRANSIENT)
            })
            .await
            .or(plan.copy().await)
    }
    let (plan, inner) = (Plan::new([(SECOND * 9, None); 2]), Attempts::new());
    let (_, took) = timed(under_a_deadline(&plan, &inner)).await;
    assert_eq!(took, ms(70));
    // The nested call sees the deadline. It makes attempts at 0, 15, 30, 45 and 60 ms, and in the second copy at 50 and
    // 65 ms.
    assert_eq!(inner.count(), 7);
}

#[tokio::test(start_paused = true)]
async fn failure_retried_inside_the_copies_is_not_retried_outside() {
    #[retry(start = "0s", attempts = 3)]
    async fn inside(attempts: &Attempts) -> Outcome {
        attempts.start();
        sleep(ms(60)).await;
        Err(Fault::TRANSIENT)
    }
    #[retry(hedge = "50ms", start = "1s", nested = "once")]
    async fn once(attempts: &Attempts) -> Outcome {
        inside(attempts).await
    }
    #[retry(hedge = "50ms", start = "1s")]
    async fn each(attempts: &Attempts) -> Outcome {
        inside(attempts).await
    }
    let attempts = Attempts::new();
    once(&attempts).await.unwrap_err();
    assert_eq!(attempts.count(), 2 * 3);
    let attempts = Attempts::new();
    each(&attempts).await.unwrap_err();
    assert_eq!(attempts.count(), 3 * 2 * 3);
}

#[tokio::test(start_paused = true)]
async fn each_copy_emits_an_event() {
    #[retry(hedge = "50ms", hedge_max = 3, observer = recorder, name = "call")]
    async fn call(recorder: &Recorder) -> Outcome {
        sleep(SECOND).await;
        tracing::info!(target: "retry", "inside");
        Ok(1)
    }
    let (recorder, (trace, _guard)) = (Recorder::new(), record());
    call(&recorder).await.unwrap();
    assert_eq!(
        recorder.lines(),
        [
            "1/3 AttemptStarted",
            "1/3 Hedged { copy: 2, after: 50ms }",
            "1/3 Hedged { copy: 3, after: 100ms }",
            "1/3 Succeeded"
        ]
    );
    let events: Vec<_> = trace.events().into_iter().filter(|event| event.target == "retry").collect();
    assert_eq!(events[1].message, "attempt 1 of 3: copy 2 starts after 50ms");
    assert_eq!((events[1].level.as_str(), events[1].fields["copy"].as_str()), ("DEBUG", "2"));
    let inside = events.iter().find(|event| event.message == "inside").unwrap();
    assert_eq!(inside.span.as_ref().unwrap().name, "attempt");
}

#[tokio::test(start_paused = true)]
async fn copies_take_tokens_from_a_budget_of_an_expression() {
    #[retry(hedge = "50ms", attempts = 2, start = "1s", budget = budget)]
    async fn call(budget: &Budget) -> Result<(), Fault> {
        sleep(SECOND).await;
        Ok(())
    }
    let budget = Budget::new().capacity(500);
    call(&budget).await.unwrap();
    // The copy takes 5, and the success gives 1 back.
    assert_eq!(budget.tokens(), 496);
}

#[tokio::test(start_paused = true)]
async fn copy_rejected_by_the_budget_emits_no_event() {
    static BUDGET: Budget = Budget::new().capacity(5);
    #[retry(hedge = "50ms", hedge_max = 4, budget = BUDGET, observer = recorder)]
    async fn call(recorder: &Recorder) -> Outcome {
        sleep(SECOND).await;
        Ok(1)
    }
    let recorder = Recorder::new();
    call(&recorder).await.unwrap();
    assert_eq!(recorder.lines().iter().filter(|line| line.contains("Hedged")).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn custom_sleep_delays_the_copies() {
    static WAITS: Mutex<Vec<Duration>> = Mutex::new(Vec::new());

    fn recorded(delay: Duration) -> tokio::time::Sleep {
        WAITS.lock().unwrap().push(delay);
        sleep(delay)
    }
    #[retry(hedge = "50ms", start = "1s", sleep = recorded)]
    async fn call(plan: &Plan<3>) -> Outcome {
        plan.copy().await
    }
    let plan = Plan::new([(ms(60), Some(Fault::TRANSIENT)), (ms(10), Some(Fault::TRANSIENT)), (ms(1), None)]);
    assert_eq!(timed(call(&plan)).await, (Ok(3), ms(60) + SECOND + ms(1)));
    assert_eq!(*WAITS.lock().unwrap(), [ms(50), SECOND, ms(50)]);
}

#[tokio::test]
async fn sleep_that_returns_at_once_does_not_loop_forever() {
    static BUDGET: Budget = Budget::new().capacity(5);
    fn no_sleep(_: Duration) -> std::future::Ready<()> {
        std::future::ready(())
    }
    #[retry(hedge = "50ms", hedge_max = 4, budget = BUDGET, sleep = no_sleep)]
    async fn call(attempts: &Attempts) -> Outcome {
        if attempts.start() == 1 {
            std::future::pending::<()>().await;
        }
        Ok(1)
    }
    let attempts = Attempts::new();
    call(&attempts).await.unwrap();
    assert_eq!(attempts.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn dropped_function_call_drops_all_copies() {
    let plan = Plan::new([(SECOND, None), (SECOND, None)]);
    tokio::time::timeout(ms(100), twice(&plan)).await.unwrap_err();
    assert_eq!(plan.copies.dropped(), [1, 2]);
}
