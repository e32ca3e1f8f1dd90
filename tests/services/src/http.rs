//! HTTP: the server on axum, and the client on reqwest.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Extension, Router};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use retry_runtime::http::{RequestRetry, SendWithRetry};
use retry_runtime::retry;
use retry_runtime::server::{Caller, CallerLayer};
use tokio::net::TcpListener;

use crate::call::{Calls, Replies};
use crate::events::report_caller;
use crate::service::Service;
use crate::work::BoxError;

pub(crate) async fn serve(listener: TcpListener, service: Service, coordinated: bool) -> Result<(), BoxError> {
    let router = Router::new().route("/stream/{name}", get(stream)).route("/{method}/{name}", get(call));
    let mut router = router.with_state(service);
    if coordinated {
        router = router.layer(CallerLayer::new().trust_callers());
    }
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

/// Each failure is one that a caller retries.
async fn call(
    State(service): State<Service>,
    Path((method, name)): Path<(String, String)>,
    caller: Option<Extension<Caller>>,
) -> StatusCode {
    report_caller(&name, caller.as_deref());
    service.call(&method, &name).await.map_or(StatusCode::SERVICE_UNAVAILABLE, |()| StatusCode::OK)
}

async fn stream(State(service): State<Service>, Path(name): Path<String>) -> Result<Response, StatusCode> {
    let replies = service.stream(&name).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(Response::new(Body::from_stream(replies.map(|reply| reply.map(|()| "chunk")))))
}

#[derive(Clone, Debug)]
pub(crate) struct Client {
    client: reqwest::Client,
    base: String,
    pub(crate) calls: Calls,
}

impl Client {
    pub(crate) fn new(url: &str, calls: Calls) -> Result<Self, BoxError> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { client, base: url.to_owned(), calls })
    }

    pub(crate) async fn call(&self, method: &str, name: &str) -> Result<(), BoxError> {
        self.get(method, name).await.map(drop)
    }

    pub(crate) async fn stream(&self, name: &str) -> Result<Replies, BoxError> {
        let response = self.get("stream", name).await?;
        let next = async |mut response: reqwest::Response| {
            let chunk = response.chunk().await.transpose()?;
            Some((chunk.map(drop).map_err(BoxError::from), response))
        };
        Ok(unfold(response, next).boxed())
    }

    /// Sends one request, and reads the response to its end.
    pub(crate) async fn finish(&self, method: &str, name: &str) -> Result<(), BoxError> {
        let mut response = self.get_once(method, name).await?;
        while response.chunk().await?.is_some() {}
        Ok(())
    }

    // Not `send_with_retry`, which cuts off the request at the deadline. Without its own deadline, a function does not.
    #[retry(attempts = 1, bind = attempt)]
    async fn get_once(&self, method: &str, name: &str) -> reqwest::Result<reqwest::Response> {
        let mut request = self.client.get(format!("{}/{method}/{name}", self.base)).build()?;
        if let Some(propagation) = self.calls.propagation {
            propagation.decorate(&mut request, attempt);
        }
        self.client.execute(request).await
    }

    async fn get(&self, method: &str, name: &str) -> Result<reqwest::Response, BoxError> {
        let request = self.client.get(format!("{}/{method}/{name}", self.base));
        let retry = RequestRetry::new(self.calls.policy);
        let retry = match self.calls.propagation {
            Some(propagation) => retry.propagate(propagation),
            None => retry,
        };
        Ok(request.send_with_retry(&retry).await?.error_for_status()?)
    }
}
