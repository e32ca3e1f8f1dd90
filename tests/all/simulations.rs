//! Simulations: calls that do not sleep, and record what they would have done.

use std::fmt::{self, Debug, Display};
use std::future::pending;
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use reqwest::Client;
use reqwest_middleware::ClientBuilder;
use retry_runtime::breaker::BreakerOpen;
use retry_runtime::event::{GiveUp, OwnedEvent, OwnedEventKind};
use retry_runtime::http::connections::TraceConnections;
use retry_runtime::http::{RequestRetry, SendFirstOf, SendWithRetry};
use retry_runtime::testing::{Reply, Script, Server, Simulation, simulate};
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Attempt, Breaker, Executor, Jitter, Policy, retry};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::server::client;
use crate::support::{Attempts, Fault, Recorder, SECOND, all_ms, highest, ms, recorded_block, recorded_sleep, timed};

const POLICY: Policy = Policy::exponential(SECOND).attempts(3);

const BUSY: Fault = Fault::status(503);

/// The events of two failures and a success, in each API.
const EVENTS: &str = "
    attempt 1 of 3 starts
    attempt 1 of 3 failed: status 503
    next attempt in 1s
    attempt 2 of 3 starts
    attempt 2 of 3 failed: status 503
    next attempt in 2s
    attempt 3 of 3 starts
    attempt 3 of 3 succeeded";

/// The same events if the outcomes are errors.
fn events_of_faults() -> String {
    EVENTS.replace("status 503", "fault")
}

#[retry(attempts = 3, start = "1s", on_status = [503])]
async fn fetch(client: &Client, url: &str) -> reqwest::Result<u16> {
    Ok(client.get(url).send().await?.error_for_status()?.status().as_u16())
}

#[retry(attempts = 3, start = "1s")]
async fn call(attempts: &Attempts, succeed_at: u32) -> Result<u32, Fault> {
    attempts.succeed_at(succeed_at, BUSY)
}

mod apis {
    use super::*;

    async fn simulated<F: Future<Output: Debug>>(future: F) -> (F::Output, Simulation) {
        let ((output, simulation), took) = timed(async { simulate(future).await }).await;
        assert_eq!(took, Duration::ZERO);
        (output, simulation)
    }

    #[tokio::test(start_paused = true)]
    async fn annotated_functions_are_simulated() {
        let (outcome, simulation) = simulated(call(&Attempts::new(), 3)).await;
        assert_eq!(outcome, Ok(3));
        simulation.assert_events(&events_of_faults());
        assert!(simulation.events().iter().all(|event| event.name.ends_with("::call")));
    }

    #[tokio::test(start_paused = true)]
    async fn manual_loops_are_simulated() {
        let attempts = Attempts::new();
        let by_hand = async {
            let mut retry = Executor::new(&POLICY);
            loop {
                let pause = match retry.attempt(async { attempts.succeed_at(3, BUSY) }).await {
                    Ok(number) => break retry.succeed(number),
                    Err(error) => retry.pause(error).unwrap(),
                };
                assert_eq!(pause.delay(), SECOND * attempts.count());
                pause.await;
            }
        };
        let (number, simulation) = simulated(by_hand).await;
        assert_eq!(number, 3);
        simulation.assert_events(&events_of_faults());
    }

