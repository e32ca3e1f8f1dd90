//! Reads `#[retryable(…)]` on the variants of an enum or on a struct, and checks that its arguments go together.

use proc_macro2::{Ident, Span};
use retry_spec::suggest::suggest;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Fields, Generics, Item, Member, Meta, Path, Result, Token, Type, parse_quote};

use crate::args::{code, scan};
use crate::errors::Errors;

pub(crate) struct Input {
    pub ident: Ident,
    pub generics: Generics,
    /// The path of `retry_runtime`.
    pub krate: Path,
    /// A struct counts as an enum with one variant.
    pub variants: Vec<Variant>,
}

pub(crate) struct Variant {
    /// `Self::Name`, or `Self` for a struct.
    pub path: Path,
    pub meaning: Meaning,
}

pub(crate) enum Meaning {
    Unknown,
    Transient {
        server_delay: Option<Field>,
        unprocessed: bool,
    },
    Permanent,
    /// The status decides the class.
    Status {
        code: Field,
        server_delay: Option<Field>,
        unprocessed: bool,
    },
    /// The field decides everything.
    Source(Field),
}

#[derive(Clone)]
pub(crate) struct Field {
    pub member: Member,
    pub ty: Box<Type>,
}

impl Meaning {
    pub(crate) fn source(&self) -> Option<&Field> {
        match self {
            Meaning::Source(source) => Some(source),
            _ => None,
        }
    }

    pub(crate) fn status(&self) -> Option<&Field> {
        match self {
            Meaning::Status { code, .. } => Some(code),
            _ => None,
        }
    }

    pub(crate) fn server_delay(&self) -> Option<&Field> {
        match self {
            Meaning::Transient { server_delay, .. } | Meaning::Status { server_delay, .. } => server_delay.as_ref(),
            _ => None,
        }
    }

    pub(crate) fn is_unprocessed(&self) -> bool {
        matches!(self, Meaning::Transient { unprocessed: true, .. } | Meaning::Status { unprocessed: true, .. })
    }
}

/// The arguments of one variant, each with its key.
#[derive(Default)]
struct Attributes {
    transient: Option<Ident>,
    permanent: Option<Ident>,
    source: Option<(Ident, Option<Member>)>,
    status: Option<(Ident, Member)>,
    server_delay: Option<(Ident, Member)>,
    unprocessed: Option<Ident>,
    krate: Option<(Ident, Path)>,
    /// `true` if an argument could not be read. Then errors about missing arguments may be wrong.
    misread: bool,
}

const ARGUMENTS: [&str; 7] = ["transient", "permanent", "source", "status", "server_delay", "unprocessed", "crate"];

impl Input {
    /// Returns `None` if the item is neither an enum nor a struct.
    pub(crate) fn read(item: &Item, errors: &mut Errors) -> Option<Self> {
        match item {
            Item::Struct(item) => {
                let attributes = Attributes::read(&item.attrs, errors);
                let krate = krate(&attributes);
                let variant = Variant::read(parse_quote!(Self), attributes, &item.fields, errors);
                Some(Input {
                    ident: item.ident.clone(),
                    generics: item.generics.clone(),
                    krate,
                    variants: vec![variant],
                })
            }
            Item::Enum(item) => {
                let attributes = Attributes::read(&item.attrs, errors);
                attributes.only_crate(errors);
                let krate = krate(&attributes);
                let variants = item.variants.iter().map(|variant| read_variant(variant, errors)).collect();
                Some(Input { ident: item.ident.clone(), generics: item.generics.clone(), krate, variants })
            }
            Item::Union(item) => {
                errors
                    .at(item.union_token.span, "`Retryable` can be derived for an enum or a struct, not for a `union`");
                None
            }
            _ => {
                errors.at(Span::call_site(), "`Retryable` can be derived for an enum or a struct");
                None
            }
        }
    }
}

fn krate(attributes: &Attributes) -> Path {
    attributes.krate.as_ref().map_or_else(|| parse_quote!(::retry_runtime), |(_, path)| path.clone())
}

