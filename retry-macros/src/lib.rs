//! The attribute `#[retry]` and the derive macro `Retryable`. Depend on `retry-runtime`, which exports both: what is
//! generated here calls that crate, and only the versions that were released together fit each other.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;

use retry_spec::{duration, suggest};

use crate::arguments::Arguments;
use crate::errors::Errors;
use crate::function::Function;

mod arguments;
mod check;
mod derive;
mod documentation;
mod errors;
mod expand;
mod foreign;
mod frame;
mod function;
mod lifetimes;
mod plan;
mod required;
mod rewrite;
mod scan;
mod schedule;
mod status;
mod value;

/// Runs a function again when it fails.
///
/// ```text
/// #[retry(attempts = 3, backoff = "exponential", start = "1s", on_status = [503])]
/// async fn fetch(client: &reqwest::Client, url: &str) -> reqwest::Result<reqwest::Response> {
///     client.get(url).send().await
/// }
/// ```
///
/// The function keeps its signature, its return type and its error type, and the outcome of the last attempt comes back
/// as it is. It returns a `Result`, an `Option` (`None` is then a failure of which nothing is known), or a type that
/// implements `Retryable`. It is an `async fn`, a plain `fn` under [`blocking`](#other-functions-and-runtimes), or a plain
/// `fn` whose body is exactly one `async` block or `Box::pin(async move { … })`, as `#[async_trait]` and
/// `-> impl Future + Send` make it. Methods work as functions do.
///
/// `#[retry]` alone makes up to 3 attempts, with delays that are random between zero and 100 ms, then 200 ms.
///
/// # How an argument is written
///
/// Each argument is `key = value`, in any order and at most once; `blocking` alone has no value. What the value may be:
///
/// - A **keyword** is quoted: `backoff = "fixed"`.
/// - A **duration** is a string with a unit to every number: `"250ms"`, `"1s"`, `"1.5s"`, `"2m"`, `"1h 30m"`. The units are
///   `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h` and `d`.
/// - A **path** is the path of a constant, which the compiler evaluates and checks: `attempts = Self::MAX`. `cargo build`
///   does that, where the function is used; `cargo check` does not evaluate constants. Values that
///   are known only at run time go through `policy`.
///
/// Arguments that contradict each other, or of which one has no effect, are errors.
///
/// # How often
///
/// ```text
/// #[retry(attempts = 5, deadline = "30s", attempt_timeout = "5s")]
/// ```
///
/// | argument | values | when left out |
/// |---|---|---|
/// | `attempts` | an integer of at least 1, a constant of type `u32`, or `"unlimited"` | 3; with `delays`, one more than there are delays |
/// | `deadline` | a duration above zero, or a constant | none |
/// | `attempt_timeout` | a duration above zero, or a constant | none |
/// | `budget` | the path of a `static` of type `Budget` | none |
/// | `nested` | `"once"` | each retries by itself |
/// | `breaker` | the path of a `static` of type `Breaker` | none |
/// | `hedge` | a duration above zero, or a constant; not with `blocking` | none |
/// | `hedge_max` | beside `hedge`: an integer of at least 2, or a constant of type `u32` | 2 |
///
/// - `attempts` is the total, the first call included.
/// - `deadline` runs from the start of the first attempt. After it no attempt starts or goes on. If a delay does not fit
///   in what is left, the last outcome is returned at once, without the wait.
/// - `attempt_timeout` is the most that one attempt may take, from when it first has to wait. It is shorter than the deadline.
///
/// - `budget` pays for retries, never for first attempts; any number of functions and loops may share it.
/// - `nested = "once"` does not retry what was retried inside of the attempt already, by another annotated function for
///   instance: three layers of three attempts are 3 calls instead of 27.
/// - `breaker` makes no attempt while it is open, beside `policy` too. Such an attempt gives an error made by
///   `From<BreakerOpen>`; it is retried where the deadline leaves time for the breaker's next probe. What counts as a failure
///   is its class, whatever `on_status`, `on_error` and `on_ok` say, and an attempt that a time limit cuts off.
/// - `hedge` makes another copy of an attempt each time that this long has passed without a good answer, up to `hedge_max`
///   copies of an attempt. The first outcome that is no failure by the conditions below wins, and the others are dropped; or the
///   last failure, when no copy runs any more. The budget of the function or of its `policy` pays for the copies. They all borrow the
///   arguments, so the body can neither change nor consume one; `clone` gives each copy its own. The first copy is part of the
///   future, the others are allocated. Each passes the breaker.
///
/// What an attempt that is cut off gives is an error made by `From<TimedOut>` for the function's error type.
///
/// # How long to wait
///
/// ```text
/// #[retry(backoff = "exponential", start = "1s", factor = 3, max_delay = "30s", jitter = "full")]
/// #[retry(delays = ["100ms", "1s", "10s"])]
/// ```
///
/// | argument | values | when left out |
/// |---|---|---|
/// | `backoff` | `"exponential"`, `"fixed"`, `"linear"`, `"fibonacci"`, `"random"`, `"decorrelated"`, or the path of a `fn(&Attempt) -> Duration` | `"exponential"` |
/// | `start` | a duration, or a constant | 100 ms |
/// | `factor` | a number of at least 1, or a constant of type `f64`; exponential only | 2 |
/// | `max_delay` | a duration, or a constant; `"random"` and `"decorrelated"` require it | 30 s in the standard schedule, else none |
/// | `delays` | a list of durations and constants, or a constant of type `&'static [Duration]` | |
/// | `jitter` | `"none"`, `"full"`, `"equal"`, or a share such as `"20%"`, above 0 and at most 100 % | `"full"` in the standard schedule, else `"none"` |
/// | `random_source` | the path of a `fn() -> f64` in [0, 1) | the thread's generator of the crate `rand` |
///
/// The *standard schedule* is the one where none of `backoff`, `start`, `factor` and `delays` is written. As soon as one
/// of them is, the schedule is exactly what is written.
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
/// | `"decorrelated"` | random between s and three times the delay before |
///
/// `delays` spells the delays out instead; the last one repeats. `max_delay` caps the computed delay d. Then jitter stays inside the
/// cap: `"full"` is random between 0 and d, `"equal"` between d/2 and d, and `"20%"` between 0.8 d and 1.2 d.
///
/// # On which outcomes
///
/// ```text
/// #[retry(on_status = [429, "5xx"], on_error = |error| error.is_timeout(), retry_after = "2m")]
/// ```
///
/// | argument | values | when left out |
/// |---|---|---|
/// | `on_status` | a list of codes `503`, ranges `500..=599`, classes `"5xx"`, constants of type `u16` or `http::StatusCode`; all between 100 and 599, each once | 408, 429, 500, 502, 503, 504 |
/// | `on_error` | `"any"`, `"transient"`, `"never"`, or the path of a function or a closure from `&E` to `bool` | see below |
/// | `on_ok` | the path of a function or a closure from `&T` to `bool`: true tries this success again | none |
/// | `retry_after` | the longest delay to accept from a server: a duration, a constant, or `"ignore"` | 60 s |
/// | `server_delay` | the path of a function or a closure from `&T` to `Option<Duration>`: how long the server asks to wait | what the answer says itself, by `Retry-After` if it is a response |
///
/// - An outcome with a status, success or error, is for `on_status` to decide. `[]` switches statuses off.
/// - An error without a status is for `on_error` to decide. Without it, these are tried again: the transient errors if
///   `on_status` is written, otherwise all but the permanent ones.
/// - `on_error` without `on_status` decides every error. With both, either yes suffices. `on_ok` adds successes.
///
/// ## A function that reads the body
///
/// A function that reads the body checks the status before, with `CheckStatus` of the feature `reqwest`:
///
/// ```text
/// #[retry(attempts = 3, start = "1s", on_status = [503])]
/// async fn price(client: &reqwest::Client, url: &str) -> Result<Price, Box<dyn Error + Send + Sync>> {
///     Ok(client.get(url).send().await?.check_status()?.json().await?)
/// }
/// ```
///
/// `check_status()?` returns a status of 400 or above as an error, which keeps the status and the delay from `Retry-After`.
/// Without it, the body of the 503 is decoded. That fails with "error decoding response body", which has no status, so the
/// function makes one attempt. reqwest's `error_for_status()?` keeps the status, so that the function is retried, but loses
/// `Retry-After`.
///
/// ## Conditions that can never retry
///
/// These are compile errors, in `cargo check` too, where the types of the value `T` and of the error `E` tell:
///
/// | argument | is an error where |
/// |---|---|
/// | `on_status` with statuses | neither `T` nor `E` can carry a status |
/// | `on_status` that lists a status twice, as in `["5xx", 503]` | always; with constants, in `cargo build` |
/// | `on_status = []`, without `on_error` and `on_ok` | nothing without a status can be transient |
/// | `on_error = "transient"` | `E` cannot be classified, and `T` does not implement `Retryable` |
/// | `on_error = "never"`, without `on_status` and `on_ok` | `T` does not implement `Retryable` |
///
/// `on_error = "never"` and `on_status = []` are accepted beside `attempts = 1` and beside `hedge`.
///
/// Types that can carry a status:
///
/// - a type that implements `Retryable`: one of yours, or one of a client whose feature is on;
/// - with the feature `reqwest` or `reqwest-012`, a type with a `source()` chain: a boxed error, `anyhow::Error`, `io::Error`
///   and any other type that implements `Error`. Without these two features, no error that the search knows has a status. The
///   search does not know types of yours;
/// - in a generic function, what the bounds say: a parameter `E: Retryable` can carry a status, one without a bound cannot.
///
/// The compiler does not notice these, though they never carry a status:
///
/// - a type that implements `Retryable` without `status`;
/// - with the feature `reqwest` or `reqwest-012`, an `E` that implements `Error` and never has a source. It does notice errors
///   of the standard library such as `ParseIntError`. It also notices the errors of attohttpc, curl, isahc, minreq and ureq, and
///   of another version of reqwest, if they are written with the name of the crate: `ureq::Error`, `reqwest::Result<_>`;
/// - an unknown `T`, such as `reqwest::blocking::Response`, beside an `E` that can carry a status.
///
/// An `E` that implements `Error` can be classified. Only errors of the standard library that have no source cannot.
///
/// ## The server's delay
///
/// The delay that a server asks for is a lower bound of the wait, and `max_delay` does not shorten it.
///
/// `server_delay` is for other headers than `Retry-After`. It is asked of answers that are worth another attempt: `T` is
/// the type of `Ok`, of `Some`, or the outcome itself. What it gives replaces what the answer says; `None` leaves that.
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
/// The body of a response that is retried is read on during the delay, so that the next attempt finds its connection free.
///
/// | argument | values | when left out |
/// |---|---|---|
/// | `drain_limit` | the most bytes to read, an integer or a constant of type `usize`; a longer body, or `0`, gives the connection up | 65536 |
/// | `drain_timeout` | the longest to read: a duration above zero, or a constant; measured with tokio's timer | as long as the delay |
///
/// No attempt waits for it: what is not read when the delay is over is given up. The last response is yours, unread.
///
/// # A policy from elsewhere
///
/// ```text
/// #[retry(policy = self.policy, on_status = [503])]
/// ```
///
/// `policy` is an expression of type `Policy`, `&Policy` or `Arc<Policy>`, evaluated once a call. It says how often and how
/// long, so the arguments of those two sections, `retry_after`, `drain_limit` and `drain_timeout` are errors beside it. All
/// other arguments apply.
/// An `Arc` is taken by value: `policy = self.policy.clone()`.
///
/// Nothing is known of such a policy when the function is compiled. Where the error type is not `From<TimedOut>`, nothing
/// cuts an attempt off: the policy's deadline then only stops new attempts, and its attempt timeout has no effect.
///
/// # Inside the body
///
/// ```text
/// #[retry(bind = attempt, clone = [request])]
/// ```
///
/// | argument | values |
/// |---|---|
/// | `bind` | an identifier, bound to the `&Attempt` in the body |
/// | `clone` | a list of arguments of the function, which are cloned for each attempt; the body owns the clones |
///
/// Without `clone` each attempt borrows the arguments.
///
/// ## error: use of moved value
///
/// The body runs once for each attempt, in a loop. A body that consumes an argument takes it from the next attempt:
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
///   = note: this error originates in the macro `::retry_runtime::run_body_again_with_clone_for_consumed_arguments` …
/// ```
///
/// Write `#[retry(clone = [order])]`, which clones the argument for each attempt, or clone it in the body: `post(order.clone())`.
/// `self` is cloned in the body only: `self.name.clone()`. In a `for` loop, `&orders` instead of `orders` consumes nothing.
///
/// The copies of a hedged attempt run at the same time. So they cannot change an argument either ("two closures require unique
/// access"): put what they change into a `Mutex`, or name it in `clone`.
///
/// # Events
///
/// | argument | values | when left out |
/// |---|---|---|
/// | `name` | a string, or a constant of type `&'static str` | `module::function` |
/// | `observer` | an expression of a type that implements `Observer` | none |
///
/// # Other functions and runtimes
///
/// ```text
/// #[retry(blocking, attempts = 3)]
/// fn read(path: &Path) -> io::Result<String> { … }
/// ```
///
/// | argument | values | when left out |
/// |---|---|---|
/// | `blocking` | for a plain `fn`: waits with `std::thread::sleep`; `deadline` then only stops new attempts; `attempt_timeout`, `drain_limit` and `drain_timeout` are errors | |
/// | `sleep` | the path of a `fn(Duration) -> impl Future<Output = ()>`, or of a `fn(Duration)` under `blocking` | tokio's timer |
/// | `crate` | the path of `retry_runtime`, where it is renamed or exported by another crate | `::retry_runtime` |
///
/// # Other attributes
///
/// Put `#[retry]` above attributes that take `async` away, such as `#[tokio::main]`.
///
/// A second `#[retry]` on the function is an error, as the two would multiply their attempts; one that is imported under another
/// name is not recognized. `#[track_caller]` is an error under `blocking`: the body runs in a closure, which has no caller.
///
/// # Cancel safety
///
/// Drop the future of the function whenever you like: that drops the attempt that runs, or ends the wait, and nothing else. So
/// do `deadline` and `attempt_timeout`; whether it is safe to drop the body at each of its `.await`s is up to the body.
///
/// # Documentation
///
/// The documentation of the function ends with a section "Retries", made from the arguments: how many attempts, which
/// delays, on which outcomes.
#[proc_macro_attribute]
pub fn retry(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = Tokens::from(item);
    let expanded = expand_retry(arguments.into(), item.clone());
    // After an error the item stays, so that no second one says that it is missing, and completion keeps working.
    expanded.unwrap_or_else(|errors| [errors.into_compile_error(), item].into_iter().collect()).into()
}

