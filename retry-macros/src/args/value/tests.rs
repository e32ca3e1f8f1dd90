use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;

use super::*;
use crate::args::code::{
    breaker, budget, expression, function, identifier, identifiers, krate, on_error, on_ok, server_delay, sleep,
};
use crate::args::model::{OnError, Shared};

#[track_caller]
fn refused<T>(read: fn(ParseStream) -> Result<T>, tokens: TokenStream, message: &str) {
    let text = tokens.to_string();
    let error = read.parse2(tokens).err().unwrap_or_else(|| panic!("`{text}` was read"));
    assert_eq!(error.to_string(), message);
}

#[track_caller]
fn read<T>(read: fn(ParseStream) -> Result<T>, tokens: TokenStream) -> T {
    read.parse2(tokens).unwrap()
}

#[test]
fn attempts_are_integers_or_unlimited() {
    assert!(matches!(read(attempts, quote!(4294967295)), Attempts::Number(u32::MAX)));
    assert!(matches!(read(attempts, quote!(0x10)), Attempts::Number(16)));
    assert!(matches!(read(attempts, quote!("unlimited")), Attempts::Unlimited));
    for path in [quote!(MAX), quote!(Self::MAX), quote!(<T as Limits>::MAX)] {
        assert!(matches!(read(attempts, path), Attempts::Path(_)));
    }
    let integer = "expected an integer such as `3`, `\"unlimited\"`, or the path of a constant";
    for wrong in [quote!(1.5), quote!("many"), quote!(true), quote!([3])] {
        refused(attempts, wrong, integer);
    }
    let at_run_time = "; use `policy` for a value that is known only at run time";
    for wrong in [quote!(1 + 1), quote!(self.attempts)] {
        refused(attempts, wrong, &format!("{integer}{at_run_time}"));
    }
    for few in [quote!(0), quote!(-1), quote!(0x0)] {
        refused(attempts, few, "`attempts` includes the first attempt: it must be at least 1");
    }
    refused(attempts, quote!("3"), "write it without quotes: `attempts = 3`");
    refused(attempts, quote!(3usize), "`attempts` is a `u32`: write `3`");
    refused(attempts, quote!(unlimited), "write it with quotes: `attempts = \"unlimited\"`");
    refused(attempts, quote!(4294967296), "this number does not fit in a `u32`: did you mean `\"unlimited\"`?");
}

