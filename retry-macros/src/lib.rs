//! The attribute `#[retry]`, the macro `retrying!` and the derive macro `Retryable`. Depend on `retry-runtime`, which exports them: the generated code
//! calls that crate, and only versions that were released together fit each other.
//!
//! The modules in order; each imports only those above it:
//!
//! - `retry_spec`, a crate of its own: the specification of a policy, which configuration files share
//! - `errors`: collects errors, to report all of them
//! - `args`: reads and checks the attribute's arguments
//! - `input`: reads the annotated function, or the block of `retrying!`
//! - `codegen`: writes it again, with the loop around its body
//! - `derive`: the derive macro

#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;

use crate::args::check::{check, check_of_block};
use crate::args::model::Arguments;
use crate::codegen::expand::{expand, expand_block, expand_once};
use crate::errors::Errors;
use crate::input::block::{self, Block};
use crate::input::function::Function;

mod args;
mod codegen;
mod derive;
mod errors;
mod input;

/// Retries a function when it fails.
///
/// ```text
/// #[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
/// async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
///     client.get(url).send().await
/// }
/// ```
///
/// The function keeps its signature, its return type and its error type. It returns the outcome of the last attempt unchanged.
///
/// The outcome is a `Result`, an `Option` (`None` is a failure that cannot be classified), or a type that implements `Retryable`.
/// The function is one of these:
///
/// - an `async fn`;
/// - a plain `fn` with [`blocking`](#other-functions-and-runtimes);
/// - a plain `fn` whose body is exactly one `async` block or `Box::pin(async move { … })`. `#[async_trait]` writes such functions,
///   and `-> impl Future + Send` needs them.
///
/// Methods work like functions. [`retrying!`] retries a block without a function of its own.
///
/// `#[retry]` without arguments makes up to 3 attempts. It waits a random time of up to 100 ms, then of up to 200 ms.
///
/// # How an argument is written
///
/// Each argument is `key = value`, in any order and at most once. Only `blocking` has no value. A value is one of these:
///
/// - A **keyword** is quoted: `backoff = "fixed"`.
/// - A **duration** is a string in which each number has a unit: `"250ms"`, `"1s"`, `"1.5s"`, `"2m"`, `"1h 30m"`. The units are
///   `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h` and `d`.
/// - A **path** names a constant, which the compiler evaluates and checks: `attempts = Self::MAX`. `cargo build` does that for
///   functions that are used. `cargo check` does not evaluate constants. For a value that is known only at run time, write
///   [`policy`](#a-policy-from-elsewhere).
///
/// Arguments that contradict each other are compile errors. So is an argument that has no effect.
///
/// # Attempts and limits
///
/// ```text
/// #[retry(attempts = 5, deadline = "30s", attempt_timeout = "5s")]
/// ```
///
#[doc = retry_spec::attempts_and_limits!()]
///
/// - `attempts` is the total number, including the first attempt.
/// - `deadline` starts with the first attempt. When it ends, the running attempt is stopped, and no other one starts. If a delay
///   would reach the deadline, the function returns the last outcome at once, without the wait.
/// - `attempt_timeout` limits each attempt, from its first wait. It must be shorter than the deadline.
/// - `budget` pays for retries, not for first attempts. Any number of functions and loops can share a budget. It may be a `static`,
///   or an expression that is evaluated at each call: with `budget = self.budget`, each client has its own. It works beside `policy`
///   too, and replaces the budget of the policy.
/// - `nested = "once"` does not retry a failure that a call inside the attempt has already retried, for example another annotated
///   function. Three layers of three attempts then make 3 calls instead of 27.
/// - `breaker` makes no attempt while the circuit breaker is open. It may be an expression too, and works beside `policy`. An attempt that it prevents fails
///   with an error from `From<BreakerOpen>`, which is retried if the deadline leaves time for the breaker's next probe. An outcome
///   counts as a failure by its class, whatever `on_status`, `on_error` and `on_ok` say. An attempt that a time limit stops is a
///   failure too.
/// - `hedge` starts another copy of an attempt each time this delay passes without a good outcome, up to `hedge_max` copies. The
///   first outcome that the conditions below do not retry wins, and the other copies are dropped. If all copies fail, the last
///   failure is the outcome. The budget of the function or of its `policy` pays for the copies. All copies borrow the arguments, so
///   the body can neither change nor consume them; `clone` gives each copy its own. The first copy is part of the future, and the
///   others are allocated. Each copy needs to pass the circuit breaker.
///
/// An attempt that a time limit stops fails with an error from `From<TimedOut>` for the function's error type.
///
/// # Delays
///
/// ```text
/// #[retry(backoff = "exponential", start = "1s", factor = 3, max_delay = "30s", jitter = "full")]
/// #[retry(delays = ["100ms", "1s", "10s"])]
/// ```
///
#[doc = retry_spec::delays!()]
///
/// The *standard schedule* applies if none of `backoff`, `start`, `factor` and `delays` is written. As soon as one of them is
/// written, the schedule is exactly what is written.
///
/// With `s` for `start` and `f` for `factor`, the delay before retry n (n = 1, 2, …) is:
///
/// | `backoff` | delay |
/// |---|---|
/// | `"exponential"` | s · fⁿ⁻¹ |
/// | `"fixed"` | s |
/// | `"linear"` | s · n |
/// | `"fibonacci"` | s, s, 2s, 3s, 5s, … |
/// | `"random"` | random between s and `max_delay` |
/// | `"decorrelated"` | random between s and f times the previous delay |
///
/// A closure as `backoff` computes the delay from the `Attempt` that has just failed. It may use the function's arguments:
/// `backoff = |attempt| base * attempt.number()`.
///
/// `delays` lists the delays instead, and the last one repeats. `max_delay` caps the computed delay d. Jitter does not exceed the
/// cap: `"full"` is random between 0 and d, `"equal"` between d/2 and d, `"20%"` between 0.8 d and 1.2 d, and `"+500ms"` between d
/// and d + 500 ms.
///
/// # Conditions
///
/// ```text
/// #[retry(on_status = [429, "5xx"], on_error = |error| error.is_timeout(), retry_after = "2m")]
/// ```
///
#[doc = retry_spec::conditions!()]
///
/// | written | a value with a status | an error with a status | an error without one |
/// |---|---|---|---|
/// | neither | the standard list | the standard list | every error, except for permanent ones |
/// | `on_status` | the list | the list | transient errors |
/// | `on_error` | the standard list | `on_error` | `on_error` |
/// | both | the list | the list **or** `on_error` | `on_error` |
///
/// So `on_status = ["5xx"], on_error = "any"` also retries an error with status 404. For the 5xx and all errors without a status, decide in a
/// closure: `on_error = |error| error.status().is_none_or(|status| status.is_server_error())`. With `on_status = []`, statuses do not count.
///
/// `on_ok` adds values that are retried.
///
/// ## Polling
///
/// With `until`, the function asks again until the value is ready:
///
/// ```text
/// #[retry(attempts = "unlimited", deadline = "5m", backoff = "fixed", start = "5s", until = |job| job.is_done())]
/// async fn wait_for(client: &Client, id: u64) -> Result<Job, Error> {
///     client.job(id).await
/// }
/// ```
///
/// A value that is not ready yet is not a failure. It is emitted at debug level, takes no tokens from the budget, and is a success
/// for the circuit breaker. Errors, and values whose status is retried, are failures as without `until`. If attempts or time run
/// out, the function returns an error from `From<NotReady>`, never the unfinished value.
///
/// ## A function that reads the body
///
/// A function that reads the body of a response must check the status first, with `CheckStatus` of the feature `reqwest`:
///
/// ```text
/// #[retry(attempts = 3, start = "1s", on_status = [503])]
/// async fn price(client: &reqwest::Client, url: &str) -> Result<Price, Box<dyn Error + Send + Sync>> {
///     Ok(client.get(url).send().await?.check_status()?.json().await?)
/// }
/// ```
///
/// `check_status()?` returns a status of 400 or above as an error, which keeps the status and the delay from `Retry-After`.
/// Without it, the function decodes the body of the 503. That fails with "error decoding response body", which has no status, so
/// the function makes only one attempt. reqwest's `error_for_status()?` keeps the status, so the function is retried, but it loses
/// `Retry-After`.
///
/// ## Conditions that can never retry
///
/// These are compile errors, also with `cargo check`, if the types of the value `T` and of the error `E` show it:
///
/// | argument | error |
/// |---|---|
/// | `on_status` with statuses | if neither `T` nor `E` can carry a status |
/// | `on_status` with the same status twice, as in `["5xx", 503]` | always; for constants, with `cargo build` |
/// | `on_status = []`, without `on_error`, `on_ok` and `until` | if no outcome without a status can be transient |
/// | `on_error = "transient"` | if `E` cannot be classified, and `T` does not implement `Retryable` |
/// | `on_error = "never"`, without `on_status` and `on_ok` | if `T` does not implement `Retryable` |
///
/// `on_error = "never"` and `on_status = []` are accepted beside `attempts = 1` and beside `hedge`.
///
/// These types can carry a status:
///
/// - a type that implements `Retryable`: yours, or that of a client whose feature is enabled;
/// - with the feature `reqwest` or `reqwest-012`, a type with a `source()` chain: a boxed error, `anyhow::Error`, `io::Error`,
///   and any other type that implements `Error`. Without these two features, no error that the search recognizes has a status. The
///   search does not recognize your own types;
/// - in a generic function, a type whose bounds say so: a parameter `E: Retryable` can carry a status, and one without a bound
///   cannot.
///
/// The compiler does not reject these, although they never carry a status:
///
/// - a type that implements `Retryable` without `status`;
/// - with the feature `reqwest` or `reqwest-012`, an `E` that implements `Error` and never has a source. It does reject errors of
///   the standard library such as `ParseIntError`. It also rejects the errors of attohttpc, curl, isahc, minreq and ureq, and of
///   another version of reqwest, if they are written with the name of the crate: `ureq::Error`, `reqwest::Result<_>`;
/// - an unknown `T`, such as `reqwest::blocking::Response`, beside an `E` that can carry a status.
///
/// An `E` that implements `Error` can be classified, except for errors of the standard library that have no source.
///
/// ## The server's delay
///
/// The delay that a server asks for is a lower bound of the wait. `max_delay` does not shorten it. With `within_retry_after =
/// "replace"`, it takes the place of the computed delay, and the jitter of the schedule is added to it. A delay above `retry_after`
/// ends the call. `beyond_retry_after` changes that: with `"wait"`, the call waits as long as `retry_after`, and with `"ignore"`, as
/// long as computed.
///
/// `server_delay` reads headers other than `Retry-After`. It is called with values that are retried: `T` is the type of `Ok`, of
/// `Some`, or the outcome itself. The delay that it returns replaces the delay that the value reports itself. `None` keeps that one.
///
/// `error_delay` does the same for errors: `error_delay = |error| error.retry_after`.
///
/// ```text
/// fn reset(response: &reqwest::Response) -> Option<Duration> {
///     let seconds = response.headers().get("x-ratelimit-reset")?.to_str().ok()?.parse().ok()?;
///     Some(Duration::from_secs(seconds))
/// }
///
/// #[retry(server_delay = reset)]
/// async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> { … }
/// ```
///
/// # What is read of a response
///
/// ```text
/// #[retry(drain_limit = 10_000, drain_timeout = "200ms")]
/// ```
///
/// During the delay, the body of a response that is retried is drained, so that the next attempt can reuse its connection. A body
/// that is longer than the limit closes the connection.
///
#[doc = retry_spec::bodies!()]
///
/// No attempt waits for the drain. If it has not finished at the end of the delay, the connection is closed. The response of the
/// last attempt is returned undrained.
///
/// # A policy from elsewhere
///
/// ```text
/// #[retry(policy = self.policy, on_status = [503])]
/// ```
///
#[doc = retry_spec::policy_from_elsewhere!()]
///
/// The expression is evaluated once for each call. The policy defines the number of attempts, the limits and the schedule, so the
/// arguments for these are errors beside it: those of [Delays](#delays), `attempts`, `deadline`,
/// `attempt_timeout`, `budget`, `nested`, `events`, `retry_after`, `within_retry_after`, `beyond_retry_after`, `drain_limit` and
/// `drain_timeout`. All other arguments are allowed. An `Arc` is taken by value: `policy = self.policy.clone()`.
///
/// The compiler cannot see the values of such a policy. If the error type does not implement `From<TimedOut>`, no attempt can be
/// stopped: the policy's deadline then only prevents new attempts, and its attempt timeout has no effect.
///
/// # Inside the body
///
/// ```text
/// #[retry(bind = attempt, clone = [request])]
/// ```
///
#[doc = retry_spec::inside_the_body!()]
///
/// ## error: use of moved value
///
/// The body runs once for each attempt, in a loop. If it consumes an argument, the next attempt has none:
///
/// ```text
/// error[E0382]: use of moved value: `order`
///   |
/// 1 | #[retry]
///   | ^^^^^^^^
///   | |
///   | inside of this loop
///   | value moved here, in previous iteration of loop
/// 2 | async fn send(order: Order) -> Result<Receipt, Error> {
///   |               ----- move occurs because `order` has type `Order`, which does not implement the `Copy` trait
/// 3 |     post(order).await
///   |          ----- use occurs due to use in coroutine
///   |
///   = note: this error originates in the macro `::retry_runtime::each_attempt_borrows_arguments_and_owns_those_in_retry_clone` …
/// ```
///
/// Write `#[retry(clone = [order])]`, which clones the argument for each attempt, or clone it in the body: `post(order.clone())`.
/// `self` can only be cloned in the body: `self.name.clone()`. In a `for` loop, `&orders` instead of `orders` consumes nothing.
///
/// The copies of a hedged attempt run at the same time, so they cannot change an argument either ("two closures require unique
/// access"). Put a value that they change into a `Mutex`, or name it in `clone`.
///
/// # Events
///
#[doc = retry_spec::events!()]
///
/// `on_retry` is called before each wait. It receives the typed error, or the value if a value is retried, with the attempt and the
/// delay. The closure may use the function's arguments, and change those that the body does not keep between attempts:
///
/// ```text
/// #[retry(attempts = 3, on_retry = |retrying| eprintln!("{retrying}"))]
/// async fn fetch(client: &Client) -> Result<Page, Error> { … }
/// ```
///
/// It may end the call: a hook that returns `ControlFlow::Break(())` returns what failed, and one that returns an `Err` returns that
/// error.
///
/// # Other functions and runtimes
///
/// ```text
/// #[retry(blocking, attempts = 3)]
/// fn read(path: &Path) -> io::Result<String> { … }
/// ```
///
#[doc = retry_spec::other_runtimes!()]
///
/// A `blocking` function waits with `std::thread::sleep`. Its `deadline` only prevents new attempts, because a running attempt
/// cannot be stopped. For the same reason `attempt_timeout`, `hedge`, `drain_limit` and `drain_timeout` are errors beside
/// `blocking`.
///
/// # Other attributes
///
/// Put `#[retry]` above attributes that remove `async`, such as `#[tokio::main]`.
///
/// A second `#[retry]` on the function is an error, because the two would multiply their attempts. An attribute that is imported
/// under another name is not recognized. `#[track_caller]` is an error with `blocking`, because the body runs in a closure, which
/// does not have the caller's location.
///
/// # Cancel safety
///
/// The function's future can be dropped at any time. That drops the running attempt or ends the wait, and has no other effect.
/// `deadline` and `attempt_timeout` drop the attempt too. Whether the body may be dropped at each of its `.await`s depends on
/// the body.
///
/// # Documentation
///
/// The attribute adds a section "Retries" to the documentation of the function. It describes the number of attempts, the delays and
/// the retried outcomes.
#[proc_macro_attribute]
pub fn retry(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = Tokens::from(item);
    let expanded = expand_retry(arguments.into(), item.clone());
    // After an error the function is emitted unchanged. Otherwise each call would be a second error about a function that does
    // not exist, and an editor would lose completion in its body.
    expanded.unwrap_or_else(|errors| [errors.into_compile_error(), item].into_iter().collect()).into()
}

