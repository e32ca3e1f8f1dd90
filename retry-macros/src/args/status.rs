//! Reads `on_status`: codes, ranges and classes.

use proc_macro2::Span;
use retry_spec::key::Kind;
use syn::parse::ParseStream;
use syn::{Error, Lit, LitInt, LitStr, RangeLimits, Result, Token};

use super::model::{StatusBound, StatusRange};
use super::scan::{Simple, ends, here, list, value_ends};
use super::value::expected;

const STATUS: &str = "a status such as `503`, `500..=599` or `\"5xx\"`";

pub(crate) fn statuses(input: ParseStream) -> Result<Vec<StatusRange>> {
    let span = here(input);
    if input.peek(syn::token::Bracket) {
        return list(input, element);
    }
    match Simple::read(input, value_ends) {
        Simple::Literal(Lit::Int(code)) => Err(Error::new(span, format_args!("write a list: `on_status = [{code}]`"))),
        Simple::Literal(Lit::Str(class)) => {
            Err(Error::new(span, format_args!("write a list: `on_status = [\"{}\"]`", class.value())))
        }
        _ => expected(span, Kind::Statuses.expected()),
    }
}

fn element(input: ParseStream) -> Result<StatusRange> {
    let span = here(input);
    let (first, last) = bounds(input)?;
    if let (StatusBound::Code(first), Some(StatusBound::Code(last))) = (&first, &last) {
        if first > last {
            return Err(Error::new(span, "this range is empty: write the smaller status first"));
        }
    }
    Ok(StatusRange { first, last, span })
}

fn bounds(input: ParseStream) -> Result<(StatusBound, Option<StatusBound>)> {
    let span = here(input);
    if input.peek(Token![..]) {
        return Err(Error::new(span, "a range of statuses needs both ends: write `100..=599` for all statuses"));
    }
    let first = match Simple::read(input, bound_ends) {
        Simple::Literal(Lit::Str(class)) => return class_bounds(&class),
        simple => simple,
    };
    let first = bound(span, first)?;
    if !input.peek(Token![..]) {
        return Ok((first, None));
    }
    let limits: RangeLimits = input.parse()?;
    if ends(input) {
        return Err(Error::new(span, "a range of statuses needs both ends: write `500..=599`"));
    }
    let last = last(&limits, input)?;
    Ok((first, Some(last)))
}

fn last(limits: &RangeLimits, input: ParseStream) -> Result<StatusBound> {
    let span = here(input);
    let simple = Simple::read(input, value_ends);
    match (limits, simple) {
        (RangeLimits::HalfOpen(_), Simple::Literal(Lit::Int(end))) => before(&end),
        (RangeLimits::HalfOpen(_), Simple::Path(_)) => {
            Err(Error::new(span, "write `..=` before a constant, and the last status of the range"))
        }
        (_, simple) => bound(span, simple),
    }
}

/// The last code of a half-open range. `600` is not a status, but can be its end.
fn before(end: &LitInt) -> Result<StatusBound> {
    match end.base10_parse::<u16>() {
        Ok(600) if is_plain(end) => Ok(StatusBound::Code(599)),
        Ok(100) => Err(Error::new(end.span(), "this range is empty: a status must be between 100 and 599")),
        _ => code(end).map(|code| StatusBound::Code(code - 1)),
    }
}

fn bound(span: Span, simple: Simple) -> Result<StatusBound> {
    match simple {
        Simple::Literal(Lit::Int(number)) => code(&number).map(StatusBound::Code),
        Simple::Path(path) => Ok(StatusBound::Path(path)),
        _ => expected(span, STATUS),
    }
}

fn code(number: &LitInt) -> Result<u16> {
    if number.suffix().eq_ignore_ascii_case("xx") {
        return Err(Error::new(number.span(), format_args!("write it with quotes: `\"{number}\"`")));
    }
    if !is_plain(number) {
        let digits = number.base10_digits();
        return Err(Error::new(number.span(), format_args!("a status is a `u16`: write `{digits}`")));
    }
    match number.base10_parse() {
        Ok(code @ 100..=599) => Ok(code),
        _ => Err(Error::new(number.span(), "a status must be between 100 and 599")),
    }
}

