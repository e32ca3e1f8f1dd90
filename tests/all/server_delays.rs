//! Server delays: how the delay that a server asks for combines with the schedule and its jitter.

use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use retry_runtime::event::{DelaySource, EventKind};
use retry_runtime::http::SendWithRetry;
use retry_runtime::policy::{BeyondRetryAfter, WithinRetryAfter};
use retry_runtime::testing::Simulation;
use retry_runtime::{Event, Executor, Failure, Jitter, Observer, Policy};

use crate::support::server::{Reply, Server, client};
use crate::support::{Fault, Recorder, SECOND, all_ms, highest, lowest, middle, ms, run};

type Plain = Result<(), Fault>;

const SEVEN: Fault = Fault::status(503).after(Duration::from_secs(7));

/// Checks the delays of a function with these arguments after the server asked for 7 s, in milliseconds, at the lower end, in
/// the middle and at the upper end of the random range.
macro_rules! delays_after_7s {
    ($($name:ident: ($($arguments:tt)*) => $delays:expr;)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            let [low, mid, high] = $delays;
            assert_eq!(run!(($($arguments)*, random_source = lowest) Plain, Err(SEVEN)).delays, all_ms(low));
            assert_eq!(run!(($($arguments)*, random_source = middle) Plain, Err(SEVEN)).delays, all_ms(mid));
            assert_eq!(run!(($($arguments)*, random_source = highest) Plain, Err(SEVEN)).delays, all_ms(high));
        }
    )*};
}

delays_after_7s! {
    full_jitter_is_added_to_the_server_delay:
        (start = "1s", jitter = "full") => [[7000, 7000], [7500, 8000], [8000, 9000]];
    random_half_of_equal_jitter_is_added:
        (start = "1s", jitter = "equal") => [[7000, 7000], [7250, 7500], [7500, 8000]];
    share_jitter_is_added_above_its_lower_end:
        (start = "1s", jitter = "20%") => [[7000, 7000], [7200, 7400], [7400, 7800]];
    random_part_of_a_random_backoff_is_added:
        (backoff = "random", start = "1s", max_delay = "3s") => [[7000, 7000], [8000, 8000], [9000, 9000]];
    random_part_of_a_decorrelated_backoff_is_added:
        (backoff = "decorrelated", start = "1s", max_delay = "3s") => [[7000, 7000], [8000, 8000], [9000, 9000]];
    max_delay_does_not_shorten_the_server_delay:
        (start = "1s", max_delay = "2s", jitter = "full") => [[7000, 7000], [7500, 8000], [8000, 9000]];
    limit_applies_to_the_server_delay_without_jitter:
        (start = "1s", jitter = "full", retry_after = "7s") => [[7000, 7000], [7500, 8000], [8000, 9000]];
    additive_jitter_is_added_to_the_server_delay:
        (start = "1s", jitter = "+500ms") => [[7000, 7000], [7250, 7250], [7500, 7500]];
    random_part_is_added_to_a_server_delay_that_replaces:
        (start = "20s", jitter = "equal", within_retry_after = "replace")
        => [[7000, 7000], [12_000, 17_000], [17_000, 27_000]];
    jitter_is_added_to_the_limit:
        (start = "1s", jitter = "full", retry_after = "5s", beyond_retry_after = "wait")
        => [[5000, 5000], [5500, 6000], [6000, 7000]];
    server_delay_does_not_shorten_a_longer_delay_by_default:
        (start = "20s", jitter = "equal", within_retry_after = "raise")
        => [[10_000, 20_000], [15_000, 30_000], [20_000, 40_000]];
    server_delay_beyond_the_limit_is_ignored:
        (start = "1s", jitter = "full", retry_after = "5s", beyond_retry_after = "ignore")
        => [[0, 0], [500, 1000], [1000, 2000]];
    ignored_server_delay_changes_nothing:
        (start = "1s", jitter = "full", retry_after = "ignore") => [[0, 0], [500, 1000], [1000, 2000]];
}

