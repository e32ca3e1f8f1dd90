//! `Policy::delay_after`: the decision for retries that wait outside of this process, such as in a job queue.

use core::time::Duration;

use crate::classify::class::Class;
use crate::classify::failure::Failure;
use crate::classify::verdict::Verdict;
use crate::context::simulation;
use crate::engine::decide::decide;
use crate::engine::hooks::NextDelay;
use crate::engine::situation::Situation;
use crate::observe::event::GiveUp;
use crate::policy::builder::Policy;

impl Policy {
    /// Decides about one failed attempt, for a retry that waits elsewhere: in a job queue, a message broker or a table of your
    /// own. Returns the delay before the next attempt, or the reason why there is none. It does not wait, and keeps no state:
    /// the queue counts the attempts. [`guide::durable`](crate::guide::durable) shows it with a job queue.
    ///
    /// `attempt` is the number of the attempt that failed, starting at 1; 0 counts as 1. The verdict is that of
    /// [`Condition::verdict_on`](crate::Condition::verdict_on) or [`verdict!`](crate::verdict). A success has no next attempt
    /// either: the reason is [`Permanent`](GiveUp::Permanent).
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::event::GiveUp;
    /// use retry_runtime::{Class, Condition, Failure, Policy};
    ///
    /// const MINUTE: Duration = Duration::from_secs(60);
    /// const HOUR: Duration = Duration::from_secs(3600);
    /// const POLICY: Policy = Policy::exponential(MINUTE).attempts(3).retry_after(HOUR);
    ///
    /// let busy = Failure::new(Class::Transient).with_server_delay(Duration::from_secs(90));
    /// let busy = Condition::new().verdict_on(busy);
    /// assert_eq!(POLICY.delay_after(1, busy), Ok(Duration::from_secs(90)));
    /// assert_eq!(POLICY.delay_after(2, busy), Ok(MINUTE * 2));
    /// assert_eq!(POLICY.delay_after(3, busy), Err(GiveUp::Exhausted));
    ///
    /// let invalid = Condition::new().verdict_on(Failure::new(Class::Permanent));
    /// assert_eq!(POLICY.delay_after(1, invalid), Err(GiveUp::Permanent));
    /// ```
    ///
    /// The same code decides as in an annotated function or a loop. It does not know the call, so it leaves out what only a
    /// running call has:
    ///
    /// | setting | in a queue |
    /// |---|---|
    /// | [`attempts`](Self::attempts), backoff, [`max_delay`](Self::max_delay), [`jitter`](Self::jitter) | apply |
    /// | [`retry_after`](Self::retry_after), [`within_retry_after`](Self::within_retry_after), [`beyond_retry_after`](Self::beyond_retry_after) | apply. The default limit of 60 s is short for a queue: a server that asks for more ends the job |
    /// | the delay of a [`Breaker`](crate::Breaker) | applies. A rejected attempt is retried when the breaker may admit it. In a call, that needs a deadline |
    /// | [`decorrelated`](Self::decorrelated) backoff | applies. The queue does not know the previous delay, so the delays before it are drawn again. Their distribution is that of a call without server delays |
    /// | [`custom`](Self::custom) backoff | applies. Its [`Attempt`](crate::Attempt) has the number, the limit and the failure; no time has elapsed |
    /// | [`deadline`](Self::deadline), [`attempt_timeout`](Self::attempt_timeout), deadlines of calls around | do not apply, because the start is unknown. Compare the age of the job yourself |
    /// | [`budget`](Self::budget), [`nested`](Self::nested), events, statistics | do not apply: the retry is not made here |
    /// | [`set_enabled`](crate::set_enabled) | does not apply, because a queue that gives up loses the job. Pause the queue instead |
    pub fn delay_after(&self, attempt: u32, verdict: Verdict) -> Result<Duration, GiveUp> {
        // A job has no deadline around it, without which the rejection of a breaker is permanent.
        let verdict = match verdict {
            Verdict::GiveUp(failure) if failure.breaker_delay().is_some() => Verdict::Retry(failure),
            verdict => verdict,
        };
        let failure = verdict.failure().unwrap_or(Failure::new(Class::Success));
        let random = simulation::random_source().unwrap_or(self.random);
        let number = attempt.max(1);
        let situation = Situation {
            number,
            max_attempts: self.attempt_limit(),
            started: None,
            now: None,
            outer_deadline: None,
            outer_is_caller: false,
            previous_delay: self.drawn_before(number, random),
            nested_exhausted: false,
            retries_enabled: true,
            random,
        };
        decide(self, verdict, failure, &situation, &mut NextDelay::Scheduled).map(|(delay, _)| delay)
    }
}
