use quote::quote;

use super::*;

/// The methods of the implementation, without the attribute and the braces around them.
#[track_caller]
fn assert_derived(item: TokenStream, expected: TokenStream) {
    assert_eq!(
        derive(item).unwrap().to_string(),
        quote!(#[automatically_derived] #[allow(deprecated)] #expected).to_string()
    );
}

#[track_caller]
fn refused(item: TokenStream, message: &str) {
    let item: Item = syn::parse2(item).unwrap();
    let mut errors = Errors::new();
    Input::read(&item, &mut errors);
    assert_eq!(crate::args::parse::tests::messages(errors), [message]);
}

#[test]
fn classes_without_fields() {
    assert_derived(
        quote! {
            enum E {
                #[retryable(transient)] A,
                #[retryable(permanent)] B(u8),
                C { x: u8 },
            }
        },
        quote! {
            impl ::retry_runtime::Retryable for E {
                fn class(&self) -> ::retry_runtime::Class {
                    match self {
                        Self::A { .. } => ::retry_runtime::Class::Transient,
                        Self::B { .. } => ::retry_runtime::Class::Permanent,
                        Self::C { .. } => ::retry_runtime::Class::Unknown,
                    }
                }
            }
        },
    );
}

#[test]
fn fields_give_status_delay_and_source() {
    assert_derived(
        quote! {
            #[retryable(crate = facade::retry)]
            enum E {
                #[retryable(transient, server_delay = wait)] A { wait: Duration },
                #[retryable(status = 0, server_delay = 1)] B(u16, Option<Duration>),
            }
        },
        quote! {
            impl facade::retry::Retryable for E {
                fn class(&self) -> facade::retry::Class {
                    match self {
                        Self::A { .. } => facade::retry::Class::Transient,
                        Self::B { .. } => facade::retry::private::class_of(facade::retry::Retryable::status(self)),
                    }
                }
                fn status(&self) -> ::core::option::Option<::core::primitive::u16> {
                    match self {
                        Self::A { .. } => ::core::option::Option::None,
                        Self::B { 0: __retry_field, .. } =>
                            ::core::option::Option::Some(facade::retry::private::status_in(__retry_field)),
                    }
                }
                fn server_delay(&self) -> ::core::option::Option<::core::time::Duration> {
                    match self {
                        Self::A { wait: __retry_field, .. } => facade::retry::private::delay_in(__retry_field),
                        Self::B { 1: __retry_field, .. } => facade::retry::private::delay_in(__retry_field),
                    }
                }
            }
        },
    );
}

#[test]
fn a_generic_source_gets_a_bound() {
    assert_derived(
        quote!(
            #[retryable(source)]
            struct S<T, E>(E)
            where
                T: Copy;
        ),
        quote! {
            impl<T, E> ::retry_runtime::Retryable for S<T, E> where T: Copy, E: ::retry_runtime::Retryable {
                fn class(&self) -> ::retry_runtime::Class {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::class(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn status(&self) -> ::core::option::Option<::core::primitive::u16> {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::status(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn server_delay(&self) -> ::core::option::Option<::core::time::Duration> {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::server_delay(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn breaker_delay(&self) -> ::core::option::Option<::core::time::Duration> {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::breaker_delay(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn is_unprocessed(&self) -> ::core::primitive::bool {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::is_unprocessed(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn is_timeout(&self) -> ::core::primitive::bool {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::is_timeout(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn no_retry(&self) -> ::core::option::Option<::retry_runtime::private::NoRetry> {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::Failure::no_retry(&::retry_runtime::__failure!(__retry_field)), }
                }
                fn failure(&self) -> ::retry_runtime::Failure {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::__failure!(__retry_field), }
                }
            }
        },
    );
}

#[test]
fn an_empty_enum_is_matched_by_value() {
    assert_derived(
        quote!(
            enum Never {}
        ),
        quote! {
            impl ::retry_runtime::Retryable for Never {
                fn class(&self) -> ::retry_runtime::Class { match *self {} }
            }
        },
    );
}

#[test]
fn after_a_mistake_there_is_still_an_implementation() {
    let written = derive(quote!(
        enum E {
            #[retryable(transiet)]
            A,
        }
    ))
    .unwrap()
    .to_string();
    assert!(written.contains("compile_error"));
    assert!(written.contains("impl :: retry_runtime :: Retryable for E"));
}

#[test]
fn wrong_arguments_and_fields_are_refused() {
    refused(
        quote!(
            enum E {
                #[retryable(transiet)]
                A,
            }
        ),
        "unknown argument `transiet`: did you mean `transient`?",
    );
    refused(
        quote!(
            enum E {
                #[retryable(x = 3)]
                A,
            }
        ),
        "unknown argument `x`: expected `transient`, `permanent`, `source`, `status`, `server_delay`, `unprocessed` or `crate`",
    );
    refused(
        quote!(
            enum E {
                #[retryable(transient, transient)]
                A,
            }
        ),
        "`transient` is given twice: keep one of them",
    );
    refused(
        quote!(
            enum E {
                #[retryable(transient = true)]
                A,
            }
        ),
        "`transient` takes no value: write `transient`",
    );
    refused(
        quote!(
            enum E {
                #[retryable(status)]
                A(u16),
            }
        ),
        "`status` needs a field: write `status = field`",
    );
    refused(
        quote!(
            enum E {
                #[retryable(3)]
                A,
            }
        ),
        "expected an argument such as `transient`",
    );
    let number = "expected the name of a field, or its index in a tuple";
    refused(
        quote!(
            enum E {
                #[retryable(status = "0")]
                A(u16),
            }
        ),
        number,
    );
    refused(
        quote!(
            enum E {
                #[retryable(status = cod)]
                A { code: u16 },
            }
        ),
        "unknown field `cod`: did you mean `code`?",
    );
    refused(
        quote!(
            enum E {
                #[retryable(status = 2)]
                A(u16, u8),
            }
        ),
        "unknown field `2`: did you mean `0`?",
    );
    refused(
        quote!(
            enum E {
                #[retryable(status = x)]
                A,
            }
        ),
        "unknown field `x`: this variant has no fields",
    );
    refused(
        quote!(
            enum E {
                #[retryable(source)]
                A,
            }
        ),
        "`source` needs a field, but this variant has none",
    );
    refused(
        quote!(
            enum E {
                #[retryable(source)]
                A { a: X, b: Y },
            }
        ),
        "`source` needs the name of one of the fields: write for example `source = a`",
    );
    refused(
        quote!(
            enum E {
                #[retryable(statu = 0, server_delay = 1)]
                A(u16, D),
            }
        ),
        "unknown argument `statu`: did you mean `status`?",
    );
    let empty = "`#[retryable]` is empty: write for example `#[retryable(transient)]`";
    refused(
        quote!(
            enum E {
                #[retryable]
                A,
            }
        ),
        empty,
    );
    refused(
        quote!(
            enum E {
                #[retryable()]
                A,
            }
        ),
        empty,
    );
}

#[test]
fn contradictions_are_refused() {
    for (arguments, message) in [
        (quote!(transient, permanent), "a failure is `transient` or `permanent`, not both: remove one of them"),
        (quote!(transient, status = 0), "the status decides the class: remove `transient`"),
        (quote!(status = 0, permanent), "the status decides the class: remove `permanent`"),
        (
            quote!(server_delay = 0),
            "`server_delay` needs a failure that can be retried: write `transient, server_delay = …`",
        ),
        (quote!(transient, after = 0), "unknown argument `after`: write `server_delay`"),
        (quote!(permanent, server_delay = 0), "a permanent failure is not retried: remove `server_delay`"),
        (quote!(source, transient), "with `source`, the field decides everything: remove `transient`"),
        (quote!(source, server_delay = 0), "with `source`, the field decides everything: remove `server_delay`"),
    ] {
        refused(
            quote!(
                enum E {
                    #[retryable(#arguments)]
                    A(u16),
                }
            ),
            message,
        );
    }
}

#[test]
fn arguments_in_the_wrong_place_are_refused() {
    refused(
        quote!(
            enum E {
                A(#[retryable(source)] X),
            }
        ),
        "`#[retryable]` describes a variant: write it above the variant",
    );
    refused(
        quote!(
            #[retryable(transient)]
            enum E {
                A,
            }
        ),
        "`transient` describes a variant: write it above the variant",
    );
    refused(
        quote!(
            enum E {
                #[retryable(crate = x)]
                A,
            }
        ),
        "`crate` applies to the whole type: write it above the `enum`",
    );
    refused(quote!(union U { a: u8 }), "`Retryable` can be derived for an enum or a struct, not for a `union`");
}