#[tokio::test(start_paused = true)]
async fn longer_delay_is_exact_without_jitter() {
    assert_eq!(run!((start = "1s") Plain, Err(SEVEN)).delays, all_ms([7000, 7000]));
    assert_eq!(run!((start = "5s") Plain, Err(SEVEN)).delays, all_ms([7000, 10_000]));
}

#[tokio::test(start_paused = true)]
async fn server_delay_that_replaces_is_exact_without_jitter() {
    assert_eq!(run!((start = "20s") Plain, Err(SEVEN)).delays, all_ms([20_000, 40_000]));
    assert_eq!(run!((start = "20s", within_retry_after = "replace") Plain, Err(SEVEN)).delays, all_ms([7000, 7000]));
    assert_eq!(
        run!((start = "2s", within_retry_after = "replace") Plain, Err(Fault::status(503))).delays,
        all_ms([2000, 4000])
    );
}

#[tokio::test(start_paused = true)]
async fn server_delay_beyond_the_limit_is_cut_to_it() {
    let cut = run!((start = "1s", retry_after = "5s", beyond_retry_after = "wait") Plain, Err(SEVEN));
    assert_eq!(cut.delays, all_ms([5000, 5000]));
    let longer = run!((start = "20s", retry_after = "5s", beyond_retry_after = "wait") Plain, Err(SEVEN));
    assert_eq!(longer.delays, all_ms([20_000, 40_000]));
    let replaced = run!(
        (start = "20s", retry_after = "5s", beyond_retry_after = "wait", within_retry_after = "replace") Plain,
        Err(SEVEN)
    );
    assert_eq!(replaced.delays, all_ms([5000, 5000]));
}

#[tokio::test(start_paused = true)]
async fn server_delay_above_the_limit_ends_the_call() {
    let run = run!((start = "1s", jitter = "full", retry_after = "6999ms") Plain, Err(SEVEN));
    assert_eq!(run.attempts, 1);
    let run = run!((start = "1s", retry_after = "6999ms", beyond_retry_after = "give_up") Plain, Err(SEVEN));
    assert_eq!(run.attempts, 1);
}

/// The schedule's delay is unchanged if jitter cannot make it shorter than the server's delay.
#[test]
fn server_delay_below_the_jitter_changes_nothing() {
    for (jitter, asked) in [(Jitter::Equal, ms(500)), (Jitter::Share(0.2), ms(800)), (Jitter::Full, Duration::ZERO)] {
        let policy = Policy::fixed(SECOND).jitter(jitter).random_source(middle);
        assert_eq!(next_delay(&policy, asked), next_delay(&policy, Duration::ZERO), "{jitter:?}");
    }
}

/// The next delay after the server asked for `asked`, and its event.
fn next_delay(policy: &Policy, asked: Duration) -> (Duration, String) {
    let recorder = Recorder::new();
    let failure = Failure::of(&Fault::TRANSIENT.after(asked));
    let delay = Executor::new(policy).observer(&*recorder).pause_for("no", failure).unwrap().delay();
    (delay, recorder.lines().into_iter().find(|line| line.contains("Waiting")).unwrap())
}

#[test]
fn event_names_the_server_if_it_makes_the_delay_longer() {
    let policy = Policy::fixed(SECOND).jitter(Jitter::Full).random_source(middle);
    assert_eq!(next_delay(&policy, ms(100)), (ms(600), "1/3 Waiting { delay: 600ms, source: Server }".to_owned()));
    let exact = Policy::fixed(SECOND);
    assert_eq!(next_delay(&exact, ms(100)), (SECOND, "1/3 Waiting { delay: 1s, source: Backoff }".to_owned()));
}

