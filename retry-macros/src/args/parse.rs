//! Reads `key = value, …` into the model.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use retry_spec::key::{Key, Kind};
use retry_spec::suggest::{is_near, suggest};
use syn::Token;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};

use super::model::{Arg, Arguments, Written};
use super::{code, migration_hints, scan, status, value};
use crate::errors::Errors;

impl Arguments {
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::read_before(tokens, |_| false, errors).0
    }

    /// Reads the arguments before an item that is none. Returns the tokens from that item on.
    pub(crate) fn read_before(
        tokens: TokenStream,
        starts: fn(ParseStream) -> bool,
        errors: &mut Errors,
    ) -> (Self, TokenStream) {
        let mut arguments = Arguments::default();
        let all = |input: ParseStream| {
            while !input.is_empty() && !starts(input) {
                arguments.read_one(input, errors);
                separator(input, starts, errors);
            }
            input.parse()
        };
        let rest = all.parse2(tokens).unwrap_or_else(|error| {
            errors.push(error);
            TokenStream::new()
        });
        (arguments, rest)
    }

    fn read_one(&mut self, input: ParseStream, errors: &mut Errors) {
        let Ok(ident) = input.call(Ident::parse_any) else {
            errors.at(input.span(), "expected an argument such as `attempts = 3`");
            return scan::skip(input);
        };
        if input.peek(Token![-]) {
            return kebab_case(ident, input, errors);
        }
        let Some(key) = Key::of(&ident.unraw().to_string()) else {
            return unknown(&ident, input, errors);
        };
        let is_first = !self.is_written(key);
        if !is_first {
            errors.at(ident.span(), format_args!("`{key}` is given twice: keep one of them"));
        }
        let value = errors.take(self.read_value(key, &ident, input));
        if value.is_none() {
            // So that the arguments after it are read too.
            scan::skip(input);
        }
        if is_first {
            self.written.push(Written { key, ident, value: value.flatten() });
        }
    }

    /// Reads the value of an argument into its field. Returns the first token of the value.
    fn read_value(&mut self, key: Key, ident: &Ident, input: ParseStream) -> syn::Result<Option<Span>> {
        if key.row().kind != Kind::Flag {
            equals(key, ident, input)?;
        }
        match key {
            Key::Attempts => put(&mut self.attempts, ident, input, value::attempts),
            Key::Backoff => put(&mut self.backoff, ident, input, value::backoff),
            Key::Start => put(&mut self.start, ident, input, value::duration),
            Key::Factor => put(&mut self.factor, ident, input, value::number),
            Key::MaxDelay => put(&mut self.max_delay, ident, input, value::duration),
            Key::Delays => put(&mut self.delays, ident, input, value::delays),
            Key::Jitter => put(&mut self.jitter, ident, input, value::jitter),
            Key::RandomSource => put(&mut self.random_source, ident, input, code::function),
            Key::OnStatus => put(&mut self.on_status, ident, input, status::statuses),
            Key::OnError => put(&mut self.on_error, ident, input, code::on_error),
            Key::OnOk => put(&mut self.on_ok, ident, input, code::on_ok),
            Key::Until => put(&mut self.until, ident, input, code::until),
            Key::ErrorDelay => put(&mut self.error_delay, ident, input, code::error_delay),
            Key::OnRetry => put(&mut self.on_retry, ident, input, code::on_retry),
            Key::RetryAfter => put(&mut self.retry_after, ident, input, value::retry_after),
            Key::WithinRetryAfter => put(&mut self.within_retry_after, ident, input, value::within_retry_after),
            Key::BeyondRetryAfter => put(&mut self.beyond_retry_after, ident, input, value::beyond_retry_after),
            Key::ServerDelay => put(&mut self.server_delay, ident, input, code::server_delay),
            Key::DrainLimit => put(&mut self.drain_limit, ident, input, value::bytes),
            Key::DrainTimeout => put(&mut self.drain_timeout, ident, input, value::duration),
            Key::Deadline => put(&mut self.deadline, ident, input, value::duration),
            Key::AttemptTimeout => put(&mut self.attempt_timeout, ident, input, value::duration),
            Key::Budget => put(&mut self.budget, ident, input, code::budget),
            Key::Nested => put(&mut self.nested, ident, input, value::nested),
            Key::Events => put(&mut self.events, ident, input, value::events),
            Key::Breaker => put(&mut self.breaker, ident, input, code::breaker),
            Key::Hedge => put(&mut self.hedge, ident, input, value::duration),
            Key::HedgeMax => put(&mut self.hedge_max, ident, input, value::copies),
            Key::Policy => put(&mut self.policy, ident, input, code::expression),
            Key::Bind => put(&mut self.bind, ident, input, code::identifier),
            Key::Clone => put(&mut self.clone, ident, input, code::identifiers),
            Key::Name => put(&mut self.name, ident, input, value::text),
            Key::Observer => put(&mut self.observer, ident, input, code::expression),
            Key::Sleep => put(&mut self.sleep, ident, input, code::sleep),
            Key::Crate => put(&mut self.krate, ident, input, code::krate),
            Key::Blocking => {
                self.blocking.get_or_insert_with(|| ident.clone());
                no_value(key, input).map(|()| None)
            }
        }
    }
}

