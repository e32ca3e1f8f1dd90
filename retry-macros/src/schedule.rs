//! The delays that the arguments come to, as far as they are known here. The formulas are those of the runtime.

use std::time::Duration;

use crate::arguments::{Arg, Arguments, Attempts, Backoff, Delays, Given, Jitter};

pub(crate) const ATTEMPTS: u32 = 3;
pub(crate) const START: Duration = Duration::from_millis(100);
pub(crate) const FACTOR: f64 = 2.0;
const MAX_DELAY: Duration = Duration::from_secs(30);

/// `None` once something of the schedule is spelled out: then it is exact.
pub(crate) fn jitter(arguments: &Arguments) -> Jitter {
    match &arguments.jitter {
        Some(jitter) => jitter.value,
        None if is_standard(arguments) => Jitter::Full,
        None => Jitter::None,
    }
}

fn is_standard(arguments: &Arguments) -> bool {
    !["backoff", "start", "factor", "delays"].iter().any(|key| arguments.wrote(key))
}

/// The total number, where it is a literal or left out.
pub(crate) fn attempts(arguments: &Arguments) -> Option<u32> {
    match (&arguments.attempts, &arguments.delays) {
        (Some(Arg { value: Attempts::Number(number), .. }), _) => Some(*number),
        (Some(_), _) | (None, Some(Arg { value: Delays::Path(_), .. })) => None,
        (None, Some(Arg { value: Delays::List(delays), .. })) => u32::try_from(delays.len() + 1).ok(),
        (None, None) => Some(ATTEMPTS),
    }
}

/// The delay before retry `n`, from 1, without jitter; `None` where it is random or not known here.
pub(crate) fn delay(arguments: &Arguments, n: u32) -> Option<Duration> {
    if let Some(delays) = &arguments.delays {
        return listed(&delays.value, n);
    }
    let start = start(arguments)?;
    let computed = match arguments.backoff.as_ref().map(|backoff| &backoff.value) {
        None | Some(Backoff::Exponential) => exponential(start, factor(arguments)?, n),
        Some(Backoff::Fixed) => start,
        Some(Backoff::Linear) => start.saturating_mul(n),
        Some(Backoff::Fibonacci) => fibonacci(start, n),
        Some(Backoff::Random | Backoff::Decorrelated | Backoff::Custom(_)) => return None,
    };
    Some(computed.min(max_delay(arguments)?))
}

/// The shortest wait before the first retry; `None` where it is not known here.
pub(crate) fn shortest_first(arguments: &Arguments) -> Option<Duration> {
    match arguments.backoff.as_ref().map(|backoff| &backoff.value) {
        Some(Backoff::Random | Backoff::Decorrelated) => Some(start(arguments)?.min(max_delay(arguments)?)),
        _ => delay(arguments, 1).map(|delay| shortest(delay, jitter(arguments))),
    }
}

fn shortest(delay: Duration, jitter: Jitter) -> Duration {
    match jitter {
        Jitter::None => delay,
        Jitter::Full => Duration::ZERO,
        Jitter::Equal => delay / 2,
        Jitter::Share(share) => scaled(delay, 1.0 - share),
    }
}

pub(crate) fn start(arguments: &Arguments) -> Option<Duration> {
    or_default(&arguments.start, START)
}

fn factor(arguments: &Arguments) -> Option<f64> {
    or_default(&arguments.factor, FACTOR)
}

pub(crate) fn max_delay(arguments: &Arguments) -> Option<Duration> {
    let default = if is_standard(arguments) { MAX_DELAY } else { Duration::MAX };
    or_default(&arguments.max_delay, default)
}

fn or_default<T: Copy>(argument: &Option<Arg<Given<T>>>, default: T) -> Option<T> {
    argument.as_ref().map_or(Some(default), literal)
}

pub(crate) fn literal<T: Copy>(argument: &Arg<Given<T>>) -> Option<T> {
    match argument.value {
        Given::Literal(value) => Some(value),
        Given::Path(_) => None,
    }
}