/// The next delay, its source, and the delay that the event says was requested.
fn waiting(policy: Policy) -> (Duration, DelaySource, Option<Duration>) {
    struct Last(Mutex<Option<(Duration, DelaySource, Option<Duration>)>>);
    impl Observer for Last {
        fn on_event(&self, event: &Event<'_>) {
            if let EventKind::Waiting { delay, source, requested, .. } = event.kind {
                *self.0.lock().unwrap() = Some((delay, source, requested));
            }
        }
    }
    let last = Last(Mutex::new(None));
    drop(Executor::new(&policy).observer(&last).pause_for("no", Failure::of(&SEVEN)).unwrap());
    last.0.into_inner().unwrap().unwrap()
}

#[test]
fn event_has_the_source_and_the_requested_delay_of_each_treatment() {
    let seven = Some(SECOND * 7);
    let wait = Policy::fixed(SECOND).retry_after(SECOND * 5).beyond_retry_after(BeyondRetryAfter::Wait);
    assert_eq!(waiting(wait), (SECOND * 5, DelaySource::Server, seven));
    assert_eq!(waiting(wait.beyond_retry_after(BeyondRetryAfter::Ignore)), (SECOND, DelaySource::Backoff, None));
    let replace = |delay| waiting(Policy::fixed(delay).within_retry_after(WithinRetryAfter::Replace));
    assert_eq!(replace(SECOND * 9), (SECOND * 7, DelaySource::Server, seven));
    assert_eq!(replace(SECOND * 7), (SECOND * 7, DelaySource::Server, seven));
    assert_eq!(waiting(Policy::fixed(SECOND * 9)), (SECOND * 9, DelaySource::Backoff, None));
}

#[test]
fn text_of_the_event_contains_the_server_delay() {
    let line = |policy: &Policy| {
        let simulation = Simulation::new();
        let failure = Failure::of(&SEVEN);
        simulation.run_blocking(|| Executor::new(policy).pause_for("no", failure).unwrap().block());
        simulation.events().into_iter().map(|event| event.to_string()).find(|line| line.contains("next")).unwrap()
    };
    assert_eq!(line(&Policy::fixed(SECOND)), "next attempt in 7s, as the server asked");
    let wait = Policy::fixed(SECOND).retry_after(SECOND * 5).beyond_retry_after(BeyondRetryAfter::Wait);
    assert_eq!(line(&wait), "next attempt in 5s: the server asked for 7s, longer than the limit");
    let jittered = line(&Policy::fixed(SECOND).jitter(Jitter::Full));
    assert!(jittered.starts_with("next attempt in 7."), "{jittered}");
    assert!(jittered.ends_with("s: the server asked for 7s"), "{jittered}");
}

#[tokio::test(start_paused = true)]
async fn callers_with_the_same_server_delay_return_at_different_times() {
    let returned = Mutex::new(Vec::new());
    let start = tokio::time::Instant::now();
    let policy = Policy::new().attempts(2);
    let call = || async {
        let call = policy.run(|attempt| {
            if attempt.number() == 2 {
                returned.lock().unwrap().push(start.elapsed());
            }
            async { Err::<(), _>(SEVEN) }
        });
        call.await.unwrap_err();
    };
    futures_util::future::join_all((0..100).map(|_| call())).await;
    let mut returned = returned.into_inner().unwrap();
    assert!(returned.iter().all(|after| *after >= SECOND * 7 && *after <= ms(7101)), "{returned:?}");
    returned.sort_unstable();
    returned.dedup();
    assert!(returned.len() > 20, "100 callers in {} different milliseconds", returned.len());
}

/// The waits of 20 concurrent requests that a server answers with `Retry-After: 7`.
async fn waits_of_20_requests(policy: Policy) -> Vec<Duration> {
    let requests = (0..20).map(|_| async move {
        let server = Server::start([Reply::status(503).retry_after("7"), Reply::status(200)]).await;
        client().get(&server.url).send_with_retry(&policy).await.unwrap();
        server.delays()[0]
    });
    futures_util::future::join_all(requests).await
}