/// Reads a value into its field, or reads nothing. If the argument is given twice, the first value stays.
fn put<T>(
    field: &mut Option<Arg<T>>,
    key: &Ident,
    input: ParseStream,
    read: fn(ParseStream) -> syn::Result<T>,
) -> syn::Result<Option<Span>> {
    let ahead = input.fork();
    let value = read(&ahead)?;
    let (span, end) = scan::ends_between(input.cursor(), ahead.cursor());
    input.advance_to(&ahead);
    field.get_or_insert(Arg { key: key.clone(), value, span, end });
    Ok(Some(span))
}

fn no_value(key: Key, input: ParseStream) -> syn::Result<()> {
    if scan::ends(input) || scan::starts_block(input) {
        return Ok(());
    }
    Err(syn::Error::new(input.span(), format_args!("`{key}` takes no value: write `{key}`")))
}

/// Reads the `=`.
fn equals(key: Key, ident: &Ident, input: ParseStream) -> syn::Result<()> {
    let right = format!("write `{}`", key.example());
    if scan::ends(input) {
        return Err(syn::Error::new(ident.span(), format_args!("`{key}` needs a value: {right}")));
    }
    if input.peek(Token![==]) || input.peek(Token![=>]) {
        let found: (Token![=], TokenTree) = (input.parse()?, input.parse()?);
        let found = found.0.into_token_stream().into_iter().chain([found.1]).collect::<TokenStream>();
        return Err(syn::Error::new_spanned(found, format_args!("expected `=`: {right}")));
    }
    if !input.peek(Token![=]) {
        return Err(syn::Error::new(input.span(), format_args!("expected `=`: {right}")));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(syn::Error::new(ident.span(), format_args!("`{key}` needs a value: {right}")));
    }
    Ok(())
}

/// Reads the comma after an argument. If it is missing, the next argument is read nonetheless.
fn separator(input: ParseStream, starts: fn(ParseStream) -> bool, errors: &mut Errors) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    if input.peek(Token![;]) {
        errors.at(input.span(), "expected `,`, found `;`");
        let _ = input.parse::<Token![;]>();
        return;
    }
    errors.at(input.span(), "expected `,` before this");
    if !scan::starts_argument(input) && !starts(input) {
        scan::skip(input);
        let _ = input.parse::<Token![,]>();
    }
}

/// Reports a name such as `max-delay`, which is three tokens.
fn kebab_case(first: Ident, input: ParseStream, errors: &mut Errors) {
    let mut name = first.unraw().to_string();
    let mut written = first.into_token_stream();
    while input.peek(Token![-]) && input.peek2(Ident::peek_any) {
        // Both tokens were peeked, so neither `parse` fails.
        if let (Ok(dash), Ok(word)) = (input.parse::<Token![-]>(), input.call(Ident::parse_any)) {
            name = format!("{name}_{}", word.unraw());
            written.extend(quote!(#dash #word));
        }
    }
    let _ = input.parse::<Token![=]>();
    let advice = if Key::of(&name).is_some() { format!("write `{name}`") } else { advice(&name, input) };
    let message = format_args!("unknown argument `{}`: {advice}", name.replace('_', "-")).to_string();
    errors.push(syn::Error::new_spanned(written, message));
    scan::skip(input);
}

fn unknown(key: &Ident, input: ParseStream, errors: &mut Errors) {
    let name = key.unraw().to_string();
    let _ = input.parse::<Token![=]>();
    let advice = advice(&name, input);
    errors.at(key.span(), format_args!("unknown argument `{name}`: {advice}"));
    scan::skip(input);
}

/// The advice for an unknown argument. The input is at its value.
fn advice(name: &str, input: ParseStream) -> String {
    migration_hints::advice(name, input).unwrap_or_else(|| suggest(name, &Key::names()))
}

/// Returns `true` if the next name is an argument, or was probably meant as one.
pub(crate) fn resembles_argument(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok_and(|word| {
        let name = word.unraw().to_string();
        migration_hints::advice(&name, &ahead).is_some() || is_near(&name, &Key::names())
    })
}

#[cfg(test)]
pub(crate) mod tests;
