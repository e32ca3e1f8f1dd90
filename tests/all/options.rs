//! The arguments of the attribute. Each test compares at least two values of an argument.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use retry_runtime::{Attempt, Event, Observer, Policy, retry};

use crate::support::{
    Attempts, FakeResponse, Fault, Recorder, SECOND, all_ms, lowest, middle, ms, recorded_blocking_sleep,
    recorded_sleep, run, timed,
};

type Plain = Result<(), &'static str>;

#[tokio::test(start_paused = true)]
async fn attempts() {
    assert_eq!(run!((attempts = 2) Plain, Err("no")).attempts, 2);
    assert_eq!(run!((attempts = 5) Plain, Err("no")).attempts, 5);
    assert_eq!(run!((attempts = 1) Plain, Err("no")).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn attempts_unlimited() {
    #[retry(attempts = "unlimited", backoff = "fixed", start = "0s")]
    async fn call(attempts: &Attempts) -> Result<u32, &'static str> {
        attempts.succeed_at(1000, "no")
    }
    assert_eq!(call(&Attempts::new()).await, Ok(1000));
}

#[tokio::test(start_paused = true)]
async fn attempts_default_to_one_more_than_the_delays() {
    assert_eq!(run!((delays = ["1s"]) Plain, Err("no")).attempts, 2);
    assert_eq!(run!((delays = ["1s", "1s", "1s", "1s"]) Plain, Err("no")).attempts, 5);
    assert_eq!(run!((attempts = 4, delays = ["1s"]) Plain, Err("no")).attempts, 4);
}

fn in_a_minute(_: &Attempt) -> Duration {
    Duration::from_secs(60)
}

#[tokio::test(start_paused = true)]
async fn backoff() {
    assert_eq!(run!((backoff = "fixed") Plain, Err("no")).delays, all_ms([100, 100]));
    assert_eq!(run!((backoff = "linear") Plain, Err("no")).delays, all_ms([100, 200]));
    assert_eq!(run!((backoff = in_a_minute) Plain, Err("no")).delays, all_ms([60_000, 60_000]));
}

#[tokio::test(start_paused = true)]
async fn start() {
    assert_eq!(run!((start = "1s") Plain, Err("no")).delays, all_ms([1000, 2000]));
    assert_eq!(run!((start = "1h 30m") Plain, Err("no")).delays, all_ms([5_400_000, 10_800_000]));
}

#[tokio::test(start_paused = true)]
async fn factor() {
    assert_eq!(run!((factor = 3) Plain, Err("no")).delays, all_ms([100, 300]));
    assert_eq!(run!((factor = 2.5) Plain, Err("no")).delays, all_ms([100, 250]));
}

#[tokio::test(start_paused = true)]
async fn max_delay() {
    assert_eq!(run!((start = "1s", max_delay = "1s") Plain, Err("no")).delays, all_ms([1000, 1000]));
    assert_eq!(run!((start = "1s", max_delay = "2s") Plain, Err("no")).delays, all_ms([1000, 2000]));
}

#[tokio::test(start_paused = true)]
async fn delays() {
    assert_eq!(run!((delays = ["1s", "2ms"]) Plain, Err("no")).delays, all_ms([1000, 2]));
    assert_eq!(run!((delays = ["2ms", "1s"]) Plain, Err("no")).delays, all_ms([2, 1000]));
}

#[tokio::test(start_paused = true)]
async fn jitter() {
    assert_eq!(run!((jitter = "none") Plain, Err("no")).delays, all_ms([100, 200]));
    assert_eq!(run!((jitter = "full", random_source = lowest) Plain, Err("no")).delays, all_ms([0, 0]));
    assert_eq!(run!((jitter = "20%", random_source = lowest) Plain, Err("no")).delays, all_ms([80, 160]));
}

#[tokio::test(start_paused = true)]
async fn random_source() {
    assert_eq!(run!((random_source = lowest) Plain, Err("no")).delays, all_ms([0, 0]));
    assert_eq!(run!((random_source = middle) Plain, Err("no")).delays, all_ms([50, 100]));
}

#[tokio::test(start_paused = true)]
async fn on_status() {
    assert_eq!(run!((on_status = [418]) Result<FakeResponse, Fault>, Ok(FakeResponse(418))).attempts, 3);
    assert_eq!(run!((on_status = [418]) Result<FakeResponse, Fault>, Ok(FakeResponse(503))).attempts, 1);
    assert_eq!(run!((on_status = [503, 410..=419]) Result<FakeResponse, Fault>, Ok(FakeResponse(418))).attempts, 3);
    assert_eq!(run!((on_status = [503, 410..=417]) Result<FakeResponse, Fault>, Ok(FakeResponse(418))).attempts, 1);
    assert_eq!(run!((on_status = ["4xx"]) Result<FakeResponse, Fault>, Ok(FakeResponse(418))).attempts, 3);
    assert_eq!(run!((on_status = ["5xx"]) Result<FakeResponse, Fault>, Ok(FakeResponse(418))).attempts, 1);
    assert_eq!(run!((on_status = []) Result<FakeResponse, Fault>, Ok(FakeResponse(503))).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn on_status_may_list_success_statuses() {
    assert_eq!(run!((on_status = [202]) Result<FakeResponse, Fault>, Ok(FakeResponse(202))).attempts, 3);
    assert_eq!(run!((on_status = [204]) Result<FakeResponse, Fault>, Ok(FakeResponse(202))).attempts, 1);
}

fn is_no(error: &&'static str) -> bool {
    *error == "no"
}

#[tokio::test(start_paused = true)]
async fn on_error_accepts_a_keyword() {
    assert_eq!(run!((on_error = "any") Result<(), Fault>, Err(Fault::PERMANENT)).attempts, 3);
    assert_eq!(run!((on_error = "transient") Result<(), Fault>, Err(Fault::PERMANENT)).attempts, 1);
    assert_eq!(run!((on_error = "transient") Result<(), Fault>, Err(Fault::TRANSIENT)).attempts, 3);
    assert_eq!(run!((on_error = "never") Result<FakeResponse, Fault>, Err(Fault::TRANSIENT)).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn on_error_accepts_a_path() {
    assert_eq!(run!((on_error = is_no) Plain, Err("no")).attempts, 3);
    assert_eq!(run!((on_error = is_no) Plain, Err("never")).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn on_error_accepts_a_closure() {
    assert_eq!(run!((on_error = |e| e.len() < 3) Plain, Err("no")).attempts, 3);
    assert_eq!(run!((on_error = |e| e.len() < 2) Plain, Err("no")).attempts, 1);
}

#[tokio::test(start_paused = true)]
async fn on_error_closure_may_use_an_argument() {
    #[retry(on_error = |error| *error == retried)]
    async fn call(attempts: &Attempts, retried: &str) -> Plain {
        attempts.start();
        Err("no")
    }
    let (yes, no) = (Attempts::new(), Attempts::new());
    let _ = (call(&yes, "no").await, call(&no, "other").await);
    assert_eq!((yes.count(), no.count()), (3, 1));
}

fn is_odd(number: &u32) -> bool {
    number % 2 == 1
}

#[tokio::test(start_paused = true)]
async fn on_ok() {
    assert_eq!(run!((on_ok = is_odd) Result<u32, Fault>, Ok(3)).attempts, 3);
    assert_eq!(run!((on_ok = is_odd) Result<u32, Fault>, Ok(4)).attempts, 1);
    assert_eq!(run!((on_ok = |n| *n == 4) Result<u32, Fault>, Ok(4)).attempts, 3);
    assert_eq!(run!((on_ok = |n| *n == 4) Option<u32>, Some(4)).outcome, Some(4));
}

#[tokio::test(start_paused = true)]
async fn retry_after() {
    const BUSY: Fault = Fault::status(503).after(SECOND);
    macro_rules! waits {
        ($($arguments:tt)*) => {
            run!((backoff = "fixed", start = "10ms", $($arguments)*) Result<(), Fault>, Err(BUSY)).delays
        };
    }
    assert_eq!(waits!(), all_ms([1000, 1000]));
    assert_eq!(waits!(retry_after = "1s"), all_ms([1000, 1000]));
    assert!(waits!(retry_after = "999ms").is_empty());
    assert_eq!(waits!(retry_after = "ignore"), all_ms([10, 10]));
}

#[tokio::test(start_paused = true)]
async fn retry_after_defaults_to_a_minute() {
    const MINUTE: Duration = Duration::from_secs(60);
    let at = run!((attempts = 2, start = "1ms") Result<(), Fault>, Err(Fault::TRANSIENT.after(MINUTE)));
    assert_eq!(at.delays, [MINUTE]);
    let above = run!((attempts = 2, start = "1ms") Result<(), Fault>, Err(Fault::TRANSIENT.after(MINUTE + ms(1))));
    assert!(above.delays.is_empty());
}

#[tokio::test(start_paused = true)]
async fn deadline() {
    assert_eq!(run!((attempts = 9, start = "1s", deadline = "2s") Result<(), String>, Err(String::new())).attempts, 2);
    assert_eq!(run!((attempts = 9, start = "1s", deadline = "8s") Result<(), String>, Err(String::new())).attempts, 4);
}

#[tokio::test(start_paused = true)]
async fn attempt_timeout() {
    macro_rules! takes {
        ($timeout:literal) => {{
            #[retry(attempts = 1, attempt_timeout = $timeout)]
            async fn call() -> Result<(), String> {
                tokio::time::sleep(SECOND * 2).await;
                Ok(())
            }
            timed(call()).await
        }};
    }
    assert_eq!(takes!("1s"), (Err("the attempt took longer than 1s".to_owned()), SECOND));
    assert_eq!(takes!("3s"), (Ok(()), SECOND * 2));
}

#[tokio::test(start_paused = true)]
async fn policy_accepts_a_value_a_reference_and_an_arc() {
    const TWO: Policy = Policy::fixed(SECOND).attempts(2);
    static FOUR: Policy = Policy::fixed(ms(5)).attempts(4);
    assert_eq!(run!((policy = TWO) Plain, Err("no")).delays, all_ms([1000]));
    assert_eq!(run!((policy = &FOUR) Plain, Err("no")).delays, all_ms([5, 5, 5]));
    assert_eq!(run!((policy = Arc::new(TWO.attempts(3))) Plain, Err("no")).delays, all_ms([1000, 1000]));
}

#[tokio::test(start_paused = true)]
async fn policy_accepts_a_field() {
    struct Client {
        policy: Policy,
        shared: Arc<Policy>,
        attempts: Attempts,
    }
    impl Client {
        #[retry(policy = self.policy)]
        async fn by_value(&self) -> Plain {
            self.attempts.start();
            Err("no")
        }
        #[retry(policy = self.shared.clone())]
        async fn shared(&self) -> Plain {
            self.attempts.start();
            Err("no")
        }
    }
    let (policy, shared) = (Policy::fixed(SECOND).attempts(2), Arc::new(Policy::fixed(SECOND).attempts(4)));
    let client = Client { policy, shared, attempts: Attempts::new() };
    client.by_value().await.unwrap_err();
    assert_eq!(client.attempts.count(), 2);
    client.shared().await.unwrap_err();
    assert_eq!(client.attempts.count(), 2 + 4);
}

#[tokio::test(start_paused = true)]
async fn policy_is_evaluated_once_per_call() {
    thread_local!(static EVALUATED: Cell<u32> = const { Cell::new(0) });
    fn policy() -> Policy {
        EVALUATED.set(EVALUATED.get() + 1);
        Policy::fixed(SECOND).attempts(4)
    }
    EVALUATED.set(0);
    assert_eq!(run!((policy = policy()) Plain, Err("no")).attempts, 4);
    assert_eq!(EVALUATED.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn conditions_work_beside_policy() {
    const POLICY: Policy = Policy::fixed(SECOND).attempts(4);
    assert_eq!(run!((policy = POLICY, on_error = is_no) Plain, Err("never")).attempts, 1);
    assert_eq!(
        run!((policy = POLICY, on_status = [418]) Result<FakeResponse, Fault>, Ok(FakeResponse(418))).attempts,
        4
    );
}

#[tokio::test(start_paused = true)]
async fn bind() {
    #[retry(attempts = 4, start = "1s", bind = this)]
    async fn call(seen: &mut Vec<(u32, Option<u32>, bool, Duration, &'static str)>) -> Result<(), Fault> {
        let mirror = this.pick(&["one", "two"]);
        seen.push((this.number(), this.attempts(), this.is_last(), this.elapsed(), mirror));
        Err(Fault::UNKNOWN)
    }
    let mut seen = Vec::new();
    call(&mut seen).await.unwrap_err();
    let expected = [
        (1, Some(4), false, Duration::ZERO, "one"),
        (2, Some(4), false, SECOND, "two"),
        (3, Some(4), false, SECOND * 3, "two"),
        (4, Some(4), true, SECOND * 7, "two"),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test(start_paused = true)]
async fn bound_attempt_has_the_previous_failure() {
    #[retry(attempts = 3, bind = attempt)]
    async fn call(seen: &mut Vec<Option<u16>>) -> Result<(), Fault> {
        seen.push(attempt.last_failure().and_then(|failure| failure.status()));
        Err(Fault::status(501 + attempt.number() as u16))
    }
    let mut seen = Vec::new();
    call(&mut seen).await.unwrap_err();
    assert_eq!(seen, [None, Some(502), Some(503)]);
}

#[tokio::test(start_paused = true)]
async fn bound_attempt_has_the_remaining_time() {
    #[retry(attempts = 3, start = "1s", deadline = "10s", bind = attempt)]
    async fn call(left: &mut Vec<Option<Duration>>) -> Result<(), String> {
        left.push(attempt.remaining());
        Err(String::new())
    }
    let mut left = Vec::new();
    call(&mut left).await.unwrap_err();
    assert_eq!(left, [10, 9, 7].map(|seconds| Some(Duration::from_secs(seconds))));
}

#[tokio::test(start_paused = true)]
async fn clone() {
    #[retry(attempts = 3, clone = [first, second])]
    async fn call(first: Vec<u32>, mut second: Vec<u32>, attempts: &Attempts) -> Result<(usize, usize), &'static str> {
        second.extend(first);
        attempts.succeed_at(3, "no").map(|_| (second.len(), second.capacity().min(1)))
    }
    // Changes to the clone of one attempt are invisible to the next one.
    assert_eq!(call(vec![1], vec![2, 3], &Attempts::new()).await, Ok((3, 1)));
}

#[tokio::test(start_paused = true)]
async fn argument_that_is_not_cloned_keeps_the_changes_of_earlier_attempts() {
    #[retry(attempts = 3)]
    async fn call(mut list: Vec<u32>) -> Result<(), usize> {
        list.push(1);
        Err(list.len())
    }
    assert_eq!(call(Vec::new()).await, Err(3));
    #[retry(attempts = 3, clone = [list])]
    async fn cloned(mut list: Vec<u32>) -> Result<(), usize> {
        list.push(1);
        Err(list.len())
    }
    assert_eq!(cloned(Vec::new()).await, Err(1));
}

#[tokio::test(start_paused = true)]
async fn name() {
    const NAME: &str = "from a constant";
    macro_rules! name {
        ($($arguments:tt)*) => {{
            #[retry(observer = recorder, $($arguments)*)]
            async fn named(recorder: &Recorder) -> Plain {
                Ok(())
            }
            let recorder = Recorder::new();
            named(&recorder).await.unwrap();
            recorder.names()[0].clone()
        }};
    }
    assert_eq!(name!(name = "load the page"), "load the page");
    assert_eq!(name!(name = NAME), NAME);
    assert_eq!(name!(), "all::options::named");
}

#[tokio::test(start_paused = true)]
async fn observer() {
    struct Ignoring;
    impl Observer for Ignoring {
        fn on_event(&self, _: &Event<'_>) {}
    }
    #[retry(observer = Ignoring)]
    async fn ignored(_: &Recorder) -> Plain {
        Ok(())
    }
    #[retry(observer = recorder)]
    async fn recorded(recorder: &Recorder) -> Plain {
        Ok(())
    }
    let recorder = Recorder::new();
    ignored(&recorder).await.unwrap();
    assert_eq!(recorder.lines().len(), 0);
    recorded(&recorder).await.unwrap();
    assert_eq!(recorder.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn sleep() {
    let with_tokio = run!((start = "1s") Plain, Err("no"));
    assert_eq!(with_tokio.delays, all_ms([1000, 2000]));
    let recorder = Recorder::new();
    let with_custom =
        recorder.record_sleeps(async { run!((start = "1s", sleep = recorded_sleep) Plain, Err("no")) }).await;
    assert_eq!(with_custom.delays, all_ms([0, 0]));
    assert_eq!(recorder.slept(), all_ms([1000, 2000]));
}

#[test]
fn custom_sleep_does_not_need_tokio() {
    #[retry(start = "1s", sleep = recorded_sleep)]
    async fn call() -> Plain {
        Err("no")
    }
    let recorder = Recorder::new();
    let future = std::pin::pin!(recorder.record_sleeps(call()));
    let polled = future.poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    assert!(polled.is_ready());
    assert_eq!(recorder.slept(), all_ms([1000, 2000]));
}

#[test]
fn blocking() {
    #[retry(blocking, attempts = 4, start = "1s", sleep = recorded_blocking_sleep)]
    fn call(attempts: &Attempts) -> Result<u32, &'static str> {
        attempts.succeed_at(3, "no")
    }
    let recorder = Recorder::new();
    let outcome = recorder.record_blocking_sleeps(|| call(&Attempts::new()));
    assert_eq!((outcome, recorder.slept()), (Ok(3), all_ms([1000, 2000])));
}

#[test]
fn blocking_sleeps_on_the_thread() {
    #[retry(blocking, attempts = 3, start = "0s")]
    fn call(attempts: &Attempts) -> Result<u32, &'static str> {
        attempts.succeed_at(3, "no")
    }
    assert_eq!(call(&Attempts::new()), Ok(3));
}

mod facade {
    pub(crate) mod inner {
        pub(crate) use ::retry_runtime as renamed;
    }
}

#[tokio::test(start_paused = true)]
async fn crate_path() {
    assert_eq!(run!((crate = crate::options::facade::inner::renamed, attempts = 2) Plain, Err("no")).attempts, 2);
}

/// Constants instead of literals, with all kinds of paths.
mod constants {
    use super::*;

    const DELAY: Duration = ms(30);
    const CAP: Duration = ms(70);
    const FACTOR: f64 = 2.5;
    const LIST: &[Duration] = &[ms(1), ms(2), ms(3), ms(4)];
    const TEAPOT: u16 = 418;
    const LAST: u16 = 420;
    const LIMIT: Duration = SECOND;
    static STATIC: u32 = 2;

    #[tokio::test(start_paused = true)]
    async fn schedule_accepts_constants() {
        let run = run!((attempts = STATIC, start = DELAY) Plain, Err("no"));
        assert_eq!(run.delays, all_ms([30]));
        let run = run!((attempts = 4, start = DELAY, factor = FACTOR, max_delay = CAP) Plain, Err("no"));
        assert_eq!(run.delays, all_ms([30, 70, 70]));
        assert_eq!(run!((delays = LIST) Plain, Err("no")).delays, all_ms([1, 2, 3, 4]));
        assert_eq!(run!((delays = ["1s", DELAY]) Plain, Err("no")).delays, all_ms([1000, 30]));
    }

    #[tokio::test(start_paused = true)]
    async fn on_status_accepts_constants() {
        macro_rules! attempts {
            ($status:literal) => {
                run!((on_status = [TEAPOT, 500..=LAST_SERVER, self::LAST]) FakeResponse, FakeResponse($status)).attempts
            };
        }
        const LAST_SERVER: u16 = 502;
        assert_eq!([attempts!(418), attempts!(420), attempts!(502)], [3; 3]);
        assert_eq!([attempts!(419), attempts!(503)], [1; 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn limits_accept_constants() {
        const LATE: Fault = Fault::TRANSIENT.after(ms(1001));
        assert_eq!(run!((retry_after = LIMIT) Result<(), Fault>, Err(LATE)).attempts, 1);
        assert_eq!(
            run!((attempts = 9, start = DELAY, deadline = LIMIT) Result<(), Fault>, Err(Fault::UNKNOWN)).attempts,
            6
        );
        #[retry(attempts = 2, attempt_timeout = LIMIT, start = DELAY)]
        async fn call() -> Result<(), String> {
            std::future::pending().await
        }
        assert_eq!(timed(call()).await.1, ms(2030));
    }

    struct Client<const N: u32>(Attempts);

    impl<const N: u32> Client<N> {
        const MAX: u32 = N + 1;

        #[retry(attempts = Self::MAX)]
        async fn associated(&self) -> Plain {
            self.0.start();
            Err("no")
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_accepts_an_associated_constant() {
        let (one, four) = (Client::<1>(Attempts::new()), Client::<4>(Attempts::new()));
        let _ = (one.associated().await, four.associated().await);
        assert_eq!((one.0.count(), four.0.count()), (2, 5));
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_accepts_a_const_parameter() {
        #[retry(attempts = N, start = "0s")]
        async fn call<const N: u32>(attempts: &Attempts) -> Plain {
            attempts.start();
            Err("no")
        }
        let attempts = Attempts::new();
        call::<7>(&attempts).await.unwrap_err();
        assert_eq!(attempts.count(), 7);
    }
}