fn read_variant(variant: &syn::Variant, errors: &mut Errors) -> Variant {
    let attributes = Attributes::read(&variant.attrs, errors);
    if let Some((key, _)) = &attributes.krate {
        errors.at(key.span(), "`crate` applies to the whole type: write it above the `enum`");
    }
    let name = &variant.ident;
    Variant::read(parse_quote!(Self::#name), attributes, &variant.fields, errors)
}

impl Variant {
    fn read(path: Path, attributes: Attributes, fields: &Fields, errors: &mut Errors) -> Self {
        for attr in fields.iter().flat_map(|field| ours(&field.attrs)) {
            errors.at(attr.path().span(), "`#[retryable]` describes a variant: write it above the variant");
        }
        let contradictions = if attributes.misread { Vec::new() } else { attributes.contradictions() };
        let consistent = contradictions.is_empty();
        contradictions.into_iter().for_each(|error| errors.push(error));
        let meaning = errors.take(attributes.meaning(fields)).filter(|_| consistent).unwrap_or(Meaning::Unknown);
        Variant { path, meaning }
    }
}

impl Attributes {
    fn read(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut attributes = Attributes::default();
        for attr in ours(attrs) {
            let Meta::List(list) = &attr.meta else {
                errors.at(attr.path().span(), EMPTY);
                continue;
            };
            if list.tokens.is_empty() {
                errors.at(attr.path().span(), EMPTY);
            }
            let read = (|input: ParseStream| attributes.read_all(input, errors)).parse2(list.tokens.clone());
            errors.take(read);
        }
        attributes
    }

    fn read_all(&mut self, input: ParseStream, errors: &mut Errors) -> Result<()> {
        while !input.is_empty() {
            if let Err(error) = self.read_one(input) {
                errors.push(error);
                self.misread = true;
                scan::skip(input);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }

    fn read_one(&mut self, input: ParseStream) -> Result<()> {
        let word = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), "expected an argument such as `transient`"))?;
        match word.unraw().to_string().as_str() {
            "transient" => put(&mut self.transient, &word, flag(&word, input)?),
            "permanent" => put(&mut self.permanent, &word, flag(&word, input)?),
            "source" if input.peek(Token![=]) => {
                put(&mut self.source, &word, (word.clone(), Some(field(&word, input)?)))
            }
            "source" => put(&mut self.source, &word, (word.clone(), None)),
            "status" => put(&mut self.status, &word, (word.clone(), field(&word, input)?)),
            "server_delay" => put(&mut self.server_delay, &word, (word.clone(), field(&word, input)?)),
            "unprocessed" => put(&mut self.unprocessed, &word, flag(&word, input)?),
            "crate" => put(&mut self.krate, &word, (word.clone(), krate_path(input)?)),
            unknown => {
                let _ = input.parse::<Token![=]>();
                let advice = match unknown {
                    // The name in earlier versions.
                    "after" => "write `server_delay`".to_owned(),
                    _ => suggest(unknown, &ARGUMENTS),
                };
                Err(Error::new(word.span(), format_args!("unknown argument `{unknown}`: {advice}")))
            }
        }
    }

    /// Reports arguments above an `enum` that describe a variant.
    fn only_crate(&self, errors: &mut Errors) {
        for (_, key) in self.keys() {
            errors.at(key.span(), format_args!("`{key}` describes a variant: write it above the variant"));
        }
    }

    /// The arguments that describe a variant.
    fn keys(&self) -> impl Iterator<Item = (&'static str, &Ident)> {
        let transient = self.transient.as_ref().map(|key| ("transient", key));
        let permanent = self.permanent.as_ref().map(|key| ("permanent", key));
        let source = self.source.as_ref().map(|(key, _)| ("source", key));
        let status = self.status.as_ref().map(|(key, _)| ("status", key));
        let server_delay = self.server_delay.as_ref().map(|(key, _)| ("server_delay", key));
        let unprocessed = self.unprocessed.as_ref().map(|key| ("unprocessed", key));
        [transient, permanent, source, status, server_delay, unprocessed].into_iter().flatten()
    }

    fn contradictions(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        let mut at = |key: &Ident, message: &str| errors.push(Error::new(key.span(), message));
        if let (Some(_), Some(permanent)) = (&self.transient, &self.permanent) {
            at(permanent, "a failure is `transient` or `permanent`, not both: remove one of them");
        }
        if let Some((status, _)) = &self.status {
            for class in [&self.transient, &self.permanent].into_iter().flatten() {
                at(status, &format!("the status decides the class: remove `{class}`"));
            }
        }
        let details = self.keys().filter(|(word, _)| matches!(*word, "server_delay" | "unprocessed"));
        for (word, key) in details.filter(|_| self.source.is_none()) {
            let value = if word == "server_delay" { " = …" } else { "" };
            match (&self.transient, &self.status, &self.permanent) {
                (None, None, Some(_)) => at(key, &format!("a permanent failure is not retried: remove `{word}`")),
                (None, None, None) => {
                    let advice = format!("write `transient, {word}{value}`");
                    at(key, &format!("`{word}` needs a failure that can be retried: {advice}"));
                }
                _ => {}
            }
        }
        if let Some((source, _)) = &self.source {
            for (other, _) in self.keys().filter(|(word, _)| *word != "source") {
                at(source, &format!("with `source`, the field decides everything: remove `{other}`"));
            }
        }
        errors
    }

    fn meaning(self, fields: &Fields) -> Result<Meaning> {
        let server_delay = self.server_delay.map(|(_, member)| find(&member, fields)).transpose();
        let unprocessed = self.unprocessed.is_some();
        if let Some((key, member)) = self.source {
            return source(&key, member, fields).map(Meaning::Source);
        }
        if let Some((_, member)) = self.status {
            return match (find(&member, fields), server_delay) {
                (Ok(code), Ok(server_delay)) => Ok(Meaning::Status { code, server_delay, unprocessed }),
                (Err(mut error), Err(other)) => {
                    error.combine(other);
                    Err(error)
                }
                (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
            };
        }
        server_delay.map(|server_delay| match (self.transient, self.permanent) {
            (Some(_), _) => Meaning::Transient { server_delay, unprocessed },
            (None, Some(_)) => Meaning::Permanent,
            (None, None) => Meaning::Unknown,
        })
    }
}

const EMPTY: &str = "`#[retryable]` is empty: write for example `#[retryable(transient)]`";

fn ours(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("retryable"))
}

fn put<T>(place: &mut Option<T>, word: &Ident, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(word.span(), format_args!("`{word}` is given twice: keep one of them"))),
    }
}