fn is_plain(number: &LitInt) -> bool {
    matches!(number.suffix(), "" | "u16")
}

/// The bounds of a class: `"5xx"` is `500..=599`.
fn class_bounds(class: &LitStr) -> Result<(StatusBound, Option<StatusBound>)> {
    let text = class.value();
    let bounds = |digit: u16| (StatusBound::Code(digit * 100), Some(StatusBound::Code(digit * 100 + 99)));
    match text.to_ascii_lowercase().as_str() {
        "1xx" => Ok(bounds(1)),
        "2xx" => Ok(bounds(2)),
        "3xx" => Ok(bounds(3)),
        "4xx" => Ok(bounds(4)),
        "5xx" => Ok(bounds(5)),
        digits if digits.parse::<u16>().is_ok() => {
            Err(Error::new(class.span(), format_args!("write it without quotes: `{text}`")))
        }
        _ => expected(class.span(), STATUS),
    }
}

fn bound_ends(input: ParseStream) -> bool {
    value_ends(input) || input.peek(Token![..])
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;
    use syn::parse::Parser;

    use super::*;

    fn codes(tokens: TokenStream) -> Vec<(u16, u16)> {
        let ranges = statuses.parse2(tokens).unwrap();
        let codes = ranges.into_iter().map(|range| match (range.first, range.last) {
            (StatusBound::Code(code), None) => (code, code),
            (StatusBound::Code(first), Some(StatusBound::Code(last))) => (first, last),
            _ => (0, 0),
        });
        codes.collect()
    }

    #[track_caller]
    fn refused(tokens: TokenStream, message: &str) {
        assert_eq!(statuses.parse2(tokens).err().unwrap().to_string(), message);
    }

    #[test]
    fn codes_ranges_and_classes_are_read() {
        let tokens = quote!([503, 500..=599, 500..600, 429..431, "4xx", "5XX", 100, 599u16]);
        let expected = [(503, 503), (500, 599), (500, 599), (429, 430), (400, 499), (500, 599), (100, 100), (599, 599)];
        assert_eq!(codes(tokens), expected);
        assert_eq!(codes(quote!([])), []);
    }

    #[test]
    fn constants_are_paths() {
        assert_eq!(codes(quote!([BUSY, FIRST..=LAST, 500..=Self::LAST])), [(0, 0); 3]);
    }

    #[test]
    fn statuses_out_of_range_are_refused() {
        for wrong in [quote!([999]), quote!([600]), quote!([99]), quote!([0]), quote!([-1]), quote!([500..=600])] {
            refused(wrong, "a status must be between 100 and 599");
        }
        refused(quote!([100..100]), "this range is empty: a status must be between 100 and 599");
        refused(quote!([599..=500]), "this range is empty: write the smaller status first");
        refused(quote!([500..500]), "this range is empty: write the smaller status first");
        refused(quote!([503i32]), "a status is a `u16`: write `503`");
        refused(quote!([500..MAX]), "write `..=` before a constant, and the last status of the range");
        refused(quote!([500..]), "a range of statuses needs both ends: write `500..=599`");
        refused(quote!([..600]), "a range of statuses needs both ends: write `100..=599` for all statuses");
    }

    #[test]
    fn values_of_another_kind_are_refused() {
        for wrong in
            [quote!(["a"]), quote!(["6xx"]), quote!([true]), quote!([5.0]), quote!([f(1)]), quote!(["500..=599"])]
        {
            refused(wrong, "expected a status such as `503`, `500..=599` or `\"5xx\"`");
        }
        refused(quote!(["503"]), "write it without quotes: `503`");
        refused(quote!([5xx]), "write it with quotes: `\"5xx\"`");
        refused(quote!(503), "write a list: `on_status = [503]`");
        refused(quote!("5xx"), "write a list: `on_status = [\"5xx\"]`");
        refused(quote!(CODES), "expected a list of statuses such as `[429, 503]`, `[500..=599]` or `[\"5xx\"]`");
    }

    #[test]
    fn every_wrong_element_is_reported() {
        let errors = statuses.parse2(quote!([999, 503, "a", 1])).err().unwrap();
        assert_eq!(errors.into_iter().count(), 3);
    }
}
