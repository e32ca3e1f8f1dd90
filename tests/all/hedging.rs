//! Hedged attempts: which copy wins, which copies are dropped, and what takes tokens from the budget.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use retry_runtime::{Budget, Hedge, Policy};
use tokio::time::sleep;

use crate::support::{Attempts, Fault, SECOND, ms, timed};

const HEDGE: Hedge = Hedge::after(Duration::from_millis(50));

/// Copies that take a given time and then return their number or an error. Records the copies that are dropped before their
/// end.
#[derive(Default)]
struct Copies {
    dropped: Mutex<Vec<u32>>,
}

struct Running<'a>(&'a Copies, u32, bool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.2 {
            self.0.dropped.lock().unwrap().push(self.1);
        }
    }
}

impl Copies {
    async fn run(&self, number: u32, takes: Duration, error: Option<Fault>) -> Result<u32, Fault> {
        let mut running = Running(self, number, false);
        sleep(takes).await;
        running.2 = true;
        error.map_or(Ok(number), Err)
    }

    fn dropped(&self) -> Vec<u32> {
        self.dropped.lock().unwrap().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn fast_attempt_starts_no_copy() {
    let attempts = Attempts::new();
    let (outcome, took) = timed(HEDGE.run(|_| async {
        attempts.start();
        sleep(ms(50)).await;
        Ok::<_, Fault>(())
    }))
    .await;
    outcome.unwrap();
    assert_eq!((attempts.count(), took), (1, ms(50)));
}

#[tokio::test(start_paused = true)]
async fn first_success_wins_and_the_other_copies_are_dropped() {
    let copies = Copies::default();
    let takes = [ms(500), ms(20)];
    let call = HEDGE.run(|number| copies.run(number, takes[number as usize - 1], None));
    let (outcome, took) = timed(call).await;
    assert_eq!((outcome, took, copies.dropped()), (Ok(2), ms(70), vec![1]));
    // The first copy may still win.
    let copies = Copies::default();
    let takes = [ms(60), ms(500)];
    let (outcome, took) = timed(HEDGE.run(|number| copies.run(number, takes[number as usize - 1], None))).await;
    assert_eq!((outcome, took, copies.dropped()), (Ok(1), ms(60), vec![2]));
}

#[tokio::test(start_paused = true)]
async fn copies_start_at_regular_intervals_up_to_the_maximum() {
    for (hedge, starts) in [(HEDGE, 2), (HEDGE.max(4), 4)] {
        let attempts = Attempts::new();
        let call = hedge.run(|_| async {
            attempts.start();
            sleep(SECOND).await;
            Ok::<_, Fault>(())
        });
        call.await.unwrap();
        assert_eq!(attempts.count(), starts);
        assert!(attempts.delays().iter().all(|delay| *delay == ms(50)), "{:?}", attempts.delays());
    }
}

#[tokio::test(start_paused = true)]
async fn failure_waits_for_the_running_copies() {
    let copies = Copies::default();
    let takes = [ms(60), ms(100)];
    let errors = [Some(Fault::TRANSIENT), None];
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, takes[n as usize - 1], errors[n as usize - 1]))).await;
    assert_eq!((outcome, took), (Ok(2), ms(150)));
    let errors = [Some(Fault::TRANSIENT), Some(Fault::PERMANENT)];
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, takes[n as usize - 1], errors[n as usize - 1]))).await;
    assert_eq!((outcome, took), (Err(Fault::PERMANENT), ms(150)));
    // A failure of the only copy is returned at once: retries are up to the loop.
    let (outcome, took) = timed(HEDGE.run(|n| copies.run(n, ms(10), Some(Fault::TRANSIENT)))).await;
    assert_eq!((outcome, took), (Err(Fault::TRANSIENT), ms(10)));
}

#[tokio::test(start_paused = true)]
async fn copies_take_tokens_from_the_budget() {
    static BUDGET: Budget = Budget::new().capacity(10);
    let hedge = HEDGE.max(9).budget(|| &BUDGET);
    let attempts = Attempts::new();
    let call = hedge.run(|_| async {
        attempts.start();
        sleep(SECOND).await;
        Ok::<_, Fault>(())
    });
    call.await.unwrap();
    assert_eq!((attempts.count(), BUDGET.tokens()), (3, 0));
    assert!(BUDGET.refusals() > 0);
}