#[doc = include_str!("retrying.md")]
#[proc_macro]
pub fn retrying(input: TokenStream) -> TokenStream {
    expand_retrying(input.into()).into()
}

fn expand_retrying(input: Tokens) -> Tokens {
    let mut errors = Errors::new();
    let (mut arguments, item) = Arguments::read_before(input.clone(), block::starts, &mut errors);
    let block = Block::read(item.clone(), &mut arguments, &mut errors);
    check_of_block(&arguments, &mut errors);
    match (errors.finish(), &block) {
        (Ok(()), Some(block)) => expand_block(&arguments, block),
        // A block that is missing is an error, so this is only for the compiler.
        (Ok(()), None) => Tokens::new(),
        // One attempt, so that the code around it has the types that it will have.
        (Err(errors), Some(block)) => {
            let (errors, once) = (errors.into_compile_error(), expand_once(&arguments, block));
            quote!({ #errors #once })
        }
        // `compile_error!` is a value of any type. The user's code is kept for editors.
        (Err(errors), None) => {
            let errors = errors.into_compile_error();
            let kept = block::unread(item, input).map(|code| quote!(let _ = #code;));
            quote!({ #kept #errors })
        }
    }
}

fn expand_retry(arguments: Tokens, item: Tokens) -> syn::Result<Tokens> {
    let mut errors = Errors::new();
    let arguments = Arguments::read(arguments, &mut errors);
    let function = Function::read(item, &arguments, &mut errors);
    check(&arguments, function.as_ref().map(|function| &function.sig), &mut errors);
    errors.finish()?;
    Ok(function.map(|function| expand(&arguments, &function)).unwrap_or_default())
}

/// Implements `Retryable` for an error type: its class, the status, and the delay that the server asks for.
///
/// ```text
/// #[derive(Retryable)]
/// enum PushError {
///     #[retryable(transient, server_delay = wait)]
///     Busy { wait: Duration },
///     #[retryable(status = 0)]
///     Refused(u16),
///     #[retryable(source)]
///     Transport(reqwest::Error),
///     #[retryable(permanent)]
///     Malformed,
///     Other(String),
/// }
/// ```
///
/// The arguments are written above the variants of an enum, or above a struct:
///
/// | argument | meaning |
/// |---|---|
/// | `transient` | another attempt may succeed |
/// | `permanent` | no attempt can succeed |
/// | `status = field` | the status decides the class; the field converts into `u16` and is `Copy` |
/// | `server_delay = field` | beside `transient` or `status`: the delay that the server asks for, a `Duration` or an `Option` of one |
/// | `source` | class, status and delay are those of the only field; `source = field` names one of several |
///
/// A variant without an argument has the class "unknown". A field of a tuple is named by its index. `#[retryable(crate = path)]`
/// above the type names `retry_runtime`, if it is renamed or re-exported by another crate.
#[proc_macro_derive(Retryable, attributes(retryable))]
pub fn derive_retryable(item: TokenStream) -> TokenStream {
    derive::derive(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
