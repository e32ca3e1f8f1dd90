//! The settings of a breaker.

use core::time::Duration;

use super::gate::Gate;
use super::{Breaker, BreakerChange};

/// Settings.
impl Breaker {
    /// Creates a closed breaker with the default settings: it opens for five seconds when, of at least 20 attempts in ten
    /// seconds, half fail.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            name: "breaker",
            on_change: None,
            longest_pause: None,
            fails_fast: false,
            gate: Gate::new(50, 20, Duration::from_secs(10), Duration::from_secs(5)),
        }
    }

    /// Sets the name in the breaker's error and events. Defaults to `breaker`.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sets the share of failures, in percent, at which the breaker opens. Defaults to 50.
    ///
    /// # Panics
    ///
    /// If `percent` is 0 or above 100.
    #[must_use]
    #[track_caller]
    pub const fn failure_rate(mut self, percent: u8) -> Self {
        assert!(percent > 0 && percent <= 100, "`failure_rate` must be a percentage from 1 to 100");
        self.gate.failure_rate = percent;
        self
    }

    /// Sets the number of attempts in the window that the breaker needs to judge the share of failures. With fewer, it does not
    /// open. Defaults to 20.
    ///
    /// # Panics
    ///
    /// If `attempts` is 0.
    #[must_use]
    #[track_caller]
    pub const fn minimum_attempts(mut self, attempts: u32) -> Self {
        assert!(
            attempts > 0,
            "`minimum_attempts` must be at least 1: without an attempt there is no share of failures"
        );
        self.gate.minimum_attempts = attempts;
        self
    }

    /// Sets the length of the window, which is how far back the breaker looks. Defaults to ten seconds. The window moves
    /// forward in tenths of its length, so outcomes count for nine to ten tenths of it.
    ///
    /// # Panics
    ///
    /// If `window` is zero.
    #[must_use]
    #[track_caller]
    pub const fn window(mut self, window: Duration) -> Self {
        assert!(!window.is_zero(), "`window` must be greater than zero: an empty window holds no attempts");
        self.gate.window = window;
        self
    }

    /// Sets how long the breaker stays open before it admits a probe. Defaults to five seconds.
    ///
    /// # Panics
    ///
    /// If `time` is zero.
    #[must_use]
    #[track_caller]
    pub const fn open_for(mut self, time: Duration) -> Self {
        assert!(
            !time.is_zero(),
            "`open_for` must be greater than zero: otherwise the breaker never rejects an attempt"
        );
        self.gate.open_for = time;
        self
    }

    /// Fails an attempt that is not admitted at once and for good: its call waits neither for the breaker nor for the end of a probe. Defaults
    /// to [waiting](Breaker#rejected-attempts) if the deadline of the call leaves time.
    ///
    /// For calls whose users wait for the answer. With the default, a call with a deadline of five seconds that meets a breaker which has
    /// been open for a moment waits for almost all of that time.
    ///
    /// ```
    /// use retry_runtime::Breaker;
    ///
    /// static API: Breaker = Breaker::new().name("api").fail_fast();
    /// ```
    #[must_use]
    pub const fn fail_fast(mut self) -> Self {
        self.fails_fast = true;
        self
    }

    /// Pauses the breaker when a server asks to wait, for as long as the server asks, but at most for `limit`. Defaults to no
    /// pauses.
    ///
    /// The response to a single attempt then stops all attempts that share the breaker: see [Pauses](Breaker#pauses). `limit`
    /// bounds that time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use retry_runtime::Breaker;
    ///
    /// static API: Breaker = Breaker::new().name("api").pause_on_retry_after(Duration::from_secs(30));
    /// ```
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    #[must_use]
    #[track_caller]
    pub const fn pause_on_retry_after(mut self, limit: Duration) -> Self {
        assert!(
            !limit.is_zero(),
            "`pause_on_retry_after` must be greater than zero: it limits the pause that a server may ask for"
        );
        self.longest_pause = Some(limit);
        self
    }

    /// Sets a function that is called after each change of state, outside the breaker's lock. With the feature `tracing`,
    /// the change is also an event with the target `retry`: a warning if the breaker opens or is paused, otherwise an info.
    #[must_use]
    pub const fn on_change(mut self, listener: fn(&BreakerChange)) -> Self {
        self.on_change = Some(listener);
        self
    }
}
