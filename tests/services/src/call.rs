//! Calls to a service, by the service before it in the chain or by a test.

use std::time::Duration;

use futures_util::stream::BoxStream;
use retry_runtime::propagation::Propagation;
use retry_runtime::{Deadline, Policy};

use crate::work::{BoxError, LIMIT};
use crate::{Protocol, grpc, http};

/// The messages of a streamed response.
pub type Replies = BoxStream<'static, Result<(), BoxError>>;

/// A client of one service, with three attempts for each call.
#[derive(Clone, Debug)]
pub struct Caller {
    client: Client,
}

#[derive(Clone, Debug)]
enum Client {
    Http(http::Client),
    Grpc(grpc::Client),
}

/// The settings of a client.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    pub(crate) policy: Policy,
    /// The headers that each attempt sends.
    pub(crate) propagation: Option<Propagation>,
}

impl Caller {
    /// A client for the service at this URL, whose calls take at most [`LIMIT`].
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is invalid.
    pub fn new(protocol: Protocol, url: &str, coordinated: bool) -> Result<Self, BoxError> {
        let policy = Policy::fixed(Duration::from_millis(5)).attempts(3).deadline(LIMIT);
        // A `Propagation` with the names of HTTP sends gRPC's in a request of tonic.
        let calls = Calls { policy, propagation: coordinated.then(Propagation::new) };
        let client = match protocol {
            Protocol::Http => Client::Http(http::Client::new(url, calls)?),
            Protocol::Grpc => Client::Grpc(grpc::Client::new(url, calls)?),
        };
        Ok(Self { client })
    }

    /// The same client with another deadline for each call.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        let calls = match &mut self.client {
            Client::Http(client) => &mut client.calls,
            Client::Grpc(client) => &mut client.calls,
        };
        calls.policy = calls.policy.deadline(deadline);
        self
    }

    /// Calls a method of the service. `name` identifies the request in the reports of the services.
    ///
    /// # Errors
    ///
    /// Returns the failure of the last attempt.
    pub async fn call(&self, method: &str, name: &str) -> Result<(), BoxError> {
        match &self.client {
            Client::Http(client) => client.call(method, name).await,
            Client::Grpc(client) => client.call(method, name).await,
        }
    }

    /// Calls a method of the service, once, and waits for the end of the response, however late that is. The request says that the
    /// caller waits for `time` only.
    ///
    /// # Errors
    ///
    /// Returns the failure.
    pub async fn stay(&self, time: Duration, method: &str, name: &str) -> Result<(), BoxError> {
        Deadline::after(time).scope(self.finish(method, name)).await
    }

    async fn finish(&self, method: &str, name: &str) -> Result<(), BoxError> {
        match &self.client {
            Client::Http(client) => client.finish(method, name).await,
            Client::Grpc(client) => client.finish(method, name).await,
        }
    }

    /// Calls the method `stream` of the service. Returns when the response begins.
    ///
    /// # Errors
    ///
    /// Returns the failure of the last attempt.
    pub async fn stream(&self, name: &str) -> Result<Replies, BoxError> {
        match &self.client {
            Client::Http(client) => client.stream(name).await,
            Client::Grpc(client) => client.stream(name).await,
        }
    }
}