fn expand_retry(arguments: Tokens, item: Tokens) -> syn::Result<Tokens> {
    let mut errors = Errors::new();
    let arguments = Arguments::read(arguments, &mut errors);
    let function = Function::read(item, &arguments, &mut errors);
    check::check(&arguments, function.as_ref(), &mut errors);
    errors.finish()?;
    Ok(function.map(|function| expand::expand(&arguments, &function)).unwrap_or_default())
}

/// Says what an error type knows of itself: whether another attempt may help, after what delay, and with which status.
///
/// ```text
/// #[derive(Retryable)]
/// enum PushError {
///     #[retryable(transient, after = wait)]
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
/// The words stand above the variants of an enum, or above a struct:
///
/// | word | meaning |
/// |---|---|
/// | `transient` | another attempt may succeed |
/// | `permanent` | no attempt will succeed |
/// | `status = field` | the status decides; the field converts into `u16` and is `Copy` |
/// | `after = field` | beside `transient` or `status`: the delay that the server asks for, a `Duration` or an `Option` of one |
/// | `source` | class, status and delay are those of the only field; `source = field` names one of several |
///
/// A variant without a word is unknown. A field of a tuple is named by its number. `#[retryable(crate = path)]` above the
/// type names `retry_runtime` where it is renamed or exported by another crate.
#[proc_macro_derive(Retryable, attributes(retryable))]
pub fn derive_retryable(item: TokenStream) -> TokenStream {
    derive::derive(item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
