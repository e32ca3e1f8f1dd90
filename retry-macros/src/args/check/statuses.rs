//! The rule that each status is listed once.

use std::ops::RangeInclusive;

use crate::args::model::{Arguments, StatusBound, StatusRange};
use crate::args::values::without_spaces;
use crate::errors::Errors;

/// Reports each element that lists a status of an earlier one. Constants are unknown here: `Condition::on_status` checks them
/// when the compiler evaluates it.
pub(super) fn statuses_are_listed_once(arguments: &Arguments, errors: &mut Errors) {
    let Some(on_status) = &arguments.on_status else {
        return;
    };
    let list = &on_status.value;
    for (place, range) in list.iter().enumerate() {
        if let Some(message) = list[..place].iter().find_map(|earlier| overlap(earlier, range)) {
            errors.at(range.span, message);
        }
    }
}

fn overlap(earlier: &StatusRange, later: &StatusRange) -> Option<String> {
    let (Some(first), Some(second)) = (codes(earlier), codes(later)) else {
        let path = same_path(earlier, later)?;
        return Some(format!("`on_status` already lists `{path}`: remove this one"));
    };
    let both = *first.start().max(second.start())..=*first.end().min(second.end());
    if both.is_empty() {
        None
    } else if both == second {
        Some(format!("`on_status` already lists {}: remove this one", text_of(&both)))
    } else if both == first {
        Some(format!("this range contains {}, which is listed before it: remove the earlier one", text_of(&both)))
    } else {
        Some(format!("`on_status` already lists {}: write ranges that do not overlap", text_of(&both)))
    }
}

fn codes(range: &StatusRange) -> Option<RangeInclusive<u16>> {
    match (&range.first, &range.last) {
        (StatusBound::Code(code), None) => Some(*code..=*code),
        (StatusBound::Code(first), Some(StatusBound::Code(last))) => Some(*first..=*last),
        _ => None,
    }
}

/// The path that both elements are. Compares tokens, because a path may have type arguments.
fn same_path(one: &StatusRange, other: &StatusRange) -> Option<String> {
    let path = path(one)?;
    (self::path(other)? == path).then_some(path)
}

fn path(range: &StatusRange) -> Option<String> {
    match range {
        StatusRange { first: StatusBound::Path(path), last: None, .. } => Some(without_spaces(path)),
        _ => None,
    }
}

fn text_of(codes: &RangeInclusive<u16>) -> String {
    match (codes.start(), codes.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    }
}
