//! One reader for each kind of value. Files may write what the attribute accepts, except for code. A number may also be a string.

use core::fmt::{self, Formatter};
use core::time::Duration;

use retry_spec::key::Kind;
use retry_spec::keywords::{
    Backoff, BeyondRetryAfter, Events, IGNORE_KEYWORD, Jitter, Nested, SHARE_WITHOUT_PERCENT, UNLIMITED,
    UNLIMITED_KEYWORD, WithinRetryAfter,
};
use retry_spec::values::RetryAfter;
use retry_spec::{duration, number};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value of any format, as far as a policy can use it.
pub(super) enum Value {
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Other,
}

type Read<T> = Result<T, String>;

pub(super) fn attempts(value: &Value) -> Read<u32> {
    match value {
        Value::Text(text) if text == UNLIMITED_KEYWORD => Ok(UNLIMITED),
        _ => Ok(number::attempts(integer(value).ok_or_else(|| expected(Kind::Attempts))?)?),
    }
}

pub(super) fn backoff(value: &Value) -> Read<Backoff> {
    Backoff::read(text(value, Kind::Backoff)?)
}

pub(super) fn duration(value: &Value) -> Read<Duration> {
    let number = match value {
        Value::Text(text) => return duration::parse(text),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        _ => return Err(expected(Kind::Duration)),
    };
    Err(duration::without_unit(&number))
}

pub(super) fn drain_timeout(value: &Value) -> Read<Duration> {
    Ok(number::drain_timeout(duration(value)?)?)
}

pub(super) fn factor(value: &Value) -> Read<f64> {
    let number = match value {
        // Rounded if it has too many digits, as any literal is.
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number::factor(number.ok_or_else(|| expected(Kind::Number))?)?)
}

pub(super) fn delays(value: &Value) -> Read<Vec<Duration>> {
    let delays: Vec<Duration> = match value {
        Value::List(list) => list.iter().map(duration).collect::<Read<_>>()?,
        // An environment variable has no lists.
        Value::Text(text) => {
            let parts = text.split(',').filter(|part| !part.trim().is_empty());
            parts.map(duration::parse).collect::<Read<_>>()?
        }
        _ => return Err(expected(Kind::Durations)),
    };
    if delays.is_empty() { Err(number::NO_DELAYS.to_owned()) } else { Ok(delays) }
}

pub(super) fn jitter(value: &Value) -> Read<Jitter> {
    match value {
        Value::Integer(_) | Value::Float(_) => Err(SHARE_WITHOUT_PERCENT.to_owned()),
        _ => Jitter::read(text(value, Kind::Jitter)?),
    }
}

pub(super) fn retry_after(value: &Value) -> Read<RetryAfter> {
    match value {
        Value::Text(text) if text == IGNORE_KEYWORD => Ok(RetryAfter::Ignore),
        Value::Text(_) | Value::Integer(_) | Value::Float(_) => duration(value).map(RetryAfter::AtMost),
        _ => Err(expected(Kind::RetryAfter)),
    }
}

pub(super) fn within_retry_after(value: &Value) -> Read<WithinRetryAfter> {
    WithinRetryAfter::read(text(value, Kind::WithinRetryAfter)?)
}

pub(super) fn beyond_retry_after(value: &Value) -> Read<BeyondRetryAfter> {
    BeyondRetryAfter::read(text(value, Kind::BeyondRetryAfter)?)
}

pub(super) fn bytes(value: &Value) -> Read<usize> {
    if let Some(number) = integer(value) {
        return number::drain_limit(number, &format!("at most `{}`", usize::MAX));
    }
    let text = text(value, Kind::Bytes)?;
    Err(number::bytes_with_unit(text).map_or_else(|| expected(Kind::Bytes), number::write_bytes))
}

pub(super) fn events(value: &Value) -> Read<Events> {
    Events::read(text(value, Kind::Events)?)
}

pub(super) fn nested(value: &Value) -> Read<Nested> {
    Nested::read(text(value, Kind::Nested)?)
}

fn text(value: &Value, kind: Kind) -> Read<&str> {
    match value {
        Value::Text(text) => Ok(text),
        _ => Err(expected(kind)),
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Text(text) => number::integer(text.trim()),
        _ => None,
    }
}

fn expected(kind: Kind) -> String {
    format!("expected {}", kind.expected_in_file())
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
