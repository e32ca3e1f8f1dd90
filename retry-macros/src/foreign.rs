//! The spellings of other retry crates, each with what is written here instead.

use syn::LitInt;
use syn::parse::ParseStream;

/// What to write for an argument that another crate has; the input stands at its value.
pub(crate) fn advice(name: &str, value: ParseStream) -> Option<String> {
    let text = match name {
        "retries" | "max_retries" | "times" | "tries" | "num_retries" | "retry_count" => {
            return Some(one_more("attempts", "call", value));
        }
        "max_attempts" | "max_tries" => "write `attempts`",
        "delay" | "initial_delay" | "base" | "base_delay" | "min_delay" | "interval" | "wait" => {
            "write `start` for the first delay"
        }
        "timeout" => "write `attempt_timeout` for one attempt, or `deadline` for all of them",
        "total_timeout" | "max_elapsed_time" | "max_duration" => "write `deadline`",
        "multiplier" => "write `factor`",
        "strategy" => "write `backoff`",
        "statuses" | "status" | "status_codes" => "write `on_status`",
        "exceptions" | "when" | "condition" => "write `on_error`",
        "retry_if" | "retry_on" => "write `on_error` for errors, or `on_ok` for successes",
        "max_timeout" | "cap" | "max_backoff" | "max_interval" => "write `max_delay`",
        "retry_budget" | "token_bucket" | "throttle" => "write `budget` with the path of a `static Budget`",
        "nested_once" => "write `nested = \"once\"`",
        "circuit_breaker" | "circuit" => "write `breaker` with the path of a `static Breaker`",
        "hedge_after" | "hedge_delay" | "hedging" | "hedging_delay" => {
            "write `hedge` with the time after which there is another copy"
        }
        "hedges" | "max_hedges" | "max_hedged_attempts" => return Some(one_more("hedge_max", "copy", value)),
        "max_retry_after" => "write `retry_after`",
        "retry_after_header" | "rate_limit_header" => "write `server_delay` with a closure that reads the header",
        _ => return None,
    };
    Some(text.to_owned())
}

/// What counts the first one too, unlike there.
fn one_more(key: &str, what: &str, value: ParseStream) -> String {
    let literal = value.fork().parse::<LitInt>().ok();
    let number = literal.and_then(|number| number.base10_parse::<u32>().ok());
    let number = number.and_then(|number| number.checked_add(1));
    let number = number.map_or_else(|| "N + 1".to_owned(), |number| number.to_string());
    format!("`{key}` counts the first {what} too: write `{key} = {number}`")
}
