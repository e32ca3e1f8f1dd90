//! The table of arguments.
//!
//! A new argument is one row here, a field and a `match` arm in the attribute (`retry-macros/src/args/model.rs` and
//! `parse.rs`), and, if files may set it, a `match` arm in `retry-runtime/src/config/spec/keys.rs`. The `match`es are exhaustive, so the compiler finds what is
//! missing.

use std::fmt::{self, Display, Formatter};

/// Declares [`Key`] and [`Section`] from the table, and for each section a macro that expands to its table in Markdown.
macro_rules! table {
    ($(
        $(#[$of_section:meta])*
        $Section:ident, $markdown:ident {
            $($Key:ident = $name:literal, $kind:ident, $place:ident, $example:literal, $values:literal, $default:literal;)+
        }
    )+) => {
        /// The name of an argument.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Key {
            $($(
                #[doc = concat!("`", $name, "`: ", $values)]
                $Key,
            )+)+
        }

        /// The sections of the attribute's documentation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Section {
            $($(#[$of_section])* $Section,)+
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
                        section: Section::$Section,
                        place: Place::$place,
                        example: $example,
                        values: $values,
                        default: $default,
                    },)+)+
                }
            }
        }

        $(
            /// The table of a section in Markdown, for the documentation of the attribute.
            #[macro_export]
            macro_rules! $markdown {
                () => {
                    ::core::concat!(
                        "| argument | values | default |\n|---|---|---|\n",
                        $("| `", $name, "` | ", $values, " | ", $default, " |\n",)+
                    )
                };
            }
        )+
    };
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The key.
    pub name: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// The section of the attribute's documentation.
    pub section: Section,
    /// The places where it can be written.
    pub place: Place,
    /// A value, for messages. Empty if the argument has none.
    pub example: &'static str,
    /// The allowed values, in Markdown.
    pub values: &'static str,
    /// The default, in Markdown.
    pub default: &'static str,
}

/// The places where an argument can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The attribute and configuration files.
    Anywhere,
    /// The attribute only, because the value is code.
    Code,
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

