//! Random fleets against a model: tokens come from reserves, pools and successes, and from nowhere else.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Fail(usize),
    TimeOut(usize),
    /// A call fails, and its retry succeeds. The flag: the failure is a timeout.
    Recover(usize, bool),
    Succeed(usize, u32),
    Wait(u64),
    Store(Mode),
    /// The store loses the pool.
    Lose,
    Restart(usize),
}

const PROCESSES: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let place = 0..PROCESSES;
    prop_oneof![
        6 => place.clone().prop_map(Step::Fail),
        3 => place.clone().prop_map(Step::TimeOut),
        2 => (place.clone(), any::<bool>()).prop_map(|(place, timed_out)| Step::Recover(place, timed_out)),
        4 => (place.clone(), 1_u32..40).prop_map(|(place, times)| Step::Succeed(place, times)),
        4 => prop_oneof![Just(1_u64), Just(20), Just(300), Just(2_000), Just(12_000)].prop_map(Step::Wait),
        1 => prop_oneof![
            4 => Just(Mode::Answers),
            1 => Just(Mode::Fails),
            1 => Just(Mode::Hangs),
            1 => Just(Mode::LosesAnswers),
            1 => Just(Mode::Panics),
            1 => Just(Mode::Says(Lease { granted: 9999, left: 0 })),
        ].prop_map(Step::Store),
        1 => Just(Step::Lose),
        1 => place.prop_map(Step::Restart),
    ]
}

/// Runs the steps, and returns the tokens that all retries took, and the largest number that they may take.
async fn run(steps: Vec<Step>, reserve: u16, capacity: u32) -> (u64, u64) {
    let pool = Pool::new();
    let new = || process(Budget::leased(reserve).capacity(capacity), &pool);
    let mut fleet: Vec<_> = (0..PROCESSES).map(|_| new()).collect();
    let mut all: Vec<&'static Budget> = fleet.iter().map(|(budget, _)| *budget).collect();
    let (mut taken, mut pools, mut successes) = (0, 1_u64, 0_u64);
    for step in steps {
        match step {
            Step::Fail(place) => taken += 5 * u64::from(fail(fleet[place].0)),
            // Or more, with a lease.
            Step::TimeOut(place) => taken += 5 * u64::from(time_out(fleet[place].0)),
            Step::Recover(place, timed_out) => recover(fleet[place].0, timed_out).await,
            Step::Succeed(place, times) => {
                succeed(fleet[place].0, times);
                successes += u64::from(times);
            }
            Step::Wait(time) => wait(ms(time)).await,
            Step::Store(mode) => pool.set(mode),
            Step::Lose => {
                pool.0.lock().unwrap().tokens = None;
                pools += 1;
            }
            Step::Restart(place) => {
                fleet[place].1.abort();
                fleet[place] = new();
                all.push(fleet[place].0);
            }
        }
        assert!(pool.tokens().unwrap_or(0) <= capacity);
        assert!(fleet.iter().all(|(budget, _)| budget.lease_stats().credit <= capacity));
    }
    let (mut leased, mut credits) = (0, 0);
    for budget in &all {
        leased += budget.lease_stats().leased;
    }
    for (credit, _) in pool.requests() {
        credits += u64::from(credit);
    }
    assert!(leased <= pools * u64::from(capacity) + credits, "{leased} tokens leased");
    let reserves = all.len() as u64 * u64::from(reserve) * 5;
    (taken, reserves + pools * u64::from(capacity) + successes)
}

/// Takes tokens, and gives them back after a while.
async fn recover(budget: &Budget, timed_out: bool) {
    let policy = Policy::fixed(ms(2)).attempts(2);
    let mut retry = Executor::new(&policy).budget(budget);
    let failure = if timed_out { TIMEOUT } else { Failure::new(Class::Transient) };
    let Ok(pause) = retry.pause_for(Fault::TRANSIENT, failure) else { return };
    pause.await;
    retry.attempt_blocking(|| ());
    retry.succeed(());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn retries_take_no_tokens_that_no_one_has_given(
        steps in proptest::collection::vec(step(), 0..120),
        reserve in 0_u16..4,
        capacity in 5_u32..200,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (taken, most) = runtime.block_on(run(steps, reserve, capacity));
        prop_assert!(taken <= most, "{taken} tokens taken of {most}");
    }
}

#[test]
fn threads_take_no_more_than_leases_and_the_reserve_hold() {
    let pool = Pool::new();
    let budget = leak(Budget::leased(2).capacity(10_000).lease_size(500));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.spawn(budget.lease_from(pool.client()));
    let work = || (0..100_000).filter(|_| fail(budget)).count();
    let paid: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    runtime.shutdown_timeout(SECOND);
    let stats = budget.lease_stats();
    assert_eq!(paid as u64 * 5 + u64::from(budget.tokens()), 10 + stats.leased);
    assert!(stats.leased > 0 && stats.leased <= 10_000);
}
