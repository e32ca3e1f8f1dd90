//! The table of arguments.
//!
//! CONTRIBUTING.md lists what a new argument needs beside its row here.

use std::fmt::{self, Display, Formatter};

/// Declares [`Key`] from the table, and a macro that expands to its index in Markdown.
macro_rules! table {
    ($(
        $section:literal {
            $($Key:ident = $name:literal, $kind:ident, $place:ident, $scope:ident, $example:literal, $meaning:literal $(, $default:literal)?;)+
        }
    )+) => {
        /// The name of an argument.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key {
            $($(
                #[doc = concat!("`", $name, "`: ", $meaning)]
                $Key,
            )+)+
        }

        impl Key {
            /// All arguments, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$($(Self::$Key,)+)+];

            /// The row of the table.
            #[must_use]
            pub const fn row(self) -> &'static Row {
                match self {
                    $($(Self::$Key => &Row {
                        name: $name,
                        kind: Kind::$kind,
                        section: $section,
                        place: Place::$place,
                        scope: Scope::$scope,
                        example: $example,
                    },)+)+
                }
            }
        }

        /// The index of all arguments in Markdown, for the documentation of the attribute. Each name links to its section.
        #[macro_export]
        macro_rules! arguments {
            () => {
                ::core::concat!(
                    $($("- [`", $name, "`](#", $section, "): ", $meaning, $(". Default: ", $default,)? "\n",)+)+
                )
            };
        }
    };
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The key.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// The section of the attribute's documentation, as the anchor of its heading.
    pub section: &'static str,
    /// The places where it can be written.
    pub place: Place,
    /// The part of a call that it changes.
    pub scope: Scope,
    /// A value, for messages. Empty if the argument has none.
    pub example: &'static str,
}

/// The places where an argument can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The attribute and configuration files.
    Anywhere,
    /// The attribute only, because the value is code.
    Code,
}

/// The parts of a call that an argument changes. The rules are derived from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The computed delays. Without effect on a call with one attempt.
    Schedule,
    /// Anything else about retries. Without effect on a call with one attempt.
    Retries,
    /// A call with one attempt too.
    Call,
}

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number of attempts.
    Attempts,
    /// A backoff.
    Backoff,
    /// A duration.
    Duration,
    /// A number.
    Number,
    /// A list of durations.
    Durations,
    /// A jitter.
    Jitter,
    /// A limit on the delays of servers.
    RetryAfter,
    /// The treatment of a server's delay within the limit.
    WithinRetryAfter,
    /// The treatment of a server's delay beyond the limit.
    BeyondRetryAfter,
    /// A number of bytes.
    Bytes,
    /// The treatment of nested retries.
    Nested,
    /// The level of events.
    Events,
    /// A number of copies.
    Copies,
    /// A list of HTTP statuses.
    Statuses,
    /// A condition for errors.
    OnError,
    /// A condition for values.
    OnOk,
    /// A function that reads the server's delay.
    ServerDelay,
    /// The path of a function.
    Function,
    /// The path of a function that waits.
    SleepFunction,
    /// The path of a `static`, or an expression.
    Shared,
    /// A condition for values that are polled.
    Until,
    /// A function that reads the server's delay from an error.
    ErrorDelay,
    /// A hook before each wait.
    OnRetry,
    /// Any expression.
    Expression,
    /// One identifier.
    Name,
    /// A list of the function's arguments.
    Names,
    /// A string.
    Text,
    /// The path of the library.
    CratePath,
    /// No value.
    Flag,
}

