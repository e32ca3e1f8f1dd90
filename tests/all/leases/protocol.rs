//! The requests of a process whose store answers.

use super::*;

#[tokio::test(start_paused = true)]
async fn process_without_failures_sends_nothing() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(2), &pool);
    succeed(budget, 1000);
    wait(SECOND * 3600).await;
    assert_eq!((pool.requests(), budget.tokens(), budget.lease_stats().credit), (vec![], 10, 0));
}

#[tokio::test(start_paused = true)]
async fn first_failure_is_paid_for_by_the_reserve_and_takes_a_lease() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(1), &pool);
    assert!(fail(budget));
    assert_eq!(budget.tokens(), 0);
    answer().await;
    assert_eq!((budget.tokens(), pool.tokens()), (50, Some(450)));
    assert_eq!(pool.requests(), [(0, 50)]);
}

#[tokio::test(start_paused = true)]
async fn failure_without_tokens_is_refused_and_the_lease_serves_the_next_one() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(0), &pool);
    assert!(!fail(budget));
    assert_eq!(budget.refusals(), 1);
    answer().await;
    assert!(fail(budget));
    assert_eq!(budget.tokens(), 45);
}

#[tokio::test(start_paused = true)]
async fn process_asks_when_half_of_a_lease_is_left_and_never_twice_at_a_time() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(0), &pool);
    fail(budget);
    answer().await;
    for _ in 0..5 {
        assert!(fail(budget));
    }
    answer().await;
    assert_eq!((budget.tokens(), pool.requests().len()), (25, 1));
    // The pool panics if it gets two requests at a time.
    while fail(budget) {}
    answer().await;
    assert_eq!(pool.requests(), [(0, 50), (0, 50)]);
    assert_eq!(budget.tokens(), 50);
}

#[tokio::test(start_paused = true)]
async fn failures_of_one_outage_take_the_pool_and_no_more() {
    let pool = Pool::new();
    let fleet: Vec<_> = (0..20).map(|_| process(Budget::leased(1), &pool).0).collect();
    let mut retries = 0;
    for _ in 0..300 {
        for budget in &fleet {
            retries += u32::from(fail(budget));
        }
        wait(ms(100)).await;
    }
    // 500 tokens for 100 retries, and the reserves.
    assert_eq!((retries, pool.tokens()), (120, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn empty_pool_is_asked_about_once_a_second() {
    let pool = Pool::new();
    pool.fill_with(0);
    let (budget, _) = process(Budget::leased(0), &pool);
    for _ in 0..10_000 {
        assert!(!fail(budget));
        wait(ms(1)).await;
    }
    assert!((8..=14).contains(&pool.requests().len()), "{:?}", pool.times());
}

#[tokio::test(start_paused = true)]
async fn successes_fill_the_lease_and_then_the_pool() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(0), &pool);
    fail(budget);
    answer().await;
    assert!(fail(budget) && fail(budget));
    assert_eq!((budget.tokens(), pool.tokens()), (40, Some(450)));
    succeed(budget, 30);
    assert_eq!((budget.tokens(), budget.lease_stats().credit), (50, 20));
    wait(ms(1500)).await;
    assert_eq!(pool.requests(), [(0, 50), (20, 0)]);
    assert_eq!((budget.tokens(), pool.tokens(), budget.lease_stats().credit), (50, Some(470), 0));
}

#[tokio::test(start_paused = true)]
async fn credit_is_at_most_the_capacity_and_none_while_the_pool_is_full() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(0).capacity(100), &pool);
    fail(budget);
    answer().await;
    succeed(budget, 1000);
    assert_eq!(budget.lease_stats().credit, 100);
    wait(ms(1500)).await;
    assert_eq!(pool.tokens(), Some(100));
    succeed(budget, 1000);
    assert_eq!(budget.lease_stats().credit, 0);
}

#[tokio::test(start_paused = true)]
async fn process_without_credit_asks_for_nothing_after_an_answer() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(0), &pool);
    pool.fill_with(10);
    fail(budget);
    answer().await;
    assert!(fail(budget) && fail(budget));
    answer().await;
    let asked = pool.requests().len();
    wait(SECOND * 100).await;
    // Once, for the second failure.
    assert_eq!(pool.requests().len(), asked + 1);
    // The pool may be full again, so successes do not count.
    succeed(budget, 10);
    assert_eq!(budget.lease_stats().credit, 0);
}