#[tokio::test(start_paused = true)]
async fn dropped_call_drops_all_copies() {
    let copies = Copies::default();
    let call = HEDGE.run(|number| copies.run(number, SECOND * 9, None));
    tokio::time::timeout(ms(100), call).await.unwrap_err();
    assert_eq!(copies.dropped(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn attempts_of_a_policy_may_be_hedged() {
    let calls = AtomicU32::new(0);
    let policy = Policy::fixed(SECOND).attempts(2);
    let call = policy.run(|_| {
        HEDGE.run(|_| async {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            sleep(ms(60)).await;
            if call < 2 { Err(Fault::TRANSIENT) } else { Ok(call) }
        })
    });
    let (outcome, took) = timed(call).await;
    assert_eq!((outcome, took), (Ok(2), ms(60 + 50) + SECOND + ms(60)));
}

#[tokio::test(start_paused = true)]
async fn hedged_future_can_be_spawned() {
    let call = tokio::spawn(async { HEDGE.run(|number| async move { Ok::<_, Fault>(number) }).await });
    assert_eq!(call.await.unwrap(), Ok(1));
}

/// The arguments `hedge` and `hedge_max` of the attribute.
mod annotated {
    use std::io::{self, ErrorKind};
    use std::rc::Rc;

    use retry_runtime::breaker::{BreakerOpen, BreakerState};
    use retry_runtime::{Breaker, Executor, TimedOut, retry};

    use super::*;
    use crate::support::{FakeResponse, Recorder};
    use crate::trace::record;

    type Outcome = Result<u32, Fault>;

    /// The duration of each copy, and its error if it fails.
    struct Plan<const N: usize> {
        attempts: Attempts,
        copies: Copies,
        takes: [(Duration, Option<Fault>); N],
    }

    impl<const N: usize> Plan<N> {
        fn new(takes: [(Duration, Option<Fault>); N]) -> Self {
            Self { attempts: Attempts::new(), copies: Copies::default(), takes }
        }

        async fn copy(&self) -> Outcome {
            let number = self.attempts.start();
            let (takes, error) = self.takes[number as usize - 1];
            self.copies.run(number, takes, error).await
        }
    }

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
        assert_eq!(
            wins!(() anyhow::Result<FakeResponse>, Err(io::Error::from(ErrorKind::InvalidInput).into())),
            ms(150)
        );
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
    async fn each_copy_goes_through_the_breaker() {
        static BREAKER: Breaker = Breaker::new().minimum_calls(2);

        #[retry(hedge = "50ms", hedge_max = 3, attempts = 1, breaker = BREAKER)]
        async fn call(attempts: &Attempts) -> io::Result<u32> {
            let number = attempts.start();
            sleep(ms(if number == 3 { 500 } else { 60 })).await;
            Err(ErrorKind::ConnectionReset.into())
        }
        let attempts = Attempts::new();
        // Two of the three failures open it.
        call(&attempts).await.unwrap_err();
        assert_eq!((attempts.count(), BREAKER.state()), (3, BreakerState::Open));
        let error = call(&attempts).await.unwrap_err();
        assert!(error.get_ref().unwrap().is::<BreakerOpen>());
        assert_eq!(attempts.count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_counts_copies_that_are_cut_off_but_not_losers() {
        static BREAKER: Breaker = Breaker::new().minimum_calls(4);

        #[retry(hedge = "50ms", attempts = 1, attempt_timeout = "200ms", breaker = BREAKER)]
        async fn call(plan: &Plan<2>) -> io::Result<u32> {
            plan.copy().await.map_err(io::Error::other)
        }
        for _ in 0..9 {
            call(&Plan::new([(SECOND, None), (ms(10), None)])).await.unwrap();
        }
        assert_eq!(BREAKER.state(), BreakerState::Closed);
        static LATE: Breaker = Breaker::new().minimum_calls(4);

        #[retry(hedge = "50ms", attempts = 1, attempt_timeout = "200ms", breaker = LATE)]
        async fn late() -> io::Result<u32> {
            std::future::pending().await
        }
        late().await.unwrap_err();
        assert_eq!(LATE.state(), BreakerState::Closed);
        late().await.unwrap_err();
        assert_eq!(LATE.state(), BreakerState::Open);
    }

    /// Forms of hedged functions, and their borrows.
    mod forms {
        use super::*;

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

    #[tokio::test(start_paused = true)]
    async fn dropped_function_call_drops_all_copies() {
        let plan = Plan::new([(SECOND, None), (SECOND, None)]);
        tokio::time::timeout(ms(100), twice(&plan)).await.unwrap_err();
        assert_eq!(plan.copies.dropped(), [1, 2]);
    }
}