    #[tokio::test(start_paused = true)]
    async fn closures_are_simulated() {
        let script = Script::new([Err(BUSY), Err(BUSY), Ok("hello")]);
        let (outcome, simulation) = simulated(POLICY.run(|_| async { script.next() })).await;
        assert_eq!(outcome, Ok("hello"));
        simulation.assert_events(&events_of_faults());
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_simulated() {
        let plain = RequestRetry::new(POLICY);
        for retry in [plain.clone(), plain.before_attempt(|_| {})] {
            let server = Server::start([503, 503, 200]);
            let (response, simulation) = simulated(client().get(server.url()).send_with_retry(&retry)).await;
            assert_eq!((response.unwrap().status().as_u16(), server.hits()), (200, 3));
            simulation.assert_events(EVENTS);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn connection_events_are_recorded() {
        let client = Client::builder().no_proxy().pool_idle_timeout(None).trace_connections().build().unwrap();
        let server = Server::start([503, 200]);
        let (_, simulation) = simulated(client.get(server.url()).send_with_retry(&POLICY)).await;
        let connections: Vec<_> = simulation.events().iter().filter_map(connection_event).collect();
        assert_eq!(connections, [(1, "connecting"), (1, "connected"), (2, "reused")]);
    }

    fn connection_event(event: &OwnedEvent) -> Option<(u32, &'static str)> {
        let OwnedEventKind::Connection(connection) = &event.kind else { return None };
        Some((event.attempt, connection.as_str()))
    }

    #[tokio::test(start_paused = true)]
    async fn listed_requests_and_middleware_are_simulated() {
        let server = Server::start([503, 503, 200]);
        let request = client().get(server.url()).build().unwrap();
        let (response, simulation) = simulated(client().send_first_of(&POLICY, [request])).await;
        assert_eq!(response.unwrap().status(), 200);
        simulation.assert_events(EVENTS);

        let server = Server::start([503, 503, 200]);
        let client = ClientBuilder::new(client()).with(RequestRetry::new(POLICY)).build();
        let (response, simulation) = simulated(client.get(server.url()).send()).await;
        assert_eq!(response.unwrap().status(), 200);
        simulation.assert_events(EVENTS);
    }

    #[tokio::test(start_paused = true)]
    async fn tower_services_are_simulated() {
        let attempts = Arc::new(Attempts::new());
        let service = service_fn(move |()| std::future::ready(attempts.succeed_at(3, BUSY)));
        let service = ServiceBuilder::new().retry(TowerPolicy::new(POLICY)).service(service);
        let (outcome, simulation) = simulated(service.oneshot(())).await;
        assert_eq!(outcome, Ok(3));
        simulation.assert_events(&events_of_faults());
    }

    #[retry(blocking, attempts = 3, start = "1s")]
    fn blocking(script: &Script<Result<u32, Fault>>) -> Result<u32, Fault> {
        script.next()
    }

    #[test]
    fn blocking_functions_are_simulated() {
        let script = Script::new([Err(BUSY), Err(BUSY), Ok(3)]);
        let simulation = Simulation::new();
        let start = std::time::Instant::now();
        assert_eq!(simulation.run_blocking(|| blocking(&script)), Ok(3));
        assert!(start.elapsed() < SECOND);
        simulation.assert_events(&events_of_faults());
    }

    #[retry(attempts = 2, start = "1s", sleep = recorded_sleep)]
    async fn with_custom_sleep() -> Result<(), Fault> {
        Err(BUSY)
    }

    #[retry(blocking, attempts = 2, start = "1s", sleep = recorded_block)]
    fn with_custom_blocking_sleep() -> Result<(), Fault> {
        Err(BUSY)
    }

    #[tokio::test(start_paused = true)]
    async fn custom_sleep_is_called_only_if_delays_are_kept() {
        for (simulation, slept) in [(Simulation::new(), vec![]), (Simulation::new().keep_delays(), all_ms([1000]))] {
            let recorder = Recorder::new();
            recorder.sleeps(simulation.run(with_custom_sleep())).await.unwrap_err();
            assert_eq!((recorder.slept(), simulation.delays()), (slept.clone(), all_ms([1000])));
            let recorder = Recorder::new();
            recorder.sleeps_blocking(|| simulation.run_blocking(with_custom_blocking_sleep)).unwrap_err();
            assert_eq!(recorder.slept(), slept);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn immediate_success_is_recorded_by_each_api() {
        let server = Server::start([200]);
        let simulation = Simulation::new();
        simulation.run(call(&Attempts::new(), 1)).await.unwrap();
        simulation.run(POLICY.run(|_| async { Some(()) })).await.unwrap();
        simulation.run(client().get(server.url()).send_with_retry(&POLICY)).await.unwrap();
        let service =
            ServiceBuilder::new().retry(TowerPolicy::new(POLICY)).service(service_fn(async |()| Ok::<_, Fault>(())));
        simulation.run(service.oneshot(())).await.unwrap();
        simulation.assert_events(&"attempt 1 of 3 starts\nattempt 1 of 3 succeeded\n".repeat(4));
        assert_eq!((simulation.attempts(), simulation.gave_up()), (4, None));
    }
}

mod scopes {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn concurrent_branches_have_separate_simulations() {
        let [one, other, outside] = [0; 3].map(|_| Attempts::new());
        let (short, long) = (Simulation::new(), Simulation::new().keep_delays());
        let ((one, other, outside), took) =
            timed(async { tokio::join!(short.run(call(&one, 2)), long.run(call(&other, 3)), call(&outside, 3)) }).await;
        assert_eq!((one, other, outside), (Ok(2), Ok(3), Ok(3)));
        assert_eq!(took, SECOND * 3);
        assert_eq!((short.delays(), long.delays()), (all_ms([1000]), all_ms([1000, 2000])));
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_call_outside_a_simulation_sleeps() {
        let inside = simulate(async { call(&Attempts::new(), 3).await });
        let outside = async { timed(call(&Attempts::new(), 3)).await.1 };
        let ((_, simulation), took) = tokio::join!(inside, outside);
        assert_eq!((simulation.attempts(), took), (3, SECOND * 3));
    }

    #[test]
    fn threads_have_separate_simulations() {
        let threads = (1..=8_u32).map(|count| {
            thread::spawn(move || {
                let policy = Policy::fixed(SECOND).attempts(count);
                for _ in 0..100 {
                    let simulation = Simulation::new();
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    runtime.block_on(simulation.run(policy.run(|_| async { None::<()> })));
                    assert_eq!(simulation.attempts(), count as usize);
                }
            })
        });
        threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_task_is_simulated_only_in_a_clone() {
        let spawned = |count| async move { call(&Attempts::new(), count).await };
        let (took, simulation) = simulate(async { timed(tokio::spawn(spawned(3))).await.1 }).await;
        assert_eq!((took, simulation.attempts()), (SECOND * 3, 0));

        let simulation = Simulation::new();
        let mut tasks = JoinSet::new();
        for count in 1..=3 {
            let simulation = simulation.clone();
            tasks.spawn(async move { simulation.run(spawned(count)).await });
        }
        tasks.join_all().await;
        assert_eq!(simulation.attempts(), 6);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn simulation_follows_its_future_to_other_threads() {
        let simulation = Simulation::new();
        let mut tasks = JoinSet::new();
        for _ in 0..50 {
            tasks.spawn(simulation.run(async {
                tokio::task::yield_now().await;
                call(&Attempts::new(), 3).await
            }));
        }
        tasks.join_all().await;
        assert_eq!((simulation.attempts(), simulation.delays().len()), (150, 100));
    }

    #[tokio::test(start_paused = true)]
    async fn inner_simulation_records_its_calls_alone() {
        let (outer, inner) = (Simulation::new(), Simulation::new().without_retries());
        outer
            .run(async {
                inner.run(call(&Attempts::new(), 3)).await.unwrap_err();
                call(&Attempts::new(), 3).await.unwrap();
            })
            .await;
        assert_eq!((outer.attempts(), inner.attempts()), (3, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_call_is_recorded() {
        let simulation = Simulation::new();
        timeout(SECOND, simulation.run(POLICY.run(|_| pending::<Option<()>>()))).await.unwrap_err();
        simulation.assert_events("attempt 1 of 3 starts\ncancelled in attempt 1 of 3");

        let simulation = Simulation::new().keep_delays();
        timeout(ms(500), simulation.run(call(&Attempts::new(), 2))).await.unwrap_err();
        assert_eq!(simulation.events().last().unwrap().kind, OwnedEventKind::Cancelled);

        let server = Server::start([Reply::never()]);
        let simulation = Simulation::new();
        timeout(SECOND, simulation.run(client().get(server.url()).send_with_retry(&POLICY))).await.unwrap_err();
        simulation.assert_events("attempt 1 of 3 starts\ncancelled in attempt 1 of 3");

        assert_eq!(timed(call(&Attempts::new(), 2)).await.1, SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn panic_ends_the_simulation() {
        let simulation = Simulation::new();
        let panicking =
            POLICY.run(|attempt| async move { (attempt.number() > 1).then(|| panic!("in the second attempt")) });
        let mut panicking = Box::pin(simulation.run(panicking));
        let cx = &mut Context::from_waker(Waker::noop());
        let mut poll = || catch_unwind(AssertUnwindSafe(|| panicking.as_mut().poll(cx)));
        assert!(matches!(poll(), Ok(Poll::Pending)));
        poll().unwrap_err();
        drop(panicking);
        catch_unwind(AssertUnwindSafe(|| simulation.run_blocking(|| panic!("in a blocking function")))).unwrap_err();

        let before = simulation.events();
        assert_eq!(timed(call(&Attempts::new(), 2)).await.1, SECOND);
        assert_eq!(simulation.events(), before);
    }
}

mod options {
    use super::*;

    const JITTERED: Policy = POLICY.attempts(9).jitter(Jitter::Full);

    async fn delays(simulation: &Simulation, policy: &Policy) -> Vec<Duration> {
        let before = simulation.delays().len();
        simulation.run(policy.run(|_| async { None::<()> })).await;
        simulation.delays().split_off(before)
    }

    #[tokio::test(start_paused = true)]
    async fn seed_determines_the_random_numbers() {
        let seeded = async |seed| delays(&Simulation::new().seed(seed), &JITTERED).await;
        assert_eq!(seeded(7).await, seeded(7).await);
        assert_ne!(seeded(7).await, seeded(8).await);
        assert_eq!(delays(&Simulation::new(), &JITTERED).await, seeded(0).await);
        assert_eq!(delays(&Simulation::new(), &JITTERED.random_source(highest)).await, seeded(0).await);
        assert_ne!(seeded(0).await, delays(&Simulation::new(), &POLICY.attempts(9)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_and_clones_share_one_random_sequence() {
        let simulation = Simulation::new().seed(7);
        let (first, second) = (delays(&simulation, &JITTERED).await, delays(&simulation.clone(), &JITTERED).await);
        assert_ne!(first, second);
        // Users' tests may contain such numbers, so the generator must not change.
        assert_eq!(first[..2], [Duration::from_nanos(55_360_436), Duration::from_nanos(344_231_709)]);
    }

    #[tokio::test(start_paused = true)]
    async fn seed_determines_random_backoffs() {
        for policy in [Policy::random(SECOND, SECOND * 9), Policy::decorrelated(SECOND, SECOND * 9)] {
            let seeded = async |seed| delays(&Simulation::new().seed(seed), &policy).await;
            assert_eq!(seeded(7).await, seeded(7).await);
            assert_ne!(seeded(7).await, seeded(8).await);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn max_attempts_lowers_the_number_of_attempts_only() {
        for (simulation, count) in [
            (Simulation::new(), 3),
            (Simulation::new().max_attempts(2), 2),
            (Simulation::new().max_attempts(9), 3),
            (Simulation::new().without_retries(), 1),
        ] {
            let attempts = Attempts::new();
            simulation.run(call(&attempts, 9)).await.unwrap_err();
            assert_eq!(
                (attempts.count(), simulation.attempts(), simulation.gave_up()),
                (count, count as usize, Some(GiveUp::Exhausted))
            );
            let limits: Vec<_> = simulation.events().iter().map(|event| event.attempts).collect();
            assert_eq!(limits, vec![Some(count); limits.len()]);
        }
        let unlimited = Simulation::new().max_attempts(4);
        assert_eq!(delays(&unlimited, &POLICY.unlimited()).await.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn is_last_respects_max_attempts() {
        for (simulation, last) in [(Simulation::new(), 3), (Simulation::new().max_attempts(2), 2)] {
            let is_last = |attempt: Attempt| async move { attempt.is_last().then_some(attempt.number()) };
            assert_eq!(simulation.run(POLICY.run(is_last)).await, Some(last));
        }
    }

    #[test]
    #[should_panic = "`max_attempts` counts the first call too: write 1 for no retry at all"]
    fn zero_attempts_panic() {
        let _ = Simulation::new().max_attempts(0);
    }

    #[tokio::test(start_paused = true)]
    async fn keep_delays_sleeps() {
        for (simulation, slept) in [(Simulation::new(), Duration::ZERO), (Simulation::new().keep_delays(), SECOND * 3)]
        {
            assert_eq!(timed(simulation.run(call(&Attempts::new(), 3))).await.1, slept);
            assert_eq!(simulation.delays(), all_ms([1000, 2000]));
        }
    }
}

mod time {
    use super::*;

    /// The third retry would exceed the deadline.
    const LIMITED: Policy = Policy::fixed(Duration::from_secs(4)).attempts(9).deadline(Duration::from_secs(10));

    #[tokio::test(start_paused = true)]
    async fn deadline_includes_skipped_delays() {
        for simulation in [Simulation::new(), Simulation::new().keep_delays()] {
            let mut remaining = Vec::new();
            let outcome = simulation
                .run(LIMITED.run(|attempt| {
                    remaining.push((attempt.elapsed(), attempt.remaining().unwrap()));
                    async { None::<()> }
                }))
                .await;
            assert_eq!((outcome, simulation.gave_up()), (None, Some(GiveUp::Deadline)));
            assert_eq!(remaining, [(0, 10), (4, 6), (8, 2)].map(|(elapsed, left)| (SECOND * elapsed, SECOND * left)));
            assert_eq!(simulation.events().last().unwrap().elapsed, SECOND * 8);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn elapsed_time_of_events_includes_skipped_delays() {
        for simulation in [Simulation::new(), Simulation::new().keep_delays()] {
            simulation.run(call(&Attempts::new(), 3)).await.unwrap();
            let elapsed: Vec<_> = simulation.events().iter().map(|event| event.elapsed.as_secs()).collect();
            assert_eq!(elapsed, [0, 0, 0, 1, 1, 1, 3, 3]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn attempt_is_cut_off_at_the_simulated_deadline() {
        let simulation = Simulation::new();
        let hangs_at_last =
            |attempt: Attempt| async move { if attempt.number() == 3 { pending().await } else { Err::<(), _>(BUSY) } };
        let (outcome, took) = timed(simulation.run(LIMITED.run(hangs_at_last))).await;
        assert_eq!((outcome, took), (Err(Fault::TRANSIENT), SECOND * 2));
    }

    #[tokio::test(start_paused = true)]
    async fn nested_call_sees_the_simulated_deadline() {
        let inside = |_| async { Policy::fixed(SECOND * 3).run(|_| async { None::<()> }).await };
        let simulation = Simulation::new();
        simulation.run(LIMITED.attempts(3).run(inside)).await;
        // The last outer attempt has 2 s left.
        assert_eq!(simulation.delays(), [3, 3, 4, 3, 3, 4].map(|seconds| SECOND * seconds));
    }

    #[tokio::test(start_paused = true)]
    async fn breaker_needs_kept_delays() {
        async fn through(breaker: &Breaker, script: &Script<io::Result<()>>) -> io::Result<()> {
            let attempt = |_| breaker.call(async { script.next() });
            Policy::fixed(ms(1)).attempts(3).deadline(SECOND * 60).run(attempt).await
        }
        for (simulation, is_ok) in [(Simulation::new(), false), (Simulation::new().keep_delays(), true)] {
            let breaker = Breaker::new().minimum_calls(1).open_for(SECOND * 5);
            let script = Script::new([Err(ErrorKind::ConnectionRefused.into()), Ok(())]);
            let outcome = simulation.run(through(&breaker, &script)).await;
            assert_eq!(outcome.is_ok(), is_ok);
            assert!(is_ok || outcome.unwrap_err().get_ref().unwrap().is::<BreakerOpen>());
        }
    }
}

mod records {
    use super::*;

    async fn busy() -> Simulation {
        simulate(call(&Attempts::new(), 3)).await.1
    }

    fn message(assertion: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_delays_are_shown_with_the_events() {
        let simulation = busy().await;
        simulation.assert_delays([SECOND, SECOND * 2]);
        let message = message(|| simulation.assert_delays([SECOND]));
        let beginning =
            "the delays were not as expected\nexpected: [1s]\n     was: [1s, 2s]\n\nattempt 1 of 3 starts\n";
        assert!(message.starts_with(beginning), "{message}");
    }

    #[tokio::test(start_paused = true)]
    async fn wrong_events_are_shown_as_a_diff() {
        let simulation = busy().await;
        let expected = events_of_faults().replace("next attempt in 1s", "next attempt at once\nand then");
        let shown = "the events were not as expected
  attempt 1 of 3 starts
  attempt 1 of 3 failed: fault
- next attempt at once
- and then
+ next attempt in 1s
  attempt 2 of 3 starts
  attempt 2 of 3 failed: fault
  next attempt in 2s
  attempt 3 of 3 starts
  attempt 3 of 3 succeeded
";
        assert_eq!(message(|| simulation.assert_events(&expected)), shown);
        let shown = message(|| simulation.assert_events(&format!("{}\nand more", events_of_faults())));
        assert!(shown.ends_with("  attempt 3 of 3 succeeded\n- and more\n"), "{shown}");
        let shown = message(|| Simulation::new().assert_events("attempt 1 of 3 starts"));
        assert_eq!(shown, "the events were not as expected\n- attempt 1 of 3 starts\n");
    }

    #[tokio::test(start_paused = true)]
    async fn exhausted_script_panics() {
        let script = Script::new([Err(BUSY), Err(BUSY)]);
        let panicking =
            tokio::spawn(async move { simulate(POLICY.run(|_| async { script.next() as Result<(), Fault> })).await.0 });
        let message = panicking.await.unwrap_err().into_panic().downcast::<String>().unwrap();
        assert_eq!(*message, "the script has 2 outcomes, and was asked for one more: call 3");
        let script = Script::new([1, 2]);
        assert_eq!((script.next(), script.calls(), script.left()), (1, 1, 1));
    }

    /// An error whose `Display` makes a call, and shows its outcome.
    struct CallsInDisplay;

    impl Display for CallsInDisplay {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let call = pin!(POLICY.run(|_| async { Some("shown") }));
            let Poll::Ready(text) = call.poll(&mut Context::from_waker(Waker::noop())) else { return Err(fmt::Error) };
            f.write_str(text.unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn display_of_an_error_may_make_calls() {
        let by_hand = async {
            let mut retry = Executor::new(&POLICY);
            retry.attempt_to_end(async {}).await;
            retry.fail(CallsInDisplay);
        };
        simulate(by_hand).await.1.assert_events(
            "attempt 1 of 3 starts
             attempt 1 of 3 starts
             attempt 1 of 3 succeeded
             attempt 1 of 3 failed: shown
             gave up after attempt 1 of 3: the failure is not worth another attempt",
        );
    }
}

mod servers {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn server_and_simulation_work_together() {
        let server = Server::start([503, 503, 200]);
        let (outcome, simulation) = simulate(fetch(&client(), server.url())).await;
        assert_eq!((outcome.unwrap(), server.hits(), server.connections()), (200, 3, 1));
        simulation.assert_delays([SECOND, SECOND * 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_are_recorded() {
        let server = Server::start([Reply::status(503).header("retry-after", "7").body("busy"), Reply::ok("hello")]);
        let url = format!("{}/path?query=1", server.url());
        let request = client().put(url).header("x-header", "value").body("x".repeat(100_000));
        let (response, simulation) = simulate(request.send_with_retry(&POLICY)).await;
        assert_eq!(response.unwrap().text().await.unwrap(), "hello");
        simulation.assert_delays([SECOND * 7]);
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert_eq!((request.method().as_str(), request.uri().to_string()), ("PUT", "/path?query=1".to_owned()));
            assert_eq!((&request.headers()["x-header"], request.body().len()), (&"value".parse().unwrap(), 100_000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn last_reply_is_repeated() {
        let server = Server::start([500, 204]);
        let statuses = async || client().get(server.url()).send().await.unwrap().status().as_u16();
        assert_eq!([statuses().await, statuses().await, statuses().await], [500, 204, 204]);
    }

    #[tokio::test(start_paused = true)]
    async fn replies_may_break_the_connection() {
        let get = async |reply| {
            let server = Server::start([reply]);
            client().get(server.url()).send().await.map(drop).unwrap_err()
        };
        assert!(format!("{:?}", get(Reply::hang_up()).await).contains("IncompleteMessage"));
        assert!(format!("{:?}", get(Reply::reset()).await).contains("ConnectionReset"));
        let server = Server::start([Reply::lost("some")]);
        let response = client().get(server.url()).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(1004)));
        response.text().await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn replies_may_be_late_or_never_come() {
        for (reply, took, in_time) in [
            (Reply::ok(""), Duration::ZERO, true),
            (Reply::ok("").after(SECOND * 2), SECOND * 2, true),
            (Reply::never(), SECOND * 9, false),
        ] {
            let server = Server::start([reply]);
            let (outcome, elapsed) = timed(timeout(SECOND * 9, client().get(server.url()).send())).await;
            assert_eq!((outcome.is_ok(), elapsed), (in_time, took));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_or_refusing_server_refuses_connections() {
        let server = Server::start([200]);
        let (client, url) = (client(), server.url().to_owned());
        client.get(&url).send().await.unwrap();
        drop(server);
        for _ in 0..2 {
            assert!(client.get(&url).send().await.is_err());
        }
        let refusing = Server::refusing();
        let (error, simulation) = simulate(fetch(&client, refusing.url())).await;
        assert!(error.unwrap_err().is_connect());
        assert_eq!((refusing.hits(), simulation.attempts()), (0, 3));
    }

    #[test]
    fn server_runs_in_a_thread_for_blocking_code() {
        use std::io::{Read, Write};
        let server = Server::start([Reply::status(503), Reply::ok("hello")]);
        let address = server.url().strip_prefix("http://").unwrap().to_owned();
        let response = |_: u32| {
            let mut stream = std::net::TcpStream::connect(&address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            let mut response = String::new();
            stream.read_to_string(&mut response).unwrap();
            response
        };
        assert!(response(1).starts_with("HTTP/1.1 503 "));
        assert!(response(2).ends_with("\r\n\r\nhello"));
        assert_eq!(server.hits(), 2);
        drop(server);
        std::net::TcpStream::connect(&address).unwrap_err();
    }

    #[test]
    #[should_panic = "a server needs at least one reply"]
    fn server_without_replies_panics() {
        let _ = Server::start([0_u16; 0]);
    }

    #[test]
    #[should_panic = "a status is a number from 100 to 999"]
    fn invalid_status_panics() {
        let _ = Server::start([99]);
    }
}
