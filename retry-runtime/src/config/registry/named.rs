//! Named policies whose names the compiler checks.

use core::fmt::{self, Debug, Display, Formatter};

use super::policies::Policies;
use crate::engine::macro_call::PolicySource;
use crate::policy::builder::Policy;

/// Declares named policies that a file can change while the program runs: a `static` with a field for each name.
///
/// ```
/// use std::time::Duration;
/// use retry_runtime::{Executor, Policy, retry};
///
/// retry_runtime::policies! {
///     /// The policies that operators may change.
///     pub static POLICIES {
///         billing: Policy::fixed(Duration::from_secs(1)),
///         /// Users wait for it.
///         search: Policy::new().attempts(2),
///         mail as "mail-out": Policy::new(),
///     }
/// }
///
/// #[retry(policy = POLICIES.billing)]
/// async fn bill() -> Result<(), std::io::Error> {
///     # Ok(())
///     // …
/// }
///
/// let policy = POLICIES.search.get(); // for hand-written loops
/// let mut retry = Executor::new(&policy);
/// # retry.succeed(());
/// assert_eq!(POLICIES.mail.name(), "mail-out");
/// ```
///
/// Each field is a [`NamedPolicy`]. The `static` dereferences to [`Policies`], which loads files. The name in a file is the name of the
/// field, or the string after `as`.
///
/// A misspelled name does not compile, and rustc suggests a similar one:
///
/// ```compile_fail,E0609
/// # retry_runtime::policies! { static POLICIES { billing: retry_runtime::Policy::new() } }
/// # fn main() {
/// let policy = POLICIES.biling; // no field `biling`: a field with a similar name exists: `billing`
/// # }
/// ```
#[macro_export]
macro_rules! policies {
    (
        $(#[$attribute:meta])*
        $visibility:vis static $NAME:ident {
            $($(#[$of_policy:meta])* $field:ident $(as $name:literal)? : $policy:expr),* $(,)?
        }
    ) => {
        // A struct with a field for each policy: a field cannot collide with a method of `Policies`, and rustc lists the
        // fields in the error about a misspelled name.
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_docs, unreachable_pub, clippy::upper_case_acronyms)]
        $visibility struct $NAME {
            $($(#[$of_policy])* pub $field: $crate::config::NamedPolicy,)*
        }

        $(#[$attribute])*
        $visibility static $NAME: $NAME = {
            // The variants number the fields, because `macro_rules!` has no counter.
            #[allow(non_camel_case_types, dead_code)]
            enum Place { $($field,)* }
            $NAME { $($field: $crate::config::NamedPolicy::__new($NAME::__policies(), Place::$field as usize),)* }
        };

        impl $NAME {
            const fn __policies() -> &'static $crate::config::Policies {
                static POLICIES: $crate::config::Policies =
                    $crate::config::Policies::new(&[$(($crate::__name_of_policy!($field $($name)?), $policy),)*]);
                &POLICIES
            }
        }

        impl ::core::ops::Deref for $NAME {
            type Target = $crate::config::Policies;
            fn deref(&self) -> &$crate::config::Policies {
                Self::__policies()
            }
        }

        impl ::core::fmt::Debug for $NAME {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(Self::__policies(), f)
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __name_of_policy {
    ($field:ident) => {
        $crate::config::NamedPolicy::__name(::core::stringify!($field))
    };
    ($field:ident $name:literal) => {
        $name
    };
}

/// A policy that [`policies!`](crate::policies) declares. Write `policy = POLICIES.billing` in the attribute, and call
/// [`get`](Self::get) everywhere else.
///
/// `Display` formats the current policy.
#[derive(Clone, Copy)]
pub struct NamedPolicy {
    policies: &'static Policies,
    place: usize,
}

impl NamedPolicy {
    #[doc(hidden)]
    #[must_use]
    pub const fn __new(policies: &'static Policies, place: usize) -> Self {
        Self { policies, place }
    }

    /// The name of a field, without the `r#` of a raw identifier.
    #[doc(hidden)]
    #[must_use]
    pub const fn __name(field: &'static str) -> &'static str {
        let [b'r', b'#', name @ ..] = field.as_bytes() else { return field };
        match core::str::from_utf8(name) {
            Ok(name) => name,
            Err(_) => field,
        }
    }

    /// The current policy. Takes no lock.
    pub fn get(self) -> Policy {
        self.policies.at(self.place)
    }

    /// The name that files use.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.policies.declared[self.place].0
    }
}

impl From<NamedPolicy> for Policy {
    fn from(named: NamedPolicy) -> Self {
        named.get()
    }
}

// Not recommended, so that the error about a value of another type names only `Policy`, `&Policy` and `Arc<Policy>`.
#[diagnostic::do_not_recommend]
impl PolicySource for NamedPolicy {
    type Given = <Policy as PolicySource>::Given;

    #[inline(always)]
    fn given(self) -> Self::Given {
        self.get().given()
    }
}

impl Display for NamedPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.get(), f)
    }
}

impl Debug for NamedPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamedPolicy").field("name", &self.name()).field("policy", &self.get()).finish()
    }
}
