//! Stores that fail, hang, lie and panic. Each failure falls on the strict side.

use std::panic::AssertUnwindSafe;

use retry_runtime::fleet::{LeaseEvent, LeaseEventKind};

use super::*;

/// Each answer that is not one: the process keeps its reserve, and the credit of the request is lost.
const FAILURES: [Mode; 10] = [
    Mode::Fails,
    Mode::Hangs,
    Mode::LosesAnswers,
    Mode::Panics,
    Mode::PanicsAtOnce,
    Mode::Says(Lease { granted: 51, left: 0 }),
    Mode::Says(Lease { granted: u32::MAX, left: u32::MAX }),
    Mode::Says(Lease { granted: 0, left: 501 }),
    Mode::PanicsAtTheEnd,
    Mode::HangsAndPanics,
];

#[tokio::test(start_paused = true)]
async fn process_whose_store_fails_has_its_reserve() {
    for mode in FAILURES {
        let pool = Pool::new();
        pool.set(mode);
        let (budget, leasing) = process(Budget::leased(1), &pool);
        assert!(fail(budget) && !fail(budget));
        wait(ms(300)).await;
        let stats = budget.lease_stats();
        assert_eq!((budget.tokens(), stats.leased, stats.failures), (0, 0, 1), "{mode:?}");
        // Its own successes fill the reserve, and nothing else.
        succeed(budget, 20);
        assert_eq!(budget.tokens(), 5, "{mode:?}");
        assert!(!leasing.is_finished(), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn leases_resume_after_each_kind_of_failure() {
    for mode in FAILURES {
        let pool = Pool::new();
        pool.set(mode);
        let (budget, _) = process(Budget::leased(0), &pool);
        fail(budget);
        wait(SECOND).await;
        pool.set(Mode::Answers);
        fail(budget);
        wait(SECOND).await;
        assert_eq!(budget.tokens(), 50, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn future_that_panics_when_it_is_dropped_only_costs_its_lease() {
    for (mode, tokens) in [(Mode::PanicsAtTheEnd, 450), (Mode::HangsAndPanics, 500)] {
        let pool = Pool::new();
        pool.set(mode);
        let (budget, leasing) = process(Budget::leased(0), &pool);
        fail(budget);
        wait(SECOND).await;
        let stats = budget.lease_stats();
        assert_eq!((budget.tokens(), stats.leased, stats.failures), (0, 0, 1), "{mode:?}");
        assert!(stats.is_leasing && !leasing.is_finished(), "{mode:?}");
        pool.set(Mode::Answers);
        fail(budget);
        wait(SECOND).await;
        assert_eq!((budget.tokens(), pool.tokens()), (50, Some(tokens - 50)), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reserve_pays_for_as_many_retries_after_timeouts() {
    for mode in FAILURES {
        for reserve in 0..5 {
            let pool = Pool::new();
            pool.set(mode);
            let (budget, _) = process(Budget::leased(reserve), &pool);
            let retries = (0..10).filter(|_| time_out(budget)).count();
            assert_eq!((retries, budget.tokens()), (reserve.into(), 0), "{mode:?}");
            wait(ms(300)).await;
            // Its own successes pay for another one.
            succeed(budget, 5);
            assert_eq!(time_out(budget), reserve > 0, "{mode:?}");
        }
    }
}

/// Without a lease, a timeout costs as much as another failure. That is also what a success of the retry gives back.
#[tokio::test(start_paused = true)]
async fn retry_after_a_timeout_gives_back_what_it_took() {
    let policy = Policy::fixed(Duration::ZERO).attempts(2);
    for (has_lease, cost) in [(false, 5), (true, 20)] {
        let pool = Pool::new();
        let (budget, _) = process(Budget::leased(2), &pool);
        if has_lease {
            fail(budget);
            answer().await;
        }
        let before = budget.tokens();
        let mut retry = Executor::new(&policy).budget(budget);
        retry.pause_for(Fault::TRANSIENT, TIMEOUT).unwrap().await;
        assert_eq!(budget.tokens(), before - cost);
        // A lease that arrives in the meantime fills the tokens, so what comes back is for the pool.
        while !has_lease && budget.lease_stats().leased == 0 {
            answer().await;
        }
        let held = budget.tokens() + budget.lease_stats().credit;
        retry.attempt_blocking(|| ());
        retry.succeed(());
        assert_eq!(budget.tokens() + budget.lease_stats().credit, held + cost, "{has_lease}");
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_is_cheap_again_once_the_lease_is_void() {
    let pool = Pool::new();
    let (budget, leasing) = process(Budget::leased(2), &pool);
    fail(budget);
    answer().await;
    leasing.abort();
    assert!(time_out(budget));
    assert_eq!(budget.tokens(), 30);
    wait(SECOND * 10).await;
    assert_eq!(budget.tokens(), 10);
    assert!(time_out(budget) && time_out(budget) && !time_out(budget));
}

#[tokio::test(start_paused = true)]
async fn credit_of_a_failed_request_is_lost_and_not_resent() {
    for mode in FAILURES {
        let pool = Pool::new();
        let (budget, _) = process(Budget::leased(0), &pool);
        fail(budget);
        answer().await;
        succeed(budget, 7);
        pool.set(mode);
        wait(ms(1600)).await;
        assert_eq!(pool.requests(), [(0, 50), (7, 0)], "{mode:?}");
        assert_eq!((budget.lease_stats().credit, budget.lease_stats().credited), (0, 0), "{mode:?}");
        wait(ms(800)).await;
        assert_eq!(pool.requests().len(), 2, "{mode:?}");
    }
}

/// The store has taken the tokens, but the process does not receive them.
#[tokio::test(start_paused = true)]
async fn lost_answer_counts_as_spent() {
    let pool = Pool::new();
    pool.set(Mode::LosesAnswers);
    let (budget, _) = process(Budget::leased(0), &pool);
    fail(budget);
    wait(ms(250)).await;
    assert_eq!((budget.tokens(), pool.tokens()), (0, Some(450)));
}

#[tokio::test(start_paused = true)]
async fn store_that_is_down_is_asked_less_and_less_often() {
    let pool = Pool::new();
    pool.set(Mode::Fails);
    let (budget, _) = process(Budget::leased(0), &pool);
    for _ in 0..60_000 {
        fail(budget);
        wait(ms(1)).await;
    }
    let times = pool.times();
    assert!((9..=18).contains(&times.len()), "{times:?}");
    let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (ms(250)..ms(10_100)).contains(gap)), "{gaps:?}");
    assert!(gaps.last().unwrap() >= &(SECOND * 5), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn store_timeout_limits_the_wait() {
    for (limit, tokens) in [(ms(50), 0), (ms(200), 50)] {
        let pool = Pool::new();
        pool.set_latency(ms(100));
        let (budget, _) = process(Budget::leased(0).store_timeout(limit), &pool);
        fail(budget);
        wait(ms(150)).await;
        assert_eq!(budget.tokens(), tokens, "{limit:?}");
    }
}

/// A store that blocks its thread: the answer comes after the lease is void.
#[test]
fn answer_after_the_end_of_its_lease_grants_nothing() {
    struct Blocks;
    impl LeaseStore for Blocks {
        type Error = String;
        async fn lease(&self, request: LeaseRequest) -> Result<Lease, String> {
            std::thread::sleep(ms(60));
            Ok(Lease { granted: request.want, left: 0 })
        }
    }
    let budget = leak(Budget::leased(0).store_timeout(ms(40)).lease_valid_for(ms(50)));
    fail(budget);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(ms(10), budget.lease_from(Blocks)).await }).unwrap_err();
    assert_eq!((budget.tokens(), fail(budget)), (0, false));
}

#[tokio::test(start_paused = true)]
async fn leasing_may_be_dropped_at_any_time() {
    for after in 0..40 {
        let pool = Pool::new();
        pool.set_latency(ms(8));
        let (budget, leasing) = process(Budget::leased(1), &pool);
        fail(budget);
        wait(ms(after)).await;
        leasing.abort();
        let _ = leasing.await;
        let stats = budget.lease_stats();
        assert!(!stats.is_leasing, "dropped after {after} ms");
        assert!(budget.tokens() + pool.tokens().unwrap_or(500) <= 500, "dropped after {after} ms");
        succeed(budget, 100);
        assert_eq!(budget.lease_stats().credit, 0, "dropped after {after} ms");
        // Another task takes its place.
        while fail(budget) {}
        let _next = tokio::spawn(budget.lease_from(pool.client()));
        wait(ms(20)).await;
        assert_eq!(budget.tokens(), 50, "dropped after {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn event_reports_the_first_failure_and_the_recovery() {
    static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());
    fn record(event: &LeaseEvent<'_>) {
        let text = match event.kind {
            LeaseEventKind::StoreFailed { reason } => reason.to_owned(),
            LeaseEventKind::StoreRecovered { failures } => format!("back after {failures}"),
            _ => unreachable!(),
        };
        EVENTS.lock().unwrap().push(format!("{}: {text}", event.name));
        // Leasing goes on.
        panic!("a listener panics on purpose");
    }
    let pool = Pool::new();
    let (budget, leasing) = process(Budget::leased(0).name("api").on_lease_event(record), &pool);
    let modes = [Mode::Fails, Mode::Hangs, Mode::Answers, Mode::Hangs, Mode::Answers, FAILURES[5], Mode::Answers];
    for mode in modes {
        pool.set(mode);
        while fail(budget) {}
        fail(budget);
        wait(SECOND * 12).await;
        assert!(!leasing.is_finished());
    }
    assert_eq!(
        *EVENTS.lock().unwrap(),
        [
            "api: connection refused",
            "api: back after 2",
            "api: no answer within 200ms",
            "api: back after 1",
            "api: impossible answer: 51 of 50 tokens granted, 0 of 500 left",
            "api: back after 1",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn events_reach_tracing() {
    let (trace, _guard) = crate::support::trace::record();
    let pool = Pool::new();
    pool.set(Mode::Fails);
    let (budget, _) = process(Budget::leased(0).name("api"), &pool);
    fail(budget);
    wait(SECOND).await;
    pool.set(Mode::Answers);
    fail(budget);
    wait(SECOND).await;
    let events = trace.events();
    let messages: Vec<_> = events.iter().map(|event| (event.level.as_str(), event.message.as_str())).collect();
    let expected = [("WARN", "no leases: only the reserve pays for retries"), ("INFO", "leases are available again")];
    for event in expected {
        assert!(messages.contains(&event), "{messages:?}");
    }
}

/// An error whose text panics.
#[tokio::test(start_paused = true)]
async fn panicking_error_does_not_end_leasing() {
    struct Panics;
    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("an error panics on purpose")
        }
    }
    struct Store;
    impl LeaseStore for Store {
        type Error = Panics;
        async fn lease(&self, _: LeaseRequest) -> Result<Lease, Panics> {
            Err(Panics)
        }
    }
    let budget = leak(Budget::leased(0));
    let leasing = tokio::spawn(AssertUnwindSafe(budget.lease_from(Store)));
    fail(budget);
    wait(SECOND).await;
    assert!(!leasing.is_finished());
    assert_eq!(budget.lease_stats().failures, 1);
}
