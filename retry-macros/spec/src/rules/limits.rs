//! The rules about limits on time, copies and bodies.

use std::time::Duration;

use super::broken::{At, Rules};
use crate::duration::human;
use crate::key::Key;
use crate::number;
use crate::values::RetryAfter;

impl Rules<'_> {
    pub(super) fn limits(&mut self) {
        if !(self.values.is_written(Key::Policy) || self.values.is_one_attempt()) {
            self.blocking_reads_no_bodies();
            self.drain_timeout_is_used();
            self.server_delay_is_not_ignored();
        }
        self.hedge_max_needs_hedge();
        self.hedge_is_shorter_than_the_limits();
        self.blocking_has_no_hedge();
        self.limits_are_not_zero();
        self.attempt_timeout_is_shorter_than_deadline();
        self.first_delay_fits_into_deadline();
        self.blocking_has_no_attempt_timeout();
    }

    /// A thread that sleeps cannot read a body at the same time.
    fn blocking_reads_no_bodies(&mut self) {
        let values = self.values;
        let bodies = [Key::DrainLimit, Key::DrainTimeout];
        for key in values.written.iter().copied().filter(|key| values.is_written(Key::Blocking) && bodies.contains(key))
        {
            let message = format!("`{key}` has no effect with `blocking`, which reads no bodies: remove it");
            self.broken(key, At::Key(key), message);
        }
    }

    /// A time to read needs something to read.
    fn drain_timeout_is_used(&mut self) {
        let values = self.values;
        if values.is_written(Key::Blocking) || !values.is_written(Key::DrainTimeout) {
            return;
        }
        if values.drain_limit == Some(0) {
            let message = "`drain_timeout` has no effect with `drain_limit = 0`: remove one of them";
            self.broken_by(Key::DrainTimeout, Key::DrainLimit, message);
        } else if let Some(Err(message)) = values.drain_timeout.map(number::drain_timeout) {
            self.broken(Key::DrainTimeout, At::Value(Key::DrainTimeout), message);
        }
    }

    /// Servers' delays are not ignored beside an argument that says what they do.
    fn server_delay_is_not_ignored(&mut self) {
        if self.values.retry_after != Some(RetryAfter::Ignore) {
            return;
        }
        for key in [Key::ServerDelay, Key::ErrorDelay, Key::WithinRetryAfter, Key::BeyondRetryAfter] {
            if self.values.is_written(key) {
                let message = format!("`{key}` has no effect with `retry_after = \"ignore\"`: remove one of them");
                self.broken_by(key, Key::RetryAfter, message);
            }
        }
    }

    /// The number of copies needs copies.
    fn hedge_max_needs_hedge(&mut self) {
        if self.values.is_written(Key::HedgeMax) && !self.values.is_written(Key::Hedge) {
            let message = "`hedge_max` has no effect without `hedge`: write for example `hedge = \"50ms\"`";
            self.broken(Key::HedgeMax, At::Key(Key::HedgeMax), message);
        }
    }

    /// A copy starts before the attempt ends.
    fn hedge_is_shorter_than_the_limits(&mut self) {
        let Some(delay) = self.values.hedge else { return };
        if let Err(message) = number::hedge(delay) {
            return self.broken(Key::Hedge, At::Value(Key::Hedge), message);
        }
        let limits = [(Key::Deadline, self.values.deadline), (Key::AttemptTimeout, self.values.attempt_timeout)];
        let reached = limits.into_iter().find_map(|(key, limit)| {
            let limit = limit.filter(|limit| delay >= *limit && !limit.is_zero())?;
            Some((key, limit))
        });
        if let Some((key, limit)) = reached {
            let at = self.later(At::Value(Key::Hedge), At::Value(key));
            let (delay, limit) = (human(delay), human(limit));
            let effect = format!("`hedge` ({delay}) has no effect under the `{key}` of {limit}");
            self.broken(Key::Hedge, at, format!("{effect}: write a shorter `hedge`"));
        }
    }

    /// A thread runs one copy at a time.
    fn blocking_has_no_hedge(&mut self) {
        if self.values.is_written(Key::Blocking) && self.values.is_written(Key::Hedge) {
            let message = "a blocking function cannot run two copies of an attempt at the same time: remove `hedge`";
            self.broken_by(Key::Hedge, Key::Blocking, message);
        }
    }

    /// A limit of zero lets no attempt finish.
    fn limits_are_not_zero(&mut self) {
        let limits = [
            (Key::Deadline, self.values.deadline.map(number::deadline)),
            (Key::AttemptTimeout, self.values.attempt_timeout.map(number::attempt_timeout)),
        ];
        for (key, limit) in limits {
            if let Some(Err(message)) = limit {
                self.broken(key, At::Value(key), message);
            }
        }
    }

    /// An attempt timeout of at least the deadline never fires.
    fn attempt_timeout_is_shorter_than_deadline(&mut self) {
        let (Some(timeout), Some(deadline)) = (self.values.attempt_timeout, self.values.deadline) else { return };
        if timeout >= deadline && !deadline.is_zero() {
            let at = self.later(At::Value(Key::AttemptTimeout), At::Value(Key::Deadline));
            let (timeout, deadline) = (human(timeout), human(deadline));
            let effect = format!("`attempt_timeout` ({timeout}) has no effect under a `deadline` of {deadline}");
            self.broken(Key::AttemptTimeout, at, format!("{effect}: write a shorter `attempt_timeout`"));
        }
    }

    /// The shortest first delay ends before the deadline. Otherwise no retry can start.
    fn first_delay_fits_into_deadline(&mut self) {
        let values = self.values;
        let (Some(deadline), Some(first)) = (values.deadline, values.shortest_first_delay()) else { return };
        let retries = !values.is_written(Key::Policy) && values.max_attempts() != Some(1);
        let is_known = values.attempts.is_some() || !values.is_written(Key::Attempts);
        if retries && is_known && first >= deadline && !deadline.is_zero() {
            self.broken(Key::Deadline, At::Value(Key::Deadline), first_delay_reaches_deadline(first, deadline));
        }
    }

    /// A thread cannot be stopped during an attempt.
    fn blocking_has_no_attempt_timeout(&mut self) {
        if self.values.is_written(Key::Blocking) && self.values.is_written(Key::AttemptTimeout) {
            let message = "a blocking attempt cannot be stopped: remove `attempt_timeout`, or write `deadline`";
            self.broken_by(Key::AttemptTimeout, Key::Blocking, message);
        }
    }
}

/// The message for a first delay that does not end before the deadline.
#[must_use]
pub fn first_delay_reaches_deadline(first: Duration, deadline: Duration) -> String {
    let (first, deadline) = (human(first), human(deadline));
    format!(
        "the first delay is at least {first}, which does not fit in the `deadline` of {deadline}: no retry could start"
    )
}
