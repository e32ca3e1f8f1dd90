//! Assertions on recorded events and delays, and their messages.

use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use retry_runtime::Executor;
use retry_runtime::testing::{Script, Simulation, simulate};

use super::{BUSY, POLICY, call, events_of_faults};
use crate::support::{Attempts, Fault, SECOND};

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
    let beginning = "the delays were not as expected\nexpected: [1s]\n     was: [1s, 2s]\n\nattempt 1 of 3 starts\n";
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

/// Such a loop emits no event when an attempt starts.
#[tokio::test(start_paused = true)]
async fn attempts_of_a_loop_that_only_reports_outcomes_are_counted() {
    let by_hand = async |attempts: u32| {
        let mut retry = Executor::new(&POLICY);
        for _ in 1..attempts {
            retry.pause("busy").unwrap().await;
        }
        retry.succeed(());
    };
    let simulation = Simulation::new();
    for attempts in [3, 1] {
        simulation.run(by_hand(attempts)).await;
    }
    assert_eq!(simulation.attempts(), 4, "{simulation}");
    simulation.run(call(&Attempts::new(), 2)).await.unwrap();
    assert_eq!(simulation.attempts(), 6, "{simulation}");
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
    let manual = async {
        let mut retry = Executor::new(&POLICY);
        retry.attempt_to_end(async {}).await;
        retry.fail(CallsInDisplay);
    };
    simulate(manual).await.1.assert_events(
        "attempt 1 of 3 starts
         attempt 1 of 3 starts
         attempt 1 of 3 succeeded
         attempt 1 of 3 failed: shown
         gave up after attempt 1 of 3: such a failure is not retried",
    );
}
