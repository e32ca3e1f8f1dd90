//! The rules about the values of a policy that are checked without text: each with the setting that breaks it and its message.
//!
//! The constant builder of `retry-runtime` panics with the message, its strict builder returns it as an error. Where the
//! attribute and files have the same rule, they report the same message. A rule between two durations has a second
//! message in `rules`, with the durations, which a constant function cannot format.

/// Declares [`Invalid`] from the table.
macro_rules! rules {
    ($($(#[$of_rule:meta])* $Rule:ident = $setting:literal, $message:literal;)+) => {
        /// A rule that the values of a policy break.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Invalid {
            $($(#[$of_rule])* $Rule,)+
        }

        impl Invalid {
            /// All rules.
            pub const ALL: &'static [Self] = &[$(Self::$Rule),+];

            /// The name of the setting that breaks the rule.
            #[must_use]
            pub const fn setting(self) -> &'static str {
                match self {
                    $(Self::$Rule => $setting,)+
                }
            }

            /// The problem, and what to write instead.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$Rule => $message,)+
                }
            }

            /// Panics with the message.
            // One literal for each rule, because a constant function can panic with a formatted message only as a `String`.
            #[track_caller]
            pub const fn panic(self) -> ! {
                match self {
                    $(Self::$Rule => panic!($message),)+
                }
            }
        }
    };
}

rules! {
    /// Fewer attempts than 1.
    Attempts = "attempts", "`attempts` includes the first attempt: it must be at least 1";
    /// An empty list of delays.
    NoDelays = "delays", "`delays` is empty: write at least one delay";
    /// More than [`MAX_OWNED_DELAYS`] delays in a list that is not `'static`.
    TooManyDelays = "delays",
        "`delays` has more than 8 delays, the most for a list that is not `'static`: shorten it, or keep it in a `static`";
    /// Delays would shrink, or be infinite.
    Factor = "factor", "`factor` must be a finite number of at least 1";
    /// The backoff has no factor.
    FactorUnused = "factor",
        "`factor` belongs to the exponential backoff and the decorrelated one: remove it, or change the backoff";
    /// The cap is below the first delay.
    MaxDelay = "max_delay", "`max_delay` is shorter than the first delay: raise it, or lower the start";
    /// A share that is not above 0 and at most 1.
    Share = "jitter", "a share of jitter must be above 0 and at most 1: write 0.2 for 20 %";
    /// Additive jitter of zero.
    Plus = "jitter", "additive jitter must be longer than zero: write for example 500 ms, or no jitter";
    /// A deadline of zero.
    Deadline = "deadline", "`deadline` must be longer than zero: no attempt could succeed";
    /// A deadline that no retry can start before.
    DeadlineReached = "deadline",
        "the first delay reaches the `deadline`, so no retry could start: raise the deadline, or shorten the first delay";
    /// An attempt timeout of zero.
    AttemptTimeout = "attempt_timeout", "`attempt_timeout` must be longer than zero: no attempt could succeed";
    /// A time of zero to read bodies.
    DrainTimeout = "drain_timeout", "`drain_timeout` must be longer than zero: set `drain_limit` to 0 to read no bodies";
    /// The treatment of servers' delays within the limit, although they are ignored.
    WithinIgnored = "within_retry_after", "`within_retry_after` has no effect if servers' delays are ignored: remove it, or `ignore_retry_after`";
    /// The treatment of servers' delays beyond the limit, although they are ignored.
    BeyondIgnored = "beyond_retry_after", "`beyond_retry_after` has no effect if servers' delays are ignored: remove it, or `ignore_retry_after`";
}

/// The most delays in a list that is not `'static`, which the policy keeps a copy of.
pub const MAX_OWNED_DELAYS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn settings_are_arguments() {
        for rule in Invalid::ALL {
            assert!(Key::of(rule.setting()).is_some(), "{rule:?}");
        }
    }

    #[test]
    fn the_message_names_the_limit() {
        assert!(Invalid::TooManyDelays.message().contains(&format!("more than {MAX_OWNED_DELAYS} delays")));
    }
}
