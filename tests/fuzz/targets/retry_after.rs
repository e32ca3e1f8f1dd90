//! The delay that an HTTP response asks for, compared with an independent reader of seconds and dates.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, Response};
use retry_fuzz::Input;
use retry_runtime::policy::{BeyondRetryAfter, PolicyBuilder, WithinRetryAfter};
use retry_runtime::{Failure, Policy};

retry_fuzz::target!(retry_after);

fn retry_after(bytes: &[u8]) {
    let input = &mut Input::new(bytes);
    let policy = policy(input);
    let status = input.pick(&[503_u16, 429, 200, 404, 500, 301]);
    let mut response = Response::builder().status(status).body(()).unwrap();
    for name in ["retry-after", "date"] {
        for _ in 0..input.pick(&[1, 0, 2, 3]) {
            if let Ok(value) = HeaderValue::from_bytes(&header(input)) {
                response.headers_mut().append(name, value);
            }
        }
    }

    let before = SystemTime::now();
    let delay = Failure::of(&response).server_delay();
    let [earliest, latest] = [before, SystemTime::now()].map(|now| reference(response.headers(), now));
    let (Ok(longest), Ok(shortest)) = (earliest, latest) else { return };
    assert!(shortest <= delay && delay <= longest, "{delay:?} is not in {shortest:?} to {longest:?}: {response:?}");
    if shortest == longest {
        waits_as_documented(&policy.0, policy.1, delay.filter(|_| [429, 500, 503].contains(&status)), &response);
    }
}

/// The settings that the delay depends on.
#[derive(Clone, Copy, Debug)]
struct Settings {
    own: Duration,
    limit: Option<Duration>,
    within: WithinRetryAfter,
    beyond: BeyondRetryAfter,
}

fn policy(input: &mut Input<'_>) -> (Policy, Settings) {
    let own = input.duration();
    let limit = (!input.one_in(4)).then(|| input.duration());
    let within = input.pick(&[WithinRetryAfter::Raise, WithinRetryAfter::Replace]);
    let beyond = input.pick(&[BeyondRetryAfter::GiveUp, BeyondRetryAfter::Wait, BeyondRetryAfter::Ignore]);
    let builder = PolicyBuilder::fixed(own).attempts(3).within_retry_after(within).beyond_retry_after(beyond);
    let builder = match limit {
        Some(limit) => builder.retry_after(limit),
        None => builder.ignore_retry_after(),
    };
    (builder.clamp(), Settings { own, limit, within, beyond })
}

/// Makes a call whose attempts all return this response, and compares its waits.
fn waits_as_documented(policy: &Policy, settings: Settings, asked: Option<Duration>, response: &Response<()>) {
    let (mut waits, mut attempts) = (Vec::new(), 0);
    let operation = |_| {
        attempts += 1;
        response.clone()
    };
    let _ = policy.run(operation).blocking().call_with(|wait| waits.push(wait));
    let fails = [429, 500, 503].contains(&response.status().as_u16());
    let expected = if fails { expected_wait(settings, asked) } else { None };
    match expected {
        Some(wait) => {
            assert_eq!(attempts, 3, "{settings:?}, asked {asked:?}");
            // A wait of zero does not call the function.
            assert_eq!(waits, if wait.is_zero() { vec![] } else { vec![wait; 2] }, "{settings:?}, asked {asked:?}");
        }
        None => assert_eq!((attempts, waits.len()), (1, 0), "{settings:?}, asked {asked:?}"),
    }
}

fn expected_wait(Settings { own, limit, within, beyond }: Settings, asked: Option<Duration>) -> Option<Duration> {
    let (Some(limit), Some(asked)) = (limit, asked) else { return Some(own) };
    let server = if asked <= limit {
        asked
    } else {
        match beyond {
            BeyondRetryAfter::GiveUp => return None,
            BeyondRetryAfter::Ignore => return Some(own),
            _ => limit,
        }
    };
    Some(if within == WithinRetryAfter::Replace { server } else { server.max(own) })
}

