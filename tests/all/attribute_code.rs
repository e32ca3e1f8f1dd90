//! Arguments of the attribute that are code: hooks, polling, backoff closures, and budgets and breakers of an expression.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use retry_runtime::breaker::{BreakerOpen, BreakerState};
use retry_runtime::event::Retrying;
use retry_runtime::{Attempt, Breaker, Budget, Policy, retry};

use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, ms, timed};

mod on_retry {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closure_sees_the_typed_error_the_attempt_and_the_delay_before_each_wait() {
        #[retry(start = "1s", on_retry = |retrying| {
            attempts.start();
            seen.push((retrying.error().copied(), retrying.attempt().number(), retrying.delay()));
        })]
        async fn call(attempts: &Attempts, seen: &mut Vec<(Option<Fault>, u32, Duration)>) -> Result<(), Fault> {
            Err(Fault::UNKNOWN)
        }
        let (attempts, mut seen) = (Attempts::new(), Vec::new());
        assert_eq!(call(&attempts, &mut seen).await, Err(Fault::UNKNOWN));
        assert_eq!(seen, [(Some(Fault::UNKNOWN), 1, SECOND), (Some(Fault::UNKNOWN), 2, SECOND * 2)]);
        assert_eq!(attempts.delays(), all_ms([1000]));
    }

    #[tokio::test(start_paused = true)]
    async fn closure_may_change_what_the_body_uses() {
        #[retry(start = "1s", on_retry = |_| client.push_str("+fresh"))]
        async fn call(client: &mut String) -> Result<String, Fault> {
            client.push('!');
            if client.len() < 10 { Err(Fault::UNKNOWN) } else { Ok(client.clone()) }
        }
        assert_eq!(call(&mut String::from("old")).await.unwrap(), "old!+fresh!");
    }

    #[tokio::test(start_paused = true)]
    async fn path_of_a_function() {
        fn ended(retrying: &Retrying<'_, (), Fault>) -> ControlFlow<()> {
            if retrying.attempt().number() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        #[retry(start = "1s", attempts = 9, on_retry = ended, observer = recorder)]
        async fn call(recorder: &Recorder, attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::UNKNOWN)
        }
        let (recorder, attempts) = (Recorder::new(), Attempts::new());
        assert_eq!(call(&recorder, &attempts).await, Err(Fault::UNKNOWN));
        assert_eq!(attempts.delays(), all_ms([1000]));
        assert_eq!(recorder.lines().last().unwrap(), "2/9 GaveUp(Stopped)");
    }

    #[tokio::test(start_paused = true)]
    async fn error_of_the_hook_replaces_what_failed() {
        #[retry(start = "1s", on_retry = |_| Err(Fault::PERMANENT))]
        async fn call() -> Result<(), Fault> {
            Err(Fault::UNKNOWN)
        }
        assert_eq!(timed(call()).await, (Err(Fault::PERMANENT), Duration::ZERO));
    }

    #[tokio::test(start_paused = true)]
    async fn value_that_is_retried_reaches_the_hook() {
        #[retry(start = "1s", on_ok = |value| *value < 3, on_retry = |retrying| seen.borrow_mut().push(retrying.value().copied()))]
        async fn call(seen: &RefCell<Vec<Option<u32>>>, attempts: &Attempts) -> Option<u32> {
            Some(attempts.start())
        }
        let (seen, attempts) = (RefCell::default(), Attempts::new());
        assert_eq!(call(&seen, &attempts).await, Some(3));
        assert_eq!(seen.into_inner(), [Some(1), Some(2)]);
    }

    #[test]
    fn blocking_function_calls_it_too() {
        #[retry(blocking, start = "0s", on_retry = |_| calls.set(calls.get() + 1))]
        fn call(calls: &Cell<u32>) -> Result<(), Fault> {
            Err(Fault::UNKNOWN)
        }
        let calls = Cell::new(0);
        call(&calls).unwrap_err();
        assert_eq!(calls.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn function_with_a_hook_is_send() {
        #[retry(start = "1s", on_retry = |retrying| assert!(retrying.error().is_some()))]
        async fn call() -> Result<(), String> {
            Err("no".into())
        }
        tokio::spawn(call()).await.unwrap().unwrap_err();
    }
}

mod until {
    use super::*;

    #[retry(attempts = 5, start = "1s", until = |value| *value >= at, observer = recorder)]
    async fn poll(recorder: &Recorder, attempts: &Attempts, at: u32) -> io::Result<u32> {
        Ok(attempts.start())
    }

    #[tokio::test(start_paused = true)]
    async fn value_is_returned_when_it_is_ready() {
        for (at, delays) in [(1, vec![]), (3, all_ms([1000, 2000]))] {
            let (recorder, attempts) = (Recorder::new(), Attempts::new());
            assert_eq!(poll(&recorder, &attempts, at).await.unwrap(), at);
            assert_eq!(attempts.delays(), delays);
            assert!(!recorder.lines().iter().any(|line| line.contains("Failed")));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn unfinished_value_is_never_returned() {
        let (recorder, attempts) = (Recorder::new(), Attempts::new());
        let error = poll(&recorder, &attempts, 9).await.unwrap_err();
        assert_eq!(error.to_string(), "not ready after 5 attempts");
        assert_eq!(attempts.count(), 5);
        assert_eq!(recorder.lines().last().unwrap(), "5/5 GaveUp(Exhausted)");
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_ends_the_polling_with_an_error() {
        #[retry(attempts = "unlimited", backoff = "fixed", start = "1s", deadline = "3500ms", until = |_| false)]
        async fn poll() -> io::Result<u32> {
            Ok(1)
        }
        let (outcome, took) = timed(poll()).await;
        assert_eq!((outcome.unwrap_err().to_string(), took), ("not ready after 4 attempts".into(), SECOND * 3));
    }

    #[tokio::test(start_paused = true)]
    async fn polling_takes_no_tokens_and_keeps_the_breaker_closed() {
        #[retry(attempts = 9, start = "1ms", until = |_| false, budget = budget, breaker = breaker)]
        async fn poll(budget: &Budget, breaker: &Breaker) -> io::Result<u32> {
            Ok(1)
        }
        let (budget, breaker) = (Budget::new().capacity(500), Breaker::new().minimum_attempts(1));
        poll(&budget, &breaker).await.unwrap_err();
        assert_eq!((budget.tokens(), breaker.state()), (500, BreakerState::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn failure_while_polling_is_retried_and_pays() {
        #[retry(attempts = 9, start = "1ms", until = |value| *value == 3, budget = budget)]
        async fn poll(budget: &Budget, attempts: &Attempts) -> Result<u32, io::Error> {
            match attempts.start() {
                2 => Err(io::Error::other("lost")),
                number => {
                    assert_eq!(budget.tokens(), if number == 1 { 500 } else { 495 });
                    Ok(number)
                }
            }
        }
        let budget = Budget::new().capacity(500);
        assert_eq!(poll(&budget, &Attempts::new()).await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn retry_that_gets_an_unfinished_value_is_paid_back() {
        #[retry(attempts = 9, start = "1ms", until = |value| *value == 5, budget = budget)]
        async fn poll(budget: &Budget, attempts: &Attempts) -> io::Result<u32> {
            match attempts.start() {
                2 => Err(io::Error::other("lost")),
                number => Ok(number),
            }
        }
        let budget = Budget::new().capacity(500);
        assert_eq!(poll(&budget, &Attempts::new()).await.unwrap(), 5);
        assert_eq!(budget.tokens(), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn call_counts_once_in_a_ratio_budget_whether_it_succeeds_or_not() {
        #[retry(attempts = 3, start = "1ms", until = |value| *value == at, budget = budget)]
        async fn poll(budget: &Budget, attempts: &Attempts, at: u32, fails_at: u32) -> io::Result<u32> {
            let number = attempts.start();
            if number == fails_at { Err(io::Error::other("lost")) } else { Ok(number) }
        }
        // Each call pays for one retry.
        let budget = Budget::ratio(100, 0, SECOND * 100);
        for (left, (at, fails_at)) in [(1, (2, 0)), (2, (9, 0)), (2, (3, 2))] {
            let outcome = poll(&budget, &Attempts::new(), at, fails_at).await;
            assert_eq!((outcome.is_ok(), budget.tokens()), (at < 9, left));
        }
    }

    /// The failed call inside is not what the value that is not ready says.
    #[tokio::test(start_paused = true)]
    async fn call_inside_that_has_used_up_its_retries_does_not_end_the_polling() {
        #[retry(attempts = 2, start = "1ms")]
        async fn refresh() -> Result<(), Fault> {
            Err(Fault::UNKNOWN)
        }
        #[retry(attempts = 5, start = "1ms", nested = "once", until = |value| *value == 3)]
        async fn poll(attempts: &Attempts) -> io::Result<u32> {
            refresh().await.unwrap_err();
            Ok(attempts.start())
        }
        assert_eq!(poll(&Attempts::new()).await.unwrap(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn value_names_the_delay_before_it_is_asked_for_again() {
        #[retry(start = "1s", until = |value| value.is_none(), server_delay = |value| *value)]
        async fn poll(attempts: &Attempts) -> io::Result<Option<Duration>> {
            Ok((attempts.start() == 1).then_some(SECOND * 7))
        }
        let attempts = Attempts::new();
        poll(&attempts).await.unwrap();
        assert_eq!(attempts.delays(), all_ms([7000]));
    }
}

mod error_delay {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("throttled")]
    struct Throttled {
        wait: Option<Duration>,
    }

    #[retry(start = "1s", attempts = 2, error_delay = |error| error.wait)]
    async fn call(attempts: &Attempts, wait: Option<Duration>) -> Result<(), Throttled> {
        attempts.start();
        Err(Throttled { wait })
    }

    #[tokio::test(start_paused = true)]
    async fn error_names_the_delay() {
        for (wait, delay) in [(None, 1000), (Some(ms(10)), 1000), (Some(SECOND * 7), 7000)] {
            let attempts = Attempts::new();
            call(&attempts, wait).await.unwrap_err();
            assert_eq!(attempts.delays(), all_ms([delay]));
        }
        let attempts = Attempts::new();
        call(&attempts, Some(SECOND * 61)).await.unwrap_err();
        assert_eq!(attempts.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn delay_of_the_closure_replaces_that_of_the_error_itself() {
        #[retry(start = "1s", attempts = 2, error_delay = |_| Some(SECOND * 5))]
        async fn call(attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::UNKNOWN.after(SECOND * 9))
        }
        let attempts = Attempts::new();
        call(&attempts).await.unwrap_err();
        assert_eq!(attempts.delays(), all_ms([5000]));
    }
}

mod backoff {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn closure_captures_an_argument() {
        #[retry(attempts = 4, backoff = |attempt| base * attempt.number())]
        async fn call(base: Duration, attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::UNKNOWN)
        }
        for base in [1, 10] {
            let attempts = Attempts::new();
            call(ms(base), &attempts).await.unwrap_err();
            assert_eq!(attempts.delays(), [ms(base), ms(base * 2), ms(base * 3)]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closure_reads_the_failure_and_the_time_and_is_capped() {
        #[retry(attempts = 3, max_delay = "2s", backoff = |attempt: &Attempt| {
            seen.borrow_mut().push((attempt.last_failure().unwrap().status(), attempt.elapsed()));
            SECOND * 9
        })]
        async fn call(seen: &RefCell<Vec<(Option<u16>, Duration)>>, attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::status(503))
        }
        let (seen, attempts) = (RefCell::default(), Attempts::new());
        call(&seen, &attempts).await.unwrap_err();
        assert_eq!(attempts.delays(), all_ms([2000, 2000]));
        assert_eq!(seen.into_inner(), [(Some(503), Duration::ZERO), (Some(503), SECOND * 2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn jitter_is_applied_to_the_closures_delay() {
        #[retry(attempts = 2, jitter = "equal", random_source = crate::support::lowest, backoff = move |_| SECOND)]
        async fn call(attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::UNKNOWN)
        }
        let attempts = Attempts::new();
        call(&attempts).await.unwrap_err();
        assert_eq!(attempts.delays(), all_ms([500]));
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_the_closure_takes_counts_towards_the_deadline() {
        #[retry(attempts = 9, deadline = "50ms", backoff = |_| {
            std::thread::sleep(ms(60));
            ms(1)
        }, sleep = tokio::time::sleep)]
        async fn call(attempts: &Attempts) -> Result<(), Fault> {
            attempts.start();
            Err(Fault::UNKNOWN)
        }
        tokio::time::resume();
        let attempts = Attempts::new();
        call(&attempts).await.unwrap_err();
        assert_eq!(attempts.count(), 1);
    }
}

/// A client with its own budget and breaker.
struct Client {
    budget: Arc<Budget>,
    breaker: Breaker,
    policy: Policy,
}

impl Client {
    fn new(capacity: u32) -> Self {
        Self {
            budget: Arc::new(Budget::new().capacity(capacity)),
            breaker: Breaker::new().minimum_attempts(1),
            policy: Policy::exponential(SECOND).attempts(2),
        }
    }

    #[retry(start = "1s", budget = self.budget)]
    async fn limited(&self, attempts: &Attempts) -> Result<(), Fault> {
        attempts.start();
        Err(Fault::UNKNOWN)
    }

    #[retry(budget = &self.budget, policy = self.policy)]
    async fn with_policy(&self, attempts: &Attempts) -> Result<(), Fault> {
        attempts.start();
        Err(Fault::UNKNOWN)
    }

    #[retry(attempts = 1, breaker = self.breaker)]
    async fn guarded(&self) -> Result<(), io::Error> {
        Err(io::Error::other("down"))
    }

    #[retry(attempts = 1, breaker = &self.breaker, hedge = "1s")]
    async fn guarded_copies(&self) -> Result<(), io::Error> {
        Err(io::Error::other("down"))
    }

    #[retry(blocking, attempts = 1, breaker = self.breaker)]
    fn guarded_blocking(&self) -> Result<(), io::Error> {
        Err(io::Error::other("down"))
    }
}

#[tokio::test(start_paused = true)]
async fn each_client_pays_from_its_own_budget() {
    let (small, large) = (Client::new(5), Client::new(500));
    for (client, count, tokens) in [(&small, 2, 0), (&large, 3, 490)] {
        let attempts = Attempts::new();
        client.limited(&attempts).await.unwrap_err();
        assert_eq!((attempts.count(), client.budget.tokens()), (count, tokens));
    }
    let attempts = Attempts::new();
    large.with_policy(&attempts).await.unwrap_err();
    assert_eq!((attempts.count(), large.budget.tokens()), (2, 485));
    let attempts = Attempts::new();
    small.with_policy(&attempts).await.unwrap_err();
    assert_eq!(attempts.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_client_has_its_own_breaker() {
    fn is_open(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|error| error.is::<BreakerOpen>())
    }
    let (one, other) = (Client::new(500), Client::new(500));
    assert!(!is_open(&one.guarded().await.unwrap_err()));
    assert_eq!((one.breaker.state(), other.breaker.state()), (BreakerState::Open, BreakerState::Closed));
    assert!(is_open(&one.guarded().await.unwrap_err()));
    assert!(is_open(&one.guarded_copies().await.unwrap_err()));
    assert!(is_open(&one.guarded_blocking().unwrap_err()));
    assert!(!is_open(&other.guarded_copies().await.unwrap_err()));
    assert_eq!(other.breaker.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn static_budget_pays_instead_of_that_of_a_policy() {
    static OWN: Budget = Budget::new().capacity(500);
    static OF_POLICY: Budget = Budget::new().capacity(500);
    #[retry(policy = Policy::exponential(SECOND).budget(|| &OF_POLICY), budget = OWN)]
    async fn call() -> Result<(), Fault> {
        Err(Fault::UNKNOWN)
    }
    call().await.unwrap_err();
    assert_eq!((OWN.tokens(), OF_POLICY.tokens()), (490, 500));
}