#[test]
fn backoffs_are_words_or_functions() {
    for word in keywords::Backoff::KEYWORDS {
        assert!(!matches!(read(backoff, quote!(#word)), Backoff::Function(_)), "{word}");
    }
    assert!(matches!(read(backoff, quote!(mine::backoff::<3>)), Backoff::Function(_)));
    refused(backoff, quote!("exponental"), "unknown backoff `\"exponental\"`: did you mean `\"exponential\"`?");
    refused(
        backoff,
        quote!("quick"),
        "unknown backoff `\"quick\"`: expected `\"exponential\"`, `\"fixed\"`, `\"linear\"`, `\"fibonacci\"`, \
         `\"random\"` or `\"decorrelated\"`",
    );
    refused(backoff, quote!("constant"), "unknown backoff `\"constant\"`: write `\"fixed\"`");
    refused(backoff, quote!(exponential), "write it with quotes: `backoff = \"exponential\"`");
    for closure in [quote!(|attempt| DELAY), quote!(move |_| delay), quote!(|| DELAY)] {
        assert!(matches!(read(backoff, closure), Backoff::Closure(_)));
    }
    let kinds = "expected a backoff such as `\"exponential\"`, the path of a function, or a closure such as \
                 `|attempt| DELAY * attempt.number()`";
    refused(backoff, quote!(2), kinds);
}

#[test]
fn durations_are_strings() {
    assert!(matches!(read(duration, quote!("1.5s")), Given::Literal(given) if given.as_millis() == 1500));
    assert!(matches!(read(duration, quote!(limits::START)), Given::Path(_)));
    let kind = "expected a duration such as `\"250ms\"` or the path of a constant";
    for wrong in [quote!(true), quote!(["1s"]), quote!('1')] {
        refused(duration, wrong, kind);
    }
    let at_run_time = "; use `policy` for a value that is known only at run time";
    refused(duration, quote!(Duration::from_secs_f64(1.0)), &format!("{kind}{at_run_time}"));
    refused(duration, quote!(Duration::from_secs(1)), "write it as a string: `\"1s\"`");
    refused(duration, quote!(std::time::Duration::from_millis(1500)), "write it as a string: `\"1500ms\"`");
    refused(duration, quote!(Duration::from_mins(90)), "write it as a string: `\"90m\"`");
    refused(duration, quote!("1x"), "unknown unit `x`: expected `ns`, `us`, `ms`, `s`, `m`, `h` or `d`");
    refused(duration, quote!(5), "a duration is a string with a unit: write `\"5s\"` or `\"5ms\"`");
    refused(duration, quote!(250ms), "write it with quotes: `\"250ms\"`");
    refused(duration, quote!(1.5s), "write it with quotes: `\"1.5s\"`");
}

#[test]
fn delays_are_lists_or_constants() {
    assert!(matches!(read(delays, quote!(["1s", "5s",])), Delays::List(list) if list.len() == 2));
    assert!(matches!(read(delays, quote!([])), Delays::List(list) if list.is_empty()));
    assert!(matches!(read(delays, quote!(DELAYS)), Delays::Path(_)));
    refused(delays, quote!("1s"), "expected a list of durations such as `[\"1s\", \"5s\"]` or the path of a constant");
    let errors = delays.parse2(quote!(["1x", "1s", 5])).err().unwrap();
    assert_eq!(errors.into_iter().count(), 2);
    refused(delays, quote!(["1s" "2s"]), "expected `,` before this");
}

#[test]
fn factors_are_numbers() {
    assert!(matches!(read(number, quote!(2)), Given::Literal(2.0)));
    assert!(matches!(read(number, quote!(1.5f64)), Given::Literal(1.5)));
    assert!(matches!(read(number, quote!(FACTOR)), Given::Path(_)));
    refused(number, quote!("2"), "write it without quotes: `2`");
    refused(number, quote!("two"), "expected a number such as `2` or `1.5`, or the path of a constant");
    refused(number, quote!(2f32), "this is an `f64`: write `2`");
}

#[test]
fn jitters_are_words_percentages_or_durations() {
    for (text, value) in
        [("none", Jitter::None), ("full", Jitter::Full), ("equal", Jitter::Equal), ("100%", Jitter::Share(1.0))]
    {
        assert_eq!(read(jitter, quote!(#text)), value);
    }
    assert_eq!(read(jitter, quote!("12.5 %")), Jitter::Share(0.125));
    assert_eq!(read(jitter, quote!("+500ms")), Jitter::Plus(Duration::from_millis(500)));
    refused(jitter, quote!("+0s"), "additive jitter is longer than zero, for example `\"+500ms\"`");
    refused(jitter, quote!("500ms"), "a duration to add to each delay begins with `+`: write `\"+500ms\"`");
    for wrong in ["0%", "101%", "-5%", "%", "nan%", "1e1%"] {
        let message = "a share is more than 0 % and at most 100 %, for example `\"20%\"`";
        refused(jitter, quote!(#wrong), message);
    }
    refused(jitter, quote!("0.2"), "a share is a percentage, for example `\"20%\"`");
    refused(jitter, quote!("ful"), "unknown jitter `\"ful\"`: did you mean `\"full\"`?");
    refused(jitter, quote!(full), "write it with quotes: `jitter = \"full\"`");
    refused(jitter, quote!(0.5), "a share is a percentage: write `\"50%\"`");
    refused(jitter, quote!(0.07), "a share is a percentage: write `\"7%\"`");
    for wrong in [quote!(1.5), quote!(20), quote!(true), quote!(JITTER), quote!(20%)] {
        refused(
            jitter,
            wrong,
            "expected `\"none\"`, `\"full\"`, `\"equal\"`, a share such as `\"20%\"`, or a duration to add such as `\"+500ms\"`",
        );
    }
}

#[test]
fn predicates_are_paths_or_closures() {
    for tokens in [quote!(Error::is_busy), quote!(<E as Kind>::busy), quote!(|e| e.busy()), quote!((|e| true))] {
        assert!(matches!(read(on_error, tokens), OnError::Predicate(_)));
    }
    assert!(matches!(read(on_error, quote!("never")), OnError::Keyword(keywords::OnError::Never)));
    refused(
        on_error,
        quote!("allways"),
        "unknown condition `\"allways\"`: expected `\"any\"`, `\"transient\"` or `\"never\"`",
    );
    refused(on_error, quote!(transient), "write it with quotes: `on_error = \"transient\"`");
    let call = "expected the path of a function or a closure such as `|error| error.is_timeout()`";
    refused(on_error, quote!(busy(3)), call);
    refused(on_ok, quote!("any"), "expected the path of a function or a closure such as `|value| value.is_empty()`");
    refused(
        on_error,
        quote!(true),
        "expected `\"any\"`, `\"transient\"`, `\"never\"`, or the path of a function or a closure such as \
         `|error| error.is_timeout()`",
    );
}

#[test]
fn server_delays_are_paths_or_closures() {
    assert!(matches!(read(retry_after, quote!("ignore")), RetryAfter::Ignore));
    assert!(matches!(read(retry_after, quote!("1m")), RetryAfter::AtMost(Given::Literal(_))));
    assert!(matches!(read(retry_after, quote!(LONGEST)), RetryAfter::AtMost(Given::Path(_))));
    refused(retry_after, quote!(ignore), "write it with quotes: `retry_after = \"ignore\"`");
    let kind = "expected a duration such as `\"250ms\"`, `\"ignore\"`, or the path of a constant";
    refused(retry_after, quote!(false), kind);
}

#[test]
fn treatments_of_a_servers_delay_are_words() {
    assert_eq!(read(within_retry_after, quote!("raise")), WithinRetryAfter::Raise);
    assert_eq!(read(beyond_retry_after, quote!("give_up")), BeyondRetryAfter::GiveUp);
    refused(within_retry_after, quote!("replaces"), "unknown value `\"replaces\"`: did you mean `\"replace\"`?");
    refused(beyond_retry_after, quote!(wait), "write it with quotes: `beyond_retry_after = \"wait\"`");
    refused(beyond_retry_after, quote!(5), "expected `\"give_up\"`, `\"wait\"` or `\"ignore\"`");
}

#[test]
fn readers_of_a_servers_delay() {
    for tokens in [quote!(headers::reset), quote!(|page: &Page<A, B>| page.wait), quote!((|_| None))] {
        read(server_delay, tokens);
    }
    let kind = "expected the path of a function or a closure such as `|value| value.wait`";
    for wrong in [quote!("x-ratelimit-reset"), quote!(reset("x-ratelimit-reset")), quote!(5)] {
        refused(server_delay, wrong, kind);
    }
    let limit = "; the longest delay to accept is `retry_after = \"5s\"`";
    refused(server_delay, quote!("5s"), &format!("{kind}{limit}"));
}

#[test]
fn drain_limits_are_integers() {
    assert!(matches!(read(bytes, quote!(0)), Given::Literal(0)));
    assert!(matches!(read(bytes, quote!(65_536)), Given::Literal(65_536)));
    assert!(matches!(read(bytes, quote!(usize::MAX)), Given::Path(_)));
    let kind = "expected a number of bytes such as `65536` or the path of a constant";
    for wrong in [quote!(1.5), quote!(64e3), quote!("all"), quote!("64 parsecs"), quote!(true), quote!([1])] {
        refused(bytes, wrong, kind);
    }
    let at_run_time = "; use `policy` for a value that is known only at run time";
    refused(bytes, quote!(64 * 1024), &format!("{kind}{at_run_time}"));
    refused(bytes, quote!(-1), "a number of bytes cannot be negative: write `drain_limit = 0` to read no bodies");
    refused(bytes, quote!(64u32), "write it without a suffix: `64`");
    let large = "this number does not fit in a `usize`: write `drain_limit = usize::MAX`";
    refused(bytes, quote!(99999999999999999999), large);
}

#[test]
fn budgets_are_statics_or_expressions_and_nested_is_a_word() {
    for path in [quote!(API), quote!(crate::load::API), quote!(Self::API)] {
        assert!(matches!(read(budget, path), Shared::Static(_)));
    }
    for value in
        [quote!(budget), quote!(self.budget), quote!(&self.budget), quote!(self.budgets.of(host)), quote!(&API)]
    {
        assert!(matches!(read(budget, value), Shared::Value(_)));
    }
    refused(budget, quote!("API"), "write it without quotes: `budget = API`");
    let right = "write `static API: Budget = Budget::new();` and `budget = API`";
    for wrong in [quote!(5), quote!(|| &API), quote!("a b")] {
        let path = format!("expected the path of a `static`, or an expression such as `self.shared`: {right}");
        refused(budget, wrong, &path);
    }
    for new in [quote!(Budget::new()), quote!(&Budget::new().capacity(5)), quote!(Arc::new(Budget::new()))] {
        refused(budget, new, &format!("this would be a new `budget` at each call: {right}"));
    }
    assert!(matches!(read(nested, quote!("once")), Nested::Once));
    refused(nested, quote!(once), "write it with quotes: `nested = \"once\"`");
    for wrong in [quote!(3), quote!(true), quote!(twice)] {
        refused(nested, wrong, "expected `\"once\"`");
    }
}

#[test]
fn breakers_are_paths() {
    for path in [quote!(API_BREAKER), quote!(crate::api::BREAKER), quote!(Self::BREAKER), quote!(<T as Api>::BREAKER)] {
        read(breaker, path.clone());
        read(budget, path);
    }
    refused(breaker, quote!("a::B"), "write it without quotes: `breaker = a::B`");
    let right = "write `static API_BREAKER: Breaker = Breaker::new();` and `breaker = API_BREAKER`";
    for wrong in [quote!(true), quote!(|| &API), quote!("the api")] {
        let path = format!("expected the path of a `static`, or an expression such as `self.shared`: {right}");
        refused(breaker, wrong, &path);
    }
    refused(breaker, quote!(Breaker::new()), &format!("this would be a new `breaker` at each call: {right}"));
}

#[test]
fn copies_are_integers_of_at_least_two() {
    assert!(matches!(read(copies, quote!(2)), Given::Literal(2)));
    assert!(matches!(read(copies, quote!(4294967295u32)), Given::Literal(u32::MAX)));
    assert!(matches!(read(copies, quote!(Self::MOST)), Given::Path(_)));
    for few in [quote!(0), quote!(1), quote!(0x1), quote!(-3)] {
        refused(copies, few, "`hedge_max` includes the first copy: it must be at least 2");
    }
    refused(copies, quote!("3"), "write it without quotes: `hedge_max = 3`");
    refused(copies, quote!(3usize), "`hedge_max` is a `u32`: write `3`");
    refused(copies, quote!(4294967296), "this number does not fit in a `u32`");
    let kind = "expected an integer such as `3` or the path of a constant";
    for wrong in [quote!(1.5), quote!("all"), quote!(true), quote!([3])] {
        refused(copies, wrong, kind);
    }
    refused(copies, quote!(1 + 1), &format!("{kind}; use `policy` for a value that is known only at run time"));
}

#[test]
fn units_of_bytes_get_the_number_to_write() {
    let units: [(TokenStream, usize); 8] = [
        (quote!("65536"), 65_536),
        (quote!("7 B"), 7),
        (quote!("64KiB"), 65_536),
        (quote!("64 kb"), 64_000),
        (quote!("1MiB"), 1_048_576),
        (quote!("3M"), 3_000_000),
        (quote!(64KiB), 65_536),
        (quote!(2k), 2_000),
    ];
    for (tokens, number) in units {
        refused(bytes, tokens, &format!("write the number of bytes: `drain_limit = {number}`"));
    }
}

#[test]
fn names_are_identifiers_and_paths_are_unquoted() {
    assert!(matches!(read(text, quote!(NAME)), Given::Path(_)));
    refused(text, quote!(3), "expected a string such as `\"load the page\"` or the path of a constant");
    refused(function, quote!(dice()), "expected the path of a function such as `path::to::function`");
    refused(
        sleep,
        quote!(|d| sleep(d)),
        "expected the path of a function such as `path::to::sleep`; for a timer that is only known at run time, use \
         `Policy::run(…).sleep(…)`",
    );
    refused(krate, quote!("a::b"), "write it without quotes: `crate = a::b`");
    refused(krate, quote!(3), "expected the path of `retry_runtime` such as `facade::retry_runtime`");
    assert_eq!(read(identifier, quote!(attempt)), "attempt");
    refused(identifier, quote!("attempt"), "write it without quotes: `attempt`");
    for wrong in [quote!(self), quote!(a::b), quote!(_), quote!(3)] {
        refused(identifier, wrong, "expected an identifier such as `attempt`");
    }
    assert_eq!(read(identifiers, quote!([a, b,])), ["a", "b"]);
    refused(identifiers, quote!(a), "write a list: `clone = [a]`");
    refused(identifiers, quote!("a"), "expected a list of arguments such as `[first, second]`");
    refused(identifiers, quote!([a.b]), "expected the name of an argument");
    refused(expression, quote!(), "expected an expression");
}
