//! A request that is about to be sent, and the hooks that may change it.

use core::pin::Pin;
use std::error::Error;
use std::sync::Arc;

use reqwest::{Client, Request};

use crate::classify::class::Class;
use crate::classify::clients::reqwest::error_of;
use crate::classify::mark::permanent;
use crate::classify::search::search;
use crate::policy::attempt::Attempt;

/// The future of a hook that awaits: see [`RequestRetry::before_attempt_async`](super::RequestRetry::before_attempt_async).
pub type HookFuture<'a> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// A request that is about to be sent, as the hooks [`before_attempt`](super::RequestRetry::before_attempt) and
/// [`before_attempt_async`](super::RequestRetry::before_attempt_async) receive it.
#[derive(Debug)]
pub struct Outgoing<'a> {
    attempt: Attempt,
    request: &'a mut Request,
    client: Option<Client>,
}

impl Outgoing<'_> {
    /// The attempt that sends the request.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        &self.attempt
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        self.request
    }

    /// The request, to change its method, URL, headers or body.
    pub fn request_mut(&mut self) -> &mut Request {
        self.request
    }

    /// Sends this attempt with another client, for example one with another proxy. The request skips all middleware after the
    /// one that retries.
    pub fn send_through(&mut self, client: Client) {
        self.client = Some(client);
    }
}

type SyncHook = dyn Fn(&mut Outgoing<'_>) + Send + Sync;
type AsyncHook = dyn for<'a> Fn(&'a mut Outgoing<'_>) -> HookFuture<'a> + Send + Sync;

/// The hooks that are called before each attempt.
#[derive(Clone)]
pub(super) struct BeforeAttempt {
    sync: Option<Arc<SyncHook>>,
    awaiting: Option<Arc<AsyncHook>>,
}

impl BeforeAttempt {
    pub(super) const fn nothing() -> Self {
        Self { sync: None, awaiting: None }
    }

    #[inline]
    pub(super) const fn is_set(&self) -> bool {
        self.sync.is_some() || self.awaiting.is_some()
    }

    pub(super) fn set(&mut self, hook: impl Fn(&mut Outgoing<'_>) + Send + Sync + 'static) {
        self.sync = Some(Arc::new(hook));
    }

    pub(super) fn set_async(
        &mut self,
        hook: impl for<'a> Fn(&'a mut Outgoing<'_>) -> HookFuture<'a> + Send + Sync + 'static,
    ) {
        self.awaiting = Some(Arc::new(hook));
    }

    pub(super) const fn awaits(&self) -> bool {
        self.awaiting.is_some()
    }

    /// Lets the hook that does not await change the request. Returns the client to send it with, if it chose another one.
    pub(super) fn prepare(&self, attempt: Attempt, request: &mut Request) -> Option<Client> {
        let mut outgoing = Outgoing { attempt, request, client: None };
        self.call_sync(&mut outgoing);
        outgoing.client
    }

    /// [`prepare`](Self::prepare) for both hooks.
    pub(super) async fn prepare_async(
        &self,
        attempt: Attempt,
        request: &mut Request,
    ) -> reqwest::Result<Option<Client>> {
        let mut outgoing = Outgoing { attempt, request, client: None };
        self.call_sync(&mut outgoing);
        if let Some(hook) = &self.awaiting {
            hook(&mut outgoing).await.map_err(of_hook)?;
        }
        Ok(outgoing.client)
    }

    fn call_sync(&self, outgoing: &mut Outgoing<'_>) {
        if let Some(hook) = &self.sync {
            hook(outgoing);
        }
    }
}

/// The error of an attempt whose hook failed. Permanent, unless the hook's error is classified as transient.
fn of_hook(error: Box<dyn Error + Send + Sync>) -> reqwest::Error {
    match search(&*error).class() {
        Class::Transient => error_of(error),
        _ => error_of(permanent(error).into()),
    }
}