/// Prints a line for each half of a second.
fn print_histogram(title: &str, waits: &[Duration]) {
    println!("{title}");
    for from in (6500..12_500).step_by(500) {
        let count = waits.iter().filter(|wait| (ms(from)..ms(from + 500)).contains(*wait)).count();
        println!("{:>5.1} s  {}", from as f64 / 1000.0, "#".repeat(count));
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_requests_return_at_once_only_with_an_exact_schedule() {
    let exact = waits_of_20_requests(Policy::fixed(SECOND)).await;
    print_histogram("Retry-After: 7, fixed 1 s, no jitter", &exact);
    assert_eq!(exact, [SECOND * 7; 20]);
    let jittered = waits_of_20_requests(Policy::fixed(SECOND * 5).jitter(Jitter::Full)).await;
    print_histogram("Retry-After: 7, fixed 5 s, full jitter", &jittered);
    assert!(jittered.iter().all(|wait| (SECOND * 7..=SECOND * 12).contains(wait)), "{jittered:?}");
    // The chance that 20 waits lie within one second is below 10⁻¹¹.
    let spread = *jittered.iter().max().unwrap() - *jittered.iter().min().unwrap();
    assert!(spread > SECOND, "{jittered:?}");
}

#[tokio::test(start_paused = true)]
async fn retry_after_of_a_response_gets_jitter() {
    const POLICY: Policy = Policy::fixed(Duration::from_secs(1)).jitter(Jitter::Full).random_source(middle);
    for status in [429, 503] {
        let server = Server::start([Reply::status(status).retry_after("7"), Reply::status(200)]).await;
        client().get(&server.url).send_with_retry(&POLICY).await.unwrap();
        assert_eq!(server.delays(), all_ms([7500]));
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_includes_the_jitter() {
    let run = run!((start = "1s", jitter = "full", deadline = "7500ms", random_source = middle) Result<(), String>, Err(String::new()));
    assert_eq!(run.attempts, 3);
    let policy = Policy::fixed(SECOND).jitter(Jitter::Full).random_source(middle);
    for (deadline, is_in_time) in [(ms(7500), false), (ms(7501), true)] {
        let policy = policy.deadline(deadline);
        let pause = Executor::new(&policy).pause_for("no", Failure::of(&SEVEN)).is_ok();
        assert_eq!(pause, is_in_time);
    }
}

#[test]
fn seeded_simulation_repeats_its_jitter() {
    let delays = |seed| {
        let simulation = Simulation::new().seed(seed);
        simulation.run_blocking(|| {
            let mut retry = Executor::new(const { &Policy::new().attempts(9) });
            for _ in 0..8 {
                retry.pause_for("no", Failure::of(&SEVEN)).unwrap().block();
            }
        });
        simulation.delays()
    };
    assert_eq!(delays(7), delays(7));
    assert_ne!(delays(7), delays(8));
    assert!(delays(7).iter().all(|delay| *delay >= SECOND * 7));
}

proptest! {
    /// For any random number, the delay is at least the server's delay, and at most the jitter longer.
    #[test]
    fn no_attempt_starts_before_the_server_delay(
        start in 0_u64..10_000,
        asked in 0_u64..20_000,
        jitter in prop_oneof![
            Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal), (0.01..1.0_f64).prop_map(Jitter::Share),
            (1_u64..10_000).prop_map(|extra| Jitter::Plus(ms(extra)))
        ],
    ) {
        let policy = Policy::fixed(ms(start)).jitter(jitter);
        let bounds = policy.schedule().next().unwrap();
        let delay = next_delay(&policy, ms(asked)).0;
        let floor = ms(asked).max(*bounds.start());
        prop_assert!(delay >= floor);
        // Each rounding adds half a nanosecond.
        prop_assert!(delay <= floor + (*bounds.end() - *bounds.start()) + Duration::from_nanos(2));
    }
}

#[test]
fn longest_delays_do_not_overflow() {
    let policy = Policy::fixed(Duration::MAX).retry_after(Duration::MAX).jitter(Jitter::Full).random_source(highest);
    assert_eq!(next_delay(&policy, Duration::MAX).0, Duration::MAX);
}