// Section, name of the macro {
//     Key = name, kind, place, example, values, default;
// }
table! {
    /// The number of attempts, the limits on their time, and the protection of the service from load.
    AttemptsAndLimits, attempts_and_limits {
        Attempts = "attempts", Attempts, Anywhere, "3",
            "the maximum number of attempts, including the first: an integer of at least 1, a constant of type `u32`, or `\"unlimited\"`",
            "3; with `delays`, one more than the number of delays";
        Deadline = "deadline", Duration, Anywhere, "\"30s\"",
            "the time limit for the whole call: a duration longer than zero, or a constant", "no limit";
        AttemptTimeout = "attempt_timeout", Duration, Anywhere, "\"5s\"",
            "the time limit for each attempt: a duration longer than zero, or a constant", "no limit";
        Budget = "budget", Shared, Code, "API",
            "the path of a `static` of type `Budget`, or an expression of type `Budget` or `Arc<Budget>`, or a reference to one", "no budget";
        Nested = "nested", Nested, Anywhere, "\"once\"",
            "`\"once\"`: do not retry a failure that a call inside the attempt has already retried", "retry it";
        Breaker = "breaker", Shared, Code, "API_BREAKER",
            "the path of a `static` of type `Breaker`, or an expression of type `Breaker` or `Arc<Breaker>`, or a reference to one",
            "no circuit breaker";
        Hedge = "hedge", Duration, Code, "\"50ms\"",
            "the delay before the next copy of an attempt: a duration longer than zero, or a constant; not with `blocking`",
            "no hedging";
        HedgeMax = "hedge_max", Copies, Code, "3",
            "the maximum number of copies: an integer of at least 2, or a constant of type `u32`; only with `hedge`", "2";
    }

    /// The delays between attempts.
    Delays, delays {
        Backoff = "backoff", Backoff, Anywhere, "\"exponential\"",
            "`\"exponential\"`, `\"fixed\"`, `\"linear\"`, `\"fibonacci\"`, `\"random\"`, `\"decorrelated\"`, or the path of a function or a closure from `&Attempt` to `Duration`",
            "`\"exponential\"`";
        Start = "start", Duration, Anywhere, "\"100ms\"", "the first delay: a duration, or a constant", "100 ms";
        Factor = "factor", Number, Anywhere, "2",
            "the growth of exponential delays, and of the upper bound of decorrelated ones: a number of at least 1, or a constant of type `f64`",
            "2; with `\"decorrelated\"`, 3";
        MaxDelay = "max_delay", Duration, Anywhere, "\"30s\"",
            "the cap on computed delays: a duration, or a constant; required by `\"random\"` and `\"decorrelated\"`",
            "30 s in the standard schedule, otherwise no cap";
        Delays = "delays", Durations, Anywhere, "[\"1s\", \"5s\"]",
            "every delay: a list of durations and constants, or a constant of type `&'static [Duration]`",
            "delays are computed";
        Jitter = "jitter", Jitter, Anywhere, "\"full\"",
            "`\"none\"`, `\"full\"`, `\"equal\"`, a share such as `\"20%\"`, which is more than 0 % and at most 100 %, or a duration to add such as `\"+500ms\"`, which is longer than zero",
            "`\"full\"` in the standard schedule, otherwise `\"none\"`";
        RandomSource = "random_source", Function, Code, "path::to::function",
            "the path of a `fn() -> f64` that returns numbers in [0, 1)", "the thread-local generator of the crate `fastrand`";
    }

    /// The outcomes that are retried.
    Conditions, conditions {
        OnStatus = "on_status", Statuses, Code, "[503]",
            "a list of codes `503`, ranges `500..=599`, classes `\"5xx\"`, and constants of type `u16` or `http::StatusCode`; each status is between 100 and 599 and listed once",
            "408, 429, 500, 502, 503, 504";
        OnError = "on_error", OnError, Code, "\"transient\"",
            "`\"any\"`, `\"transient\"`, `\"never\"`, or the path of a function or a closure from `&E` to `bool`", "see below";
        OnOk = "on_ok", OnOk, Code, "|value| value.is_empty()",
            "the path of a function or a closure from `&T` to `bool`, which returns `true` for a value that must be retried",
            "values are returned";
        Until = "until", Until, Code, "|value| value.is_done()",
            "the path of a function or a closure from `&T` to `bool`, which returns `true` for a value that is ready: [polling](#polling)",
            "every value is ready";
        RetryAfter = "retry_after", RetryAfter, Anywhere, "\"60s\"",
            "the longest delay to accept from a server: a duration, a constant, or `\"ignore\"`", "60 s";
        WithinRetryAfter = "within_retry_after", WithinRetryAfter, Anywhere, "\"replace\"",
            "a server's delay up to `retry_after`: `\"raise\"` takes it as a lower bound of the computed delay, `\"replace\"` instead of the computed delay",
            "`\"raise\"`";
        BeyondRetryAfter = "beyond_retry_after", BeyondRetryAfter, Anywhere, "\"wait\"",
            "a server's delay above `retry_after`: `\"give_up\"`, `\"wait\"` as long as `retry_after`, or `\"ignore\"` it",
            "`\"give_up\"`";
        ServerDelay = "server_delay", ServerDelay, Code, "|value| value.wait",
            "the path of a function or a closure from `&T` to `Option<Duration>`, which returns the delay that the server asks for",
            "the delay that the value reports itself: for a response, `Retry-After`";
        ErrorDelay = "error_delay", ErrorDelay, Code, "|error| error.retry_after",
            "the path of a function or a closure from `&E` to `Option<Duration>`, which returns the delay that the error asks for",
            "the delay that the error reports itself";
    }

    /// The bodies of responses that are retried.
    Bodies, bodies {
        DrainLimit = "drain_limit", Bytes, Anywhere, "65536",
            "the maximum number of bytes to read: an integer, or a constant of type `usize`; `0` reads no bodies", "65536";
        DrainTimeout = "drain_timeout", Duration, Anywhere, "\"200ms\"",
            "the maximum time to read: a duration longer than zero, or a constant; measured with tokio's timer",
            "the delay before the next attempt";
    }

    /// A policy that the attribute does not define itself.
    PolicyFromElsewhere, policy_from_elsewhere {
        Policy = "policy", Expression, Code, "POLICY",
            "an expression of type `Policy`, `&Policy` or `Arc<Policy>`", "the policy that the other arguments define";
    }

    /// The attempt inside the body.
    InsideTheBody, inside_the_body {
        Bind = "bind", Name, Code, "attempt", "an identifier, bound to the `&Attempt` in the body", "no binding";
        Clone = "clone", Names, Code, "[argument]",
            "a list of the function's arguments; each attempt gets clones of them, which the body owns",
            "each attempt borrows the arguments";
    }

    /// The events of a call, and a hook before each wait.
    Events, events {
        OnRetry = "on_retry", OnRetry, Code, "|retrying| eprintln!(\"{retrying}\")",
            "the path of a function or a closure that is called with a `&Retrying<T, E>` before each wait, and may end the call", "no hook";
        Name = "name", Text, Code, "\"load the page\"", "a string, or a constant of type `&'static str`",
            "`module::function`";
        Observer = "observer", Expression, Code, "OBSERVER", "an expression of a type that implements `Observer`",
            "no observer";
        Events = "events", Events, Anywhere, "\"debug\"",
            "the level for `tracing` and `log`: `\"info\"` (warnings included), `\"debug\"` (nothing above it), or `\"off\"` (neither events nor spans)", "`\"info\"`";
    }

    /// Functions that are not `async`, and runtimes other than tokio.
    OtherRuntimes, other_runtimes {
        Sleep = "sleep", Function, Code, "path::to::function",
            "the path of a `fn(Duration) -> impl Future<Output = ()>`, or of a `fn(Duration)` with `blocking`",
            "tokio's timer, or `std::thread::sleep` with `blocking`";
        Blocking = "blocking", Flag, Code, "", "no value; for a plain `fn`", "an `async` function";
        Crate = "crate", CratePath, Code, "path::to::retry_runtime",
            "the path of `retry_runtime`, if it is renamed or re-exported by another crate", "`::retry_runtime`";
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