impl Kind {
    /// The end of "expected …" in the attribute.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Attempts => "an integer such as `3`, `\"unlimited\"`, or the path of a constant",
            Self::Backoff => {
                "a backoff such as `\"exponential\"`, the path of a function, or a closure such as `|attempt| DELAY * attempt.number()`"
            }
            Self::Duration => "a duration such as `\"250ms\"` or the path of a constant",
            Self::Number => "a number such as `2` or `1.5`, or the path of a constant",
            Self::Durations => "a list of durations such as `[\"1s\", \"5s\"]` or the path of a constant",
            Self::Jitter => {
                "`\"none\"`, `\"full\"`, `\"equal\"`, a share such as `\"20%\"`, or a duration to add such as `\"+500ms\"`"
            }
            Self::RetryAfter => "a duration such as `\"250ms\"`, `\"ignore\"`, or the path of a constant",
            Self::WithinRetryAfter => "`\"raise\"` or `\"replace\"`",
            Self::BeyondRetryAfter => "`\"give_up\"`, `\"wait\"` or `\"ignore\"`",
            Self::Bytes => "a number of bytes such as `65536` or the path of a constant",
            Self::Nested => "`\"once\"`",
            Self::Events => "`\"info\"`, `\"debug\"` or `\"off\"`",
            Self::Copies => "an integer such as `3` or the path of a constant",
            Self::Statuses => "a list of statuses such as `[429, 503]`, `[500..=599]` or `[\"5xx\"]`",
            Self::OnError => {
                "`\"any\"`, `\"transient\"`, `\"never\"`, or the path of a function or a closure such as `|error| error.is_timeout()`"
            }
            Self::OnOk => "the path of a function or a closure such as `|value| value.is_empty()`",
            Self::ServerDelay => "the path of a function or a closure such as `|value| value.wait`",
            Self::Function => "the path of a function such as `path::to::function`",
            Self::SleepFunction => {
                "the path of a function such as `path::to::sleep`; for a timer that is only known at run time, use `Policy::run(…).sleep(…)`"
            }
            Self::Shared => "the path of a `static`, or an expression such as `self.shared`",
            Self::Until => "the path of a function or a closure such as `|value| value.is_done()`",
            Self::ErrorDelay => "the path of a function or a closure such as `|error| error.retry_after`",
            Self::OnRetry => "the path of a function or a closure such as `|retrying| eprintln!(\"{retrying}\")`",
            Self::Expression => "an expression",
            Self::Name => "an identifier such as `attempt`",
            Self::Names => "a list of arguments such as `[first, second]`",
            Self::Text => "a string such as `\"load the page\"` or the path of a constant",
            Self::CratePath => "the path of `retry_runtime` such as `facade::retry_runtime`",
            Self::Flag => "no value",
        }
    }

    /// The end of "expected …" in a file, which cannot name constants and functions.
    #[must_use]
    pub const fn expected_in_file(self) -> &'static str {
        match self {
            Self::Attempts => "an integer such as `3`, or `\"unlimited\"`",
            Self::Backoff => "a backoff such as `\"exponential\"`",
            Self::Duration => "a duration such as `\"250ms\"`",
            Self::Number => "a number such as `2` or `1.5`",
            Self::Durations => "a list of durations such as `[\"1s\", \"5s\"]`",
            Self::RetryAfter => "a duration such as `\"250ms\"`, or `\"ignore\"`",
            Self::Bytes => "a number of bytes such as `65536`",
            other => other.expected(),
        }
    }
}

// Section {
//     Key = name, kind, place, scope, example, meaning, default if there is one;
// }
table! {
    "attempts-and-limits" {
        Attempts = "attempts", Attempts, Anywhere, Call, "3",
            "the maximum number of attempts, including the first", "3; with `delays`, their number + 1";
        Deadline = "deadline", Duration, Anywhere, Call, "\"30s\"", "the time limit for the whole call";
        AttemptTimeout = "attempt_timeout", Duration, Anywhere, Call, "\"5s\"", "the time limit for each attempt";
    }

    "load-protection" {
        Budget = "budget", Shared, Code, Call, "API", "the budget that pays for retries";
        Nested = "nested", Nested, Anywhere, Retries, "\"once\"",
            "the treatment of failures that a nested call has already retried", "retry them";
        Breaker = "breaker", Shared, Code, Call, "API_BREAKER",
            "the circuit breaker that rejects attempts while most of them fail";
        Hedge = "hedge", Duration, Code, Call, "\"50ms\"", "the delay before a copy of a slow attempt starts";
        HedgeMax = "hedge_max", Copies, Code, Call, "3", "the maximum number of copies, including the first", "2";
    }

    "delays" {
        Backoff = "backoff", Backoff, Anywhere, Schedule, "\"exponential\"", "the growth of the delays", "`\"exponential\"`";
        Start = "start", Duration, Anywhere, Schedule, "\"100ms\"", "the first delay", "100 ms";
        Factor = "factor", Number, Anywhere, Schedule, "2", "the factor between delays", "2; with `\"decorrelated\"`, 3";
        MaxDelay = "max_delay", Duration, Anywhere, Schedule, "\"30s\"",
            "the cap on computed delays", "30 s in the standard schedule, otherwise none";
        Delays = "delays", Durations, Anywhere, Schedule, "[\"1s\", \"5s\"]", "a list of all delays";
        Jitter = "jitter", Jitter, Anywhere, Schedule, "\"full\"",
            "the randomness of the delays", "`\"full\"` in the standard schedule, otherwise `\"none\"`";
        RandomSource = "random_source", Function, Code, Schedule, "path::to::function",
            "the generator of random numbers", "`fastrand`, for each thread";
    }

    "conditions" {
        OnStatus = "on_status", Statuses, Code, Call, "[503]", "the statuses to retry", "408, 429, 500, 502, 503, 504";
        OnError = "on_error", OnError, Code, Call, "\"transient\"",
            "the errors to retry", "all but permanent errors; with `on_status`, transient errors";
        OnOk = "on_ok", OnOk, Code, Call, "|value| value.is_empty()", "the values to retry";
    }

    "polling" {
        Until = "until", Until, Code, Call, "|value| value.is_done()", "the condition that ends polling";
    }

    "the-servers-delay" {
        RetryAfter = "retry_after", RetryAfter, Anywhere, Retries, "\"60s\"",
            "the longest delay to accept from a server", "60 s";
        WithinRetryAfter = "within_retry_after", WithinRetryAfter, Anywhere, Retries, "\"replace\"",
            "the treatment of a server's delay up to `retry_after`", "`\"raise\"`";
        BeyondRetryAfter = "beyond_retry_after", BeyondRetryAfter, Anywhere, Retries, "\"wait\"",
            "the treatment of a server's delay above `retry_after`", "`\"give_up\"`";
        ServerDelay = "server_delay", ServerDelay, Code, Retries, "|value| value.wait",
            "a function that reads the server's delay from a value", "`Retry-After` of a response";
        ErrorDelay = "error_delay", ErrorDelay, Code, Retries, "|error| error.retry_after",
            "a function that reads the server's delay from an error", "the delay that the error reports";
    }

    "connection-reuse" {
        DrainLimit = "drain_limit", Bytes, Anywhere, Retries, "65536",
            "the maximum number of bytes to drain from a response that is retried", "65536";
        DrainTimeout = "drain_timeout", Duration, Anywhere, Retries, "\"200ms\"",
            "the maximum time to drain a response", "the delay before the next attempt";
    }

    "a-policy-from-elsewhere" {
        Policy = "policy", Expression, Code, Call, "POLICY", "a policy that is defined elsewhere";
    }

    "inside-the-body" {
        Bind = "bind", Name, Code, Call, "attempt", "a name for the `&Attempt` in the body";
        Clone = "clone", Names, Code, Call, "[argument]",
            "the arguments that each attempt receives a clone of, instead of borrowing them";
    }

    "events" {
        OnRetry = "on_retry", OnRetry, Code, Retries, "|retrying| eprintln!(\"{retrying}\")",
            "a function to call before each wait";
        Name = "name", Text, Code, Call, "\"load the page\"", "the name in events", "`module::function`";
        Observer = "observer", Expression, Code, Call, "OBSERVER", "a receiver of the events";
        Events = "events", Events, Anywhere, Call, "\"debug\"", "the level for `tracing` and `log`", "`\"info\"`";
    }

    "other-functions-and-runtimes" {
        Sleep = "sleep", SleepFunction, Code, Call, "path::to::function", "a function that waits", "tokio's timer";
        Blocking = "blocking", Flag, Code, Call, "", "for a function that is not `async`";
        Crate = "crate", CratePath, Code, Call, "path::to::retry_runtime",
            "the path of `retry_runtime`", "`::retry_runtime`";
    }
}