#[tokio::test(start_paused = true)]
async fn unspent_lease_is_returned_before_it_is_void() {
    let pool = Pool::new();
    let (budget, _) = process(Budget::leased(1), &pool);
    fail(budget);
    wait(ms(7400)).await;
    assert_eq!((budget.tokens(), pool.tokens()), (50, Some(450)));
    wait(ms(200)).await;
    assert_eq!((budget.tokens(), pool.tokens()), (5, Some(495)));
    assert_eq!(pool.requests(), [(0, 50), (45, 0)]);
    // Until the next failure, the process holds its reserve, and successes add nothing to it.
    succeed(budget, 10);
    assert_eq!(budget.tokens(), 5);
}

#[tokio::test(start_paused = true)]
async fn lease_is_void_a_fixed_time_after_it_was_asked_for() {
    let pool = Pool::new();
    pool.set_latency(ms(100));
    let (budget, leasing) = process(Budget::leased(1), &pool);
    fail(budget);
    wait(ms(110)).await;
    leasing.abort();
    wait(ms(9880)).await;
    assert_eq!(budget.tokens(), 50);
    // 9.99 s after the answer, and 10 s after the request.
    wait(ms(10)).await;
    assert_eq!(budget.tokens(), 5);
    assert!(fail(budget) && !fail(budget));
}

#[tokio::test(start_paused = true)]
async fn retry_that_a_void_lease_paid_for_returns_at_most_the_reserve() {
    let pool = Pool::new();
    let (budget, leasing) = process(Budget::leased(0), &pool);
    fail(budget);
    answer().await;
    leasing.abort();
    let policy = Policy::fixed(SECOND * 20).attempts(2);
    let mut retry = Executor::new(&policy).budget(budget);
    retry.pause(Fault::TRANSIENT).unwrap().await;
    fail(budget);
    retry.succeed(());
    assert_eq!((budget.tokens(), budget.lease_stats().credit), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn shutdown_returns_what_is_unspent() {
    let pool = Pool::new();
    let budget = leak(Budget::leased(1));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let leasing = tokio::spawn(budget.lease_until(pool.client(), async {
        let _ = stopped.await;
    }));
    fail(budget);
    answer().await;
    assert!(fail(budget));
    stop.send(()).unwrap();
    leasing.await.unwrap();
    assert_eq!((budget.tokens(), pool.tokens()), (5, Some(490)));
    assert!(!budget.lease_stats().is_leasing);
    // A local budget from now on.
    assert!(fail(budget) && !fail(budget));
    wait(SECOND * 60).await;
    succeed(budget, 7);
    assert_eq!((budget.tokens(), budget.lease_stats().credit, pool.requests().len()), (5, 0, 2));
}

#[tokio::test(start_paused = true)]
async fn shutdown_takes_at_most_two_time_limits_of_the_store() {
    let pool = Pool::new();
    let budget = leak(Budget::leased(1));
    fail(budget);
    answer().await;
    let begun = Instant::now();
    pool.set(Mode::Hangs);
    budget.lease_until(pool.client(), wait(ms(1))).await;
    assert!(begun.elapsed() <= ms(405), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn failures_before_the_task_starts_take_a_lease_when_it_does() {
    let pool = Pool::new();
    let budget = leak(Budget::leased(1));
    while fail(budget) {}
    let _leasing = tokio::spawn(budget.lease_from(pool.client()));
    answer().await;
    assert_eq!(budget.tokens(), 50);
}

/// The sleep function records what it waits for.
#[tokio::test(start_paused = true)]
async fn other_runtimes_bring_their_own_sleep() {
    static ASLEEP: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    let pool = Pool::new();
    let budget = leak(Budget::leased(1));
    let sleep = |time| {
        ASLEEP.lock().unwrap().push(time);
        tokio::time::sleep(time)
    };
    fail(budget);
    budget.lease_with(pool.client(), wait(ms(10)), sleep).await;
    // The lease has also filled the reserve.
    assert_eq!((budget.tokens(), pool.tokens()), (5, Some(495)));
    assert!(ASLEEP.lock().unwrap().contains(&ms(200)));
}

#[tokio::test(start_paused = true)]
async fn second_task_for_the_same_budget_panics_while_the_first_lives() {
    let pool = Pool::new();
    let budget = leak(Budget::leased(1));
    let first = budget.lease_from(pool.client());
    assert!(budget.lease_stats().is_leasing);
    let second = std::panic::catch_unwind(|| drop(budget.lease_from(pool.client())));
    let message = *second.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("already takes leases"), "{message}");
    // Not even polled.
    drop(first);
    drop(budget.lease_from(pool.client()));
}
