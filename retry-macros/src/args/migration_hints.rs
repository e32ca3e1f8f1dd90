//! Advice for the argument names of other retry libraries.

use syn::LitInt;
use syn::parse::ParseStream;

/// The argument to write instead of one of another library. The input is at its value.
pub(crate) fn advice(name: &str, value: ParseStream) -> Option<String> {
    let text = match name {
        "retries" | "max_retries" | "times" | "max_times" | "tries" | "num_retries" | "retry_count" | "total" => {
            return Some(one_more("attempts", "attempt", value));
        }
        "max_attempts" | "max_tries" | "stop_max_attempt_number" | "stop_after_attempt" => "write `attempts`",
        "stop" => "write `attempts` to limit their number, or `deadline` to limit their time",
        "delay" | "initial_delay" | "base" | "base_delay" | "min_delay" | "interval" | "wait" | "wait_initial"
        | "wait_min" | "start_timeout" | "min_timeout" | "initial_backoff" | "initial_interval" => {
            "write `start` for the first delay"
        }
        "wait_fixed" => "write `backoff = \"fixed\"` and `start`",
        "backoff_factor" => "write `start` for the first delay, and `factor` for its growth",
        "timeouts" => "write `delays` for the delays between attempts, or `attempt_timeout` to limit each attempt",
        "timeout" => "write `attempt_timeout` to limit each attempt, or `deadline` to limit all of them",
        "total_timeout" | "max_elapsed_time" | "max_duration" | "stop_after_delay" | "max_time" => "write `deadline`",
        "multiplier" => "write `factor`",
        "strategy" => "write `backoff`",
        "wait_jitter" => "write `jitter`",
        "random_func" => "write `random_source` with the path of a function",
        "statuses" | "status" | "status_codes" | "status_forcelist" => "write `on_status`",
        "retry_all_server_errors" => "write `on_status = [\"5xx\"]`",
        "exceptions" | "when" | "condition" => "write `on_error`",
        "retry_if" | "retry_on" => "write `on_error` for errors, or `on_ok` for successes",
        "evaluate_response_callback" | "retry_if_result" => "write `on_ok` with a closure from the value to `bool`",
        "raise_for_status" => "call `check_status` on the response in the body, and write `on_status`",
        "methods" | "allowed_methods" | "method_whitelist" => {
            "remove it, because the attribute retries every method, or send the request with `send_with_retry`, which checks the method"
        }
        "reraise" => "remove it, because the last error is always returned unchanged",
        "notify" | "before_sleep" | "on_backoff" => {
            "write `on_retry` with a closure such as `|retrying| eprintln!(\"{retrying}\")`"
        }
        "on_giveup" | "retry_error_callback" => "write `observer` with a value whose type implements `Observer`",
        "max_timeout" | "cap" | "max_backoff" | "max_interval" | "wait_max" | "backoff_max" => "write `max_delay`",
        "retry_budget" | "token_bucket" | "throttle" => {
            "write `budget` with the path of a `static Budget` or an expression"
        }
        "nested_once" => "write `nested = \"once\"`",
        "circuit_breaker" | "circuit" => "write `breaker` with the path of a `static Breaker` or an expression",
        "hedge_after" | "hedge_delay" | "hedging" | "hedging_delay" => {
            "write `hedge` with the delay before the next copy"
        }
        "hedges" | "max_hedges" | "max_hedged_attempts" => return Some(one_more("hedge_max", "copy", value)),
        "max_retry_after" => "write `retry_after`",
        "adjust" => "write `error_delay` with a closure from the error to the delay that it asks for",
        "poll_until" | "wait_until" | "retry_until" => "write `until` with a closure from the value to `bool`",
        "retry_after_header" | "rate_limit_header" => "write `server_delay` with a closure that reads the header",
        "respect_retry_after_header" => {
            "`Retry-After` is respected: write `retry_after` for the longest delay to accept, or `retry_after = \"ignore\"`"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// Advice for a number that does not include the first attempt or copy in another library, but does here.
fn one_more(key: &str, what: &str, value: ParseStream) -> String {
    let literal = value.fork().parse::<LitInt>().ok();
    let number = literal.and_then(|number| number.base10_parse::<u32>().ok());
    let number = number.and_then(|number| number.checked_add(1));
    let number = number.map_or_else(|| "N + 1".to_owned(), |number| number.to_string());
    format!("`{key}` includes the first {what}: write `{key} = {number}`")
}
