use quote::quote;

use super::*;

/// The methods of the implementation, without the attribute and the braces around them.
#[track_caller]
fn same(item: TokenStream, expected: TokenStream) {
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
    assert_eq!(crate::arguments::tests::messages(errors), [message]);
}

#[test]
fn classes_alone() {
    same(
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
fn fields() {
    same(
        quote! {
            #[retryable(crate = facade::retry)]
            enum E {
                #[retryable(transient, after = wait)] A { wait: Duration },
                #[retryable(status = 0, after = 1)] B(u16, Option<Duration>),
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
fn a_generic_source() {
    same(
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
                fn failure(&self) -> ::retry_runtime::Failure {
                    match self { Self { 0: __retry_field, .. } => ::retry_runtime::__failure!(__retry_field), }
                }
            }
        },
    );
}

#[test]
fn an_empty_enum() {
    same(
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
fn a_mistake_leaves_an_implementation() {
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
fn words_and_fields() {
    refused(
        quote!(
            enum E {
                #[retryable(transiet)]
                A,
            }
        ),
        "unknown word `transiet`: did you mean `transient`?",
    );
    refused(
        quote!(
            enum E {
                #[retryable(x = 3)]
                A,
            }
        ),
        "unknown word `x`: expected `transient`, `permanent`, `source`, `status`, `after` or `crate`",
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
        "expected a word such as `transient`",
    );
    let number = "expected the name of a field, or its number in a tuple";
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
        "there is no field `cod`: did you mean `code`?",
    );
    refused(
        quote!(
            enum E {
                #[retryable(status = 2)]
                A(u16, u8),
            }
        ),
        "there is no field `2`: did you mean `0`?",
    );
    refused(
        quote!(
            enum E {
                #[retryable(status = x)]
                A,
            }
        ),
        "there is no field `x`: there are no fields here",
    );
    refused(
        quote!(
            enum E {
                #[retryable(source)]
                A,
            }
        ),
        "`source` needs a field, and here is none",
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
                #[retryable(statu = 0, after = 1)]
                A(u16, D),
            }
        ),
        "unknown word `statu`: did you mean `status`?",
    );
    let empty = "`#[retryable]` says nothing: write for example `#[retryable(transient)]`";
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
fn contradictions() {
    for (words, message) in [
        (quote!(transient, permanent), "a failure is `transient` or `permanent`: remove one of them"),
        (quote!(transient, status = 0), "the status decides the class: remove `transient`"),
        (quote!(status = 0, permanent), "the status decides the class: remove `permanent`"),
        (quote!(after = 0), "`after` needs a failure that may be tried again: write `transient, after = …`"),
        (quote!(permanent, after = 0), "a permanent failure is not tried again: remove `after`"),
        (quote!(source, transient), "`source` leaves everything to the field: remove `transient`"),
        (quote!(source, after = 0), "`source` leaves everything to the field: remove `after`"),
    ] {
        refused(
            quote!(
                enum E {
                    #[retryable(#words)]
                    A(u16),
                }
            ),
            message,
        );
    }
}

#[test]
fn places() {
    refused(
        quote!(
            enum E {
                A(#[retryable(source)] X),
            }
        ),
        "`#[retryable]` says something of a variant: write it above the variant",
    );
    refused(
        quote!(
            #[retryable(transient)]
            enum E {
                A,
            }
        ),
        "`transient` says something of a variant: write it above the variant",
    );
    refused(
        quote!(
            enum E {
                #[retryable(crate = x)]
                A,
            }
        ),
        "`crate` is for the whole type: write it above the `enum`",
    );
    refused(quote!(union U { a: u8 }), "`Retryable` can be derived for an enum or a struct, not for a `union`");
}