impl Key {
    /// The key with this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|key| key.name() == name)
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The names of all arguments of the attribute.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        Self::ALL.iter().map(|key| key.name()).collect()
    }

    /// The names of all arguments that files can set.
    #[must_use]
    pub fn names_in_files() -> Vec<&'static str> {
        Self::ALL.iter().filter(|key| key.is_allowed_in_files()).map(|key| key.name()).collect()
    }

    /// Returns `true` if files can set it.
    #[must_use]
    pub fn is_allowed_in_files(self) -> bool {
        self.row().place == Place::Anywhere
    }

    /// Returns `true` if it has no effect on a call with one attempt.
    #[must_use]
    pub fn is_about_retries(self) -> bool {
        matches!(self.row().scope, Scope::Schedule | Scope::Retries)
    }

    /// Returns `true` if `policy` replaces it.
    #[must_use]
    pub fn is_part_of_policy(self) -> bool {
        self.is_allowed_in_files() || self == Self::RandomSource
    }

    /// The argument as it is written: `attempts = 3`.
    #[must_use]
    pub fn example(self) -> String {
        match self.row() {
            Row { name, example: "", .. } => (*name).to_owned(),
            Row { name, example, .. } => format!("{name} = {example}"),
        }
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for key in Key::ALL {
            assert_eq!(Key::of(key.name()), Some(*key));
        }
        assert_eq!(Key::of("attemps"), None);
    }

    #[test]
    fn only_a_flag_has_no_example() {
        for key in Key::ALL {
            assert_eq!(key.row().example.is_empty(), key.row().kind == Kind::Flag, "{key}");
        }
        assert_eq!(Key::Start.example(), "start = \"100ms\"");
        assert_eq!(Key::Blocking.example(), "blocking");
    }

    #[test]
    fn files_cannot_set_code() {
        use Kind::*;
        assert!(Key::Attempts.is_allowed_in_files());
        for key in Key::ALL {
            let kind = key.row().kind;
            let is_predicate = matches!(kind, OnError | OnOk | Until | ServerDelay | ErrorDelay | OnRetry);
            let is_code = is_predicate || matches!(kind, Function | Shared | Expression | Name | Names);
            assert!(!is_code || !key.is_allowed_in_files(), "{key}");
        }
    }
}