fn flag(word: &Ident, input: ParseStream) -> Result<Ident> {
    if scan::ends(input) {
        return Ok(word.clone());
    }
    Err(Error::new(input.span(), format_args!("`{word}` takes no value: write `{word}`")))
}

fn field(word: &Ident, input: ParseStream) -> Result<Member> {
    if scan::ends(input) {
        return Err(Error::new(word.span(), format_args!("`{word}` needs a field: write `{word} = field`")));
    }
    input.parse::<Token![=]>()?;
    let span = scan::here(input);
    input.parse().map_err(|_| Error::new(span, "expected the name of a field, or its index in a tuple"))
}

fn krate_path(input: ParseStream) -> Result<Path> {
    input.parse::<Token![=]>()?;
    code::krate(input)
}

fn source(key: &Ident, member: Option<Member>, fields: &Fields) -> Result<Field> {
    if let Some(member) = member {
        return find(&member, fields);
    }
    let mut named = named(fields);
    match (named.next(), named.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Error::new(key.span(), "`source` needs a field, but this variant has none")),
        (Some(first), Some(_)) => {
            let example = show(&first.member);
            let right = format!("write for example `source = {example}`");
            Err(Error::new(key.span(), format_args!("`source` needs the name of one of the fields: {right}")))
        }
    }
}

fn find(member: &Member, fields: &Fields) -> Result<Field> {
    if let Some(field) = named(fields).find(|field| field.member == *member) {
        return Ok(field);
    }
    let known: Vec<String> = named(fields).map(|field| show(&field.member)).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let member_name = show(member);
    let advice = if known.is_empty() { "this variant has no fields".to_owned() } else { suggest(&member_name, &known) };
    Err(Error::new(member.span(), format_args!("unknown field `{member_name}`: {advice}")))
}

fn named(fields: &Fields) -> impl Iterator<Item = Field> {
    fields.members().zip(fields).map(|(member, field)| Field { member, ty: Box::new(field.ty.clone()) })
}

fn show(member: &Member) -> String {
    match member {
        Member::Named(name) => name.to_string(),
        Member::Unnamed(index) => index.index.to_string(),
    }
}