/// The last one repeats.
fn listed(delays: &Delays, n: u32) -> Option<Duration> {
    let Delays::List(delays) = delays else {
        return None;
    };
    let index = usize::try_from(n).ok()?.min(delays.len()).checked_sub(1)?;
    match delays[index].0 {
        Given::Literal(delay) => Some(delay),
        Given::Path(_) => None,
    }
}

fn exponential(start: Duration, factor: f64, n: u32) -> Duration {
    let power = i32::try_from(n - 1).unwrap_or(i32::MAX);
    scaled(start, factor.powi(power))
}

fn fibonacci(start: Duration, n: u32) -> Duration {
    let (mut current, mut next) = (start, start);
    for _ in 1..n {
        (current, next) = (next, current.saturating_add(next));
    }
    current
}

fn scaled(delay: Duration, factor: f64) -> Duration {
    // A product out of range is too long, or zero times infinity, which is no delay at all.
    let product = delay.as_secs_f64() * factor;
    Duration::try_from_secs_f64(product).unwrap_or(if product.is_nan() { Duration::ZERO } else { Duration::MAX })
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::arguments::tests::read;

    fn milliseconds(tokens: TokenStream) -> Vec<Option<u128>> {
        let arguments = read(tokens);
        (1..=5).map(|n| delay(&arguments, n).map(|delay| delay.as_millis())).collect()
    }

    #[test]
    fn formulas() {
        for (tokens, delays) in [
            (quote!(), [100, 200, 400, 800, 1600]),
            (quote!(start = "1s", factor = 1.5), [1000, 1500, 2250, 3375, 5062]),
            (quote!(start = "1s", max_delay = "3s"), [1000, 2000, 3000, 3000, 3000]),
            (quote!(backoff = "fixed", start = "1s"), [1000; 5]),
            (quote!(backoff = "linear", start = "1s"), [1000, 2000, 3000, 4000, 5000]),
            (quote!(backoff = "fibonacci", start = "1s"), [1000, 1000, 2000, 3000, 5000]),
            (quote!(delays = ["1s", "5s"]), [1000, 5000, 5000, 5000, 5000]),
        ] {
            assert_eq!(milliseconds(tokens.clone()), delays.map(Some), "{tokens}");
        }
    }

    #[test]
    fn unknown_delays() {
        for tokens in [
            quote!(start = START),
            quote!(factor = FACTOR),
            quote!(max_delay = MAX),
            quote!(delays = DELAYS),
            quote!(backoff = path::to::function),
            quote!(backoff = "random", max_delay = "1s"),
        ] {
            assert_eq!(milliseconds(tokens.clone()), [None; 5], "{tokens}");
        }
    }

    #[test]
    fn growth_saturates() {
        let arguments = read(quote!(start = "1d", factor = 1000, backoff = "exponential"));
        assert_eq!(delay(&arguments, u32::MAX), Some(Duration::MAX));
        let arguments = read(quote!(start = "0s", factor = 1000));
        assert_eq!(delay(&arguments, u32::MAX), Some(Duration::ZERO));
    }

    #[test]
    fn the_shortest_first_delay() {
        for (tokens, milliseconds) in [
            (quote!(), Some(0)),
            (quote!(max_delay = "10s"), Some(0)),
            (quote!(jitter = "none"), Some(100)),
            (quote!(jitter = "equal"), Some(50)),
            (quote!(start = "1s"), Some(1000)),
            (quote!(start = "1s", jitter = "20%"), Some(800)),
            (quote!(backoff = "random", start = "1s", max_delay = "9s"), Some(1000)),
            (quote!(start = START), None),
        ] {
            let shortest = shortest_first(&read(tokens.clone())).map(|delay| delay.as_millis());
            assert_eq!(shortest, milliseconds, "{tokens}");
        }
    }

    #[test]
    fn numbers_of_attempts() {
        for (tokens, number) in [
            (quote!(), Some(3)),
            (quote!(attempts = 7), Some(7)),
            (quote!(delays = ["1s", "2s", "3s"]), Some(4)),
            (quote!(delays = DELAYS), None),
            (quote!(attempts = "unlimited"), None),
            (quote!(attempts = MAX), None),
        ] {
            assert_eq!(attempts(&read(tokens.clone())), number, "{tokens}");
        }
    }
}
