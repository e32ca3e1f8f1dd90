//! One small reader for each kind of value. What may be written is what the attribute takes, but numbers may be strings too.

use core::fmt::{self, Formatter};
use core::time::Duration;

use retry_spec::duration;
use retry_spec::keywords::{self, BACKOFFS, JITTERS, NESTED};
use retry_spec::suggest::suggest_quoted;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::policy::jitter::Jitter;
use crate::policy::nested::Nested;

/// A value of any format, as far as a policy may have it.
pub(crate) enum Value {
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Other,
}

type Read<T> = Result<T, String>;

pub(super) fn attempts(value: &Value) -> Read<u32> {
    let number = match value {
        Value::Text(text) if text == "unlimited" => return Ok(crate::policy::builder::UNLIMITED),
        _ => integer(value).ok_or("expected an integer such as `3`, or `\"unlimited\"`")?,
    };
    if number < 1 {
        return Err("`attempts` counts the first call too: it must be at least 1".to_owned());
    }
    u32::try_from(number).map_err(|_| "this number does not fit in a `u32`: did you mean `\"unlimited\"`?".to_owned())
}

pub(super) fn backoff(value: &Value) -> Read<&'static str> {
    match value {
        Value::Text(text) if text == "constant" => Err("unknown backoff `\"constant\"`: write `\"fixed\"`".to_owned()),
        Value::Text(text) => word("backoff", text, &BACKOFFS),
        _ => expected("a backoff such as `\"exponential\"`"),
    }
}

pub(super) fn duration(value: &Value) -> Read<Duration> {
    let number = match value {
        Value::Text(text) => return duration::parse(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return expected("a duration such as `\"250ms\"`"),
    };
    Err(format!("a duration has a unit and is quoted: write `\"{number}s\"` or `\"{number}ms\"`"))
}

/// In no time nothing can be done.
pub(super) fn limit(key: &str, value: &Value) -> Read<Duration> {
    let limit = duration(value)?;
    if limit.is_zero() { Err(format!("`{key}` is zero: no attempt could succeed in it")) } else { Ok(limit) }
}

pub(super) fn drain_timeout(value: &Value) -> Read<Duration> {
    let timeout = duration(value)?;
    if timeout.is_zero() {
        return Err("`drain_timeout` is zero: write `drain_limit = 0` to read no bodies".to_owned());
    }
    Ok(timeout)
}

/// Delays do not become shorter from retry to retry.
pub(super) fn factor(value: &Value) -> Read<f64> {
    let number = match value {
        // Too many digits are rounded, as in any literal.
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.ok_or("expected a number such as `2` or `1.5`")?;
    if !number.is_finite() || number < 1.0 {
        return Err("`factor` must be a finite number of at least 1".to_owned());
    }
    Ok(number)
}

pub(super) fn delays(value: &Value) -> Read<Vec<Duration>> {
    let delays: Read<Vec<Duration>> = match value {
        Value::List(list) => list.iter().map(duration).collect(),
        // What an environment variable can say.
        Value::Text(text) => text.split(',').filter(|part| !part.trim().is_empty()).map(duration::parse).collect(),
        _ => return expected("a list of durations such as `[\"1s\", \"5s\"]`"),
    };
    delays.and_then(|delays| {
        if delays.is_empty() { Err("`delays` is empty: write at least one delay".to_owned()) } else { Ok(delays) }
    })
}

pub(super) fn jitter(value: &Value) -> Read<Jitter> {
    let text = match value {
        Value::Text(text) => text.as_str(),
        // A share without its sign.
        Value::Integer(_) | Value::Float(_) => "0",
        _ => return expected("`\"none\"`, `\"full\"`, `\"equal\"`, or a share such as `\"20%\"`"),
    };
    match text {
        "none" => Ok(Jitter::None),
        "full" => Ok(Jitter::Full),
        "equal" => Ok(Jitter::Equal),
        text if text.ends_with('%') || text.parse::<f64>().is_ok() => Ok(Jitter::Share(keywords::share(text)?)),
        _ => Err(unknown("jitter", text, &JITTERS)),
    }
}

pub(super) fn retry_after(value: &Value) -> Read<Option<Duration>> {
    match value {
        Value::Text(text) if text == "ignore" => Ok(None),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) => duration(value).map(Some),
        _ => expected("a duration such as `\"250ms\"`, or `\"ignore\"`"),
    }
}

pub(super) fn bytes(value: &Value) -> Read<usize> {
    let Some(number) = integer(value) else {
        let text = if let Value::Text(text) = value { text } else { "" };
        return match keywords::bytes(text) {
            Some(bytes) => Err(format!("write the number of bytes: `drain_limit = {bytes}`")),
            None => expected("a number of bytes such as `65536`"),
        };
    };
    if number < 0 {
        return Err("a number of bytes is not negative: write `drain_limit = 0` to read none".to_owned());
    }
    usize::try_from(number)
        .map_err(|_| format!("this number does not fit in a `usize`: write at most `{}`", usize::MAX))
}

pub(super) fn nested(value: &Value) -> Read<Nested> {
    match value {
        Value::Text(text) => word("value", text, &NESTED).map(|_| Nested::Once),
        _ => expected("`\"once\"`"),
    }
}

/// One that is out of range is the nearest one in it.
fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => digits(text.trim()),
        _ => None,
    }
}

fn digits(text: &str) -> Option<i128> {
    let (unsigned, beyond) = text.strip_prefix('-').map_or((text, i128::MAX), |digits| (digits, i128::MIN));
    let digits = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(beyond))
}

fn word(what: &str, text: &str, allowed: &[&'static str]) -> Read<&'static str> {
    allowed.iter().copied().find(|known| *known == text).ok_or_else(|| unknown(what, text, allowed))
}

fn unknown(what: &str, text: &str, allowed: &[&str]) -> String {
    format!("unknown {what} `\"{text}\"`: {}", suggest_quoted(text, allowed))
}

fn expected<T>(what: &str) -> Read<T> {
    Err(format!("expected {what}"))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a policy")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Integer(i128::try_from(number).unwrap_or(i128::MAX)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
