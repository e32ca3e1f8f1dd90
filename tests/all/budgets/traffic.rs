//! The standard budget: its capacity is three retries, and a token for each call of the busiest ten seconds.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

async fn succeed(policy: &Policy, times: u32) {
    for _ in 0..times {
        succeed_at(policy, 1).await;
    }
}

/// True if the budget pays for a retry. It starts without a wait, which would be a real one.
fn pays(policy: &Policy) -> bool {
    let mut retry = Executor::new(policy);
    let Ok(pause) = retry.pause(Fault::TRANSIENT) else { return false };
    pause.block_with(|_| ());
    retry.attempt_blocking(|| ());
    true
}

/// The number of retries that the budget pays for, at this moment.
fn payable(policy: &Policy) -> usize {
    let policy = policy.attempts(2);
    (0..1000).take_while(|_| pays(&policy)).count()
}

#[tokio::test(start_paused = true)]
async fn new_process_has_three_retries() {
    let (policy, budget) = policy!(Budget::new());
    assert_eq!(budget.tokens(), 15);
    assert_eq!(fail(&policy, Fault::TRANSIENT).await, 3);
    assert_eq!(fail(&policy, Fault::TRANSIENT).await, 2);
    assert_eq!(fail(&policy, Fault::TRANSIENT).await, 1);
    assert_eq!((budget.tokens(), budget.refusals()), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn each_success_makes_room_for_its_token() {
    let (policy, budget) = policy!(Budget::new());
    succeed(&policy, 20).await;
    assert_eq!(budget.tokens(), 35);
    succeed(&policy, 10_000).await;
    assert_eq!(budget.tokens(), 500);
    // As with a fixed capacity of 500 tokens.
    assert_eq!(payable(&policy), 100);
    succeed(&policy, 3).await;
    assert_eq!(budget.tokens(), 3);
    succeed(&policy, 1000).await;
    assert_eq!(budget.tokens(), 500);
}

#[tokio::test(start_paused = true)]
async fn capacity_lasts_for_minutes_after_a_burst() {
    let (policy, budget) = policy!(Budget::new());
    succeed(&policy, 100).await;
    let mut left = Vec::new();
    for _ in 0..7 {
        left.push(budget.tokens());
        tokio::time::advance(SECOND * 60).await;
    }
    // The window that has ended counts in full. Each one after that takes a sixteenth.
    assert_eq!(left, [115, 87, 64, 48, 37, 30, 25]);
    tokio::time::advance(HOUR).await;
    assert_eq!(budget.tokens(), 15);
}

#[tokio::test(start_paused = true)]
async fn small_process_has_few_tokens_whatever_its_age() {
    let (policy, budget) = policy!(Budget::new());
    for _ in 0..1000 {
        succeed(&policy, 1).await;
        tokio::time::advance(SECOND).await;
    }
    assert!((24..=26).contains(&budget.tokens()), "{}", budget.tokens());
}

/// The number of calls since the last failure is unknown, because a full budget does not count them.
#[tokio::test(start_paused = true)]
async fn busy_process_keeps_its_tokens_for_an_outage_after_an_hour_without_failures() {
    let (policy, budget) = policy!(Budget::new());
    succeed(&policy, 1000).await;
    tokio::time::advance(HOUR).await;
    assert_eq!(budget.tokens(), 500);
    assert_eq!(payable(&policy), 100);
}

#[tokio::test(start_paused = true)]
async fn process_that_was_busy_loses_its_tokens_a_second_after_a_failure() {
    let (policy, budget) = policy!(Budget::new());
    succeed(&policy, 1000).await;
    tokio::time::advance(HOUR).await;
    assert!(pays(&policy));
    assert_eq!(budget.tokens(), 495);
    tokio::time::advance(ms(875)).await;
    assert_eq!(budget.tokens(), 495);
    tokio::time::advance(ms(125)).await;
    // Its only call since then made room for one token.
    assert_eq!(budget.tokens(), 16);
    assert_eq!(payable(&policy), 3);
}

#[tokio::test(start_paused = true)]
async fn process_that_is_still_busy_keeps_its_tokens_after_a_failure() {
    let (policy, budget) = policy!(Budget::new());
    for _ in 0..3 {
        succeed(&policy, 1000).await;
        tokio::time::advance(HOUR).await;
        assert!(pays(&policy));
        succeed(&policy, 1000).await;
        tokio::time::advance(SECOND * 2).await;
        assert!(pays(&policy));
        assert_eq!(budget.tokens(), 495);
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_takes_at_most_a_third_of_the_capacity() {
    let (policy, budget) = policy!(Budget::new());
    let policy = policy.attempts(2);
    let time_out = async || policy.run(|_| async { Err::<(), _>(Error::from(ErrorKind::TimedOut)) }).await.unwrap_err();
    time_out().await;
    assert_eq!(budget.tokens(), 10);
    succeed(&policy, 15).await;
    // A capacity of 31 tokens: the calls are 15 successes and two that time out.
    time_out().await;
    assert_eq!(budget.tokens(), 25 - 10);
    succeed(&policy, 100).await;
    time_out().await;
    assert_eq!(budget.tokens(), 115 - 20);
}

#[tokio::test(start_paused = true)]
async fn costs_and_gains_change_the_capacity() {
    let (dear, budget) = policy!(Budget::new().retry_cost(10));
    assert_eq!(budget.tokens(), 30);
    assert_eq!(payable(&dear), 3);
    let (generous, budget) = policy!(Budget::new().success_gain(3));
    succeed(&generous, 10).await;
    assert_eq!(budget.tokens(), 45);
    let (strict, budget) = policy!(Budget::new().success_gain(0));
    succeed(&strict, 1000).await;
    assert_eq!((budget.tokens(), payable(&strict)), (15, 3));
    succeed(&strict, 1000).await;
    assert_eq!(budget.tokens(), 0);
    let (largest, budget) = policy!(Budget::new().retry_cost(500));
    assert_eq!((budget.tokens(), payable(&largest)), (500, 1));
}

#[tokio::test(start_paused = true)]
async fn fixed_capacity_does_not_follow_the_traffic() {
    let (policy, budget) = policy!(Budget::new().capacity(30));
    assert_eq!(budget.tokens(), 30);
    succeed(&policy, 1000).await;
    assert_eq!(budget.tokens(), 30);
    tokio::time::advance(HOUR).await;
    assert_eq!((budget.tokens(), payable(&policy)), (30, 6));
}

/// A tenth of the calls fails, at random. All calls of a process are retried, however many calls it makes.
#[tokio::test(start_paused = true)]
async fn independent_failures_are_retried_in_small_and_large_processes() {
    for (calls, pause) in [(20_000, ms(1)), (5000, ms(100)), (2000, SECOND * 10)] {
        let (policy, budget) = policy!(Budget::new());
        let mut random = 2015_u64;
        let mut fails = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 33) % 10 < 1
        };
        let before = budget.refusals();
        for _ in 0..calls {
            let mut retry = Executor::new(&policy);
            while fails() {
                let Ok(pause) = retry.pause(Fault::TRANSIENT) else { break };
                pause.await;
            }
            retry.succeed(());
            tokio::time::advance(pause).await;
        }
        let refused = budget.refusals() - before;
        assert!(refused * 1000 < calls, "{refused} of {calls}, one each {pause:?}");
    }
}

/// Each retry succeeds, and so gives its tokens back.
#[test]
fn no_token_is_lost_while_two_threads_make_it_grow() {
    static BUDGET: Budget = Budget::new();
    let policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| &BUDGET);
    let work = || {
        for _ in 0..200 {
            let mut retry = Executor::new(&policy);
            retry.succeed(());
            let mut retry = Executor::new(&policy);
            retry.pause(Fault::TRANSIENT).expect("15 tokens at least").block();
            retry.succeed(());
        }
    };
    thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    assert_eq!((BUDGET.tokens(), BUDGET.refusals()), (415, 0));
}

proptest! {
    /// Whatever happened before: the tokens that are shown pay for as many retries as they promise, and never for more than 100.
    #[test]
    fn tokens_are_what_can_be_paid(steps in proptest::collection::vec((0_u8..3, 0_u64..60_000), 0..80)) {
        static CURRENT: std::sync::Mutex<Option<&'static Budget>> = std::sync::Mutex::new(None);
        let budget: &'static Budget = Box::leak(Box::new(Budget::new()));
        *CURRENT.lock().unwrap() = Some(budget);
        let policy = Policy::fixed(Duration::ZERO).attempts(2).budget(|| CURRENT.lock().unwrap().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut calls = 0;
            for (step, amount) in steps {
                match step {
                    0 => tokio::time::advance(ms(amount)).await,
                    1 => {
                        succeed(&policy, amount as u32 % 100).await;
                        calls += amount as u32 % 100;
                    }
                    _ => {
                        let (before, paid) = (budget.tokens(), pays(&policy));
                        calls += 1;
                        assert_eq!(paid, before >= 5, "{before} tokens");
                    }
                }
                assert!(budget.tokens() <= 500.min(15 + calls), "{} tokens after {calls} calls", budget.tokens());
            }
            let tokens = budget.tokens() as usize;
            assert_eq!(payable(&policy), tokens / 5);
        });
    }
}