/// A value of a header: seconds, a date in one of its three forms, either with a mistake, or anything.
fn header(input: &mut Input<'_>) -> Vec<u8> {
    let mut value = match input.up_to(3) {
        0 => input.any::<u32>().to_string(),
        1 => format!("{}{}", input.any::<u64>(), input.any::<u64>()),
        2 => date(input),
        _ => return input.bytes(40).to_vec(),
    }
    .into_bytes();
    if input.one_in(4) {
        let at = input.up_to(value.len() - 1);
        value[at] = input.any();
    }
    if input.one_in(4) {
        value = [b" ", &*value, b"\t"].concat();
    }
    value
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn date(input: &mut Input<'_>) -> String {
    let (day, month, year) = (input.up_to(32) as u64, input.up_to(11), 1960 + input.up_to(200) as u64);
    let right = days_before(day.max(1), month as u64 + 1, year.max(1970)).map(weekday_of);
    let weekday = right.filter(|_| !input.one_in(8)).unwrap_or_else(|| input.one_of(&DAYS));
    let time = format!("{:02}:{:02}:{:02}", input.up_to(25), input.up_to(61), input.up_to(61));
    let month = MONTHS[month];
    match input.up_to(2) {
        0 => format!("{}, {day:02} {month} {year} {time} GMT", &weekday[..3]),
        1 => format!("{weekday}, {day:02}-{month}-{:02} {time} GMT", year % 100),
        _ => format!("{} {month} {day:2} {time} {year}", &weekday[..3]),
    }
}

/// A form that some readers accept and others refuse.
struct Unspecified;

fn reference(headers: &HeaderMap, now: SystemTime) -> Result<Option<Duration>, Unspecified> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let Some(value) = text("retry-after") else { return Ok(None) };
    if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) {
        let digits = value.trim_start_matches('0');
        let seconds = if digits.is_empty() { Ok(0) } else { digits.parse() };
        return Ok(Some(Duration::from_secs(seconds.unwrap_or(u64::MAX))));
    }
    let Some(date) = seconds_of_date(value)? else { return Ok(None) };
    let now = match text("date").map(seconds_of_date).transpose()?.flatten() {
        Some(date) => Duration::from_secs(date),
        None => now.duration_since(UNIX_EPOCH).unwrap(),
    };
    Ok(Some(Duration::from_secs(date).saturating_sub(now)))
}

/// Seconds since 1970 (RFC 9110 §5.6.7).
fn seconds_of_date(text: &str) -> Result<Option<u64>, Unspecified> {
    // The sign of a number, as in `+7`, and the separators of the obsolete form with a full weekday.
    let fields = fields(text);
    if text.contains('+') || fields.is_none() && DAYS.iter().any(|day| text.starts_with(day)) {
        return Err(Unspecified);
    }
    Ok(fields.and_then(|(weekday, [day, month, year, hour, minute, second])| {
        let days = days_before(day, month, year)?;
        let exists = hour <= 23 && minute <= 59 && second <= 59 && weekday_of(days).starts_with(weekday);
        exists.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
    }))
}

/// The days from 1970 to this date, counted month by month. `None` if no calendar has it.
fn days_before(day: u64, month: u64, year: u64) -> Option<u64> {
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = |year| [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    if year < 1970 || !(1..=lengths(year)[month as usize - 1]).contains(&day) {
        return None;
    }
    let years: u64 = (1970..year).map(|year| lengths(year).iter().sum::<u64>()).sum();
    Some(years + lengths(year).iter().take(month as usize - 1).sum::<u64>() + day - 1)
}

/// The first day of 1970 was a Thursday.
fn weekday_of(days: u64) -> &'static str {
    DAYS[(days + 3) as usize % 7]
}

/// The beginning of the weekday, and day, month, year, hour, minute and second.
fn fields(text: &str) -> Option<(&str, [u64; 6])> {
    let number = |text: &str, digits: usize| {
        (text.len() == digits && text.bytes().all(|c| c.is_ascii_digit())).then(|| text.parse::<u64>().ok())?
    };
    let month = |text: &str| MONTHS.iter().position(|month| *month == text).map(|at| at as u64 + 1);
    let time = |text: &str| {
        let [hour, minute, second] = <[&str; 3]>::try_from(text.split(':').collect::<Vec<_>>()).ok()?;
        Some([number(hour, 2)?, number(minute, 2)?, number(second, 2)?])
    };
    let short = |day: &str| DAYS.iter().any(|full| full[..3] == *day);
    let words: Vec<&str> = text.split(' ').collect();
    let (weekday, day, of_month, year, of_day) = match *words.as_slice() {
        [weekday, day, of_month, year, of_day, "GMT"] if short(weekday.strip_suffix(',')?) => {
            (&weekday[..3], number(day, 2)?, month(of_month)?, number(year, 4)?, time(of_day)?)
        }
        [weekday, date, of_day, "GMT"] => {
            let weekday = weekday.strip_suffix(',').filter(|day| DAYS.contains(day))?;
            let [day, of_month, year] = <[&str; 3]>::try_from(date.split('-').collect::<Vec<_>>()).ok()?;
            let year = number(year, 2)?;
            (weekday, number(day, 2)?, month(of_month)?, year + if year < 70 { 2000 } else { 1900 }, time(of_day)?)
        }
        [weekday, of_month, "", day, of_day, year] if short(weekday) => {
            (weekday, number(day, 1)?, month(of_month)?, number(year, 4)?, time(of_day)?)
        }
        [weekday, of_month, day, of_day, year] if short(weekday) => {
            (weekday, number(day, 2)?, month(of_month)?, number(year, 4)?, time(of_day)?)
        }
        _ => return None,
    };
    let [hour, minute, second] = of_day;
    Some((weekday, [day, of_month, year, hour, minute, second]))
}
