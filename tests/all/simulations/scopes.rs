//! The scope of a simulation: concurrent calls, threads, tasks and panics.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::thread;

use retry_runtime::Policy;
use retry_runtime::event::OwnedEventKind;
use retry_runtime::http::SendWithRetry;
use retry_runtime::testing::{Reply, Server, Simulation, simulate};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{POLICY, call};
use crate::support::server::client;
use crate::support::{Attempts, SECOND, all_ms, ms, timed};

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
