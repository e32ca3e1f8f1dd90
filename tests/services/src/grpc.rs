//! gRPC: the server and the client on tonic, without generated code. A request is the name of the request, and a response is
//! empty.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::uri::PathAndQuery;
use retry_runtime::server::{Caller, CallerLayer};
use retry_runtime::{Attempt, Policy, TimedOut, retry};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::server::NamedService;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;

use crate::call::{Calls, Replies};
use crate::events::report_caller;
use crate::service::Service;
use crate::work::BoxError;

pub(crate) async fn serve(listener: TcpListener, service: Service, coordinated: bool) -> Result<(), BoxError> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let chain = Chain(service);
    if coordinated {
        let layer = CallerLayer::new().trust_callers();
        Server::builder().layer(layer).add_service(chain).serve_with_incoming(incoming).await?;
    } else {
        Server::builder().add_service(chain).serve_with_incoming(incoming).await?;
    }
    Ok(())
}

/// The service `chain.Chain`.
#[derive(Clone)]
struct Chain(Service);

impl NamedService for Chain {
    const NAME: &'static str = "chain.Chain";
}

impl tower::Service<http::Request<Body>> for Chain {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.0.clone();
        Box::pin(async move { Ok(respond(service, request).await) })
    }
}

async fn respond(service: Service, request: http::Request<Body>) -> http::Response<Body> {
    let mut server = tonic::server::Grpc::new(ProstCodec::<(), String>::default());
    let method = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    if method == "stream" {
        let stream = service_fn(|name: Request<String>| stream(&service, name.into_inner()));
        server.server_streaming(stream, request).await
    } else {
        let call = service_fn(|name: Request<String>| async {
            report_caller(name.get_ref(), name.extensions().get::<Caller>());
            service.call(&method, &name.into_inner()).await.map_err(failed)?;
            Ok(Response::new(()))
        });
        server.unary(call, request).await
    }
}

/// The status of a failure: one that a caller retries, unless the caller's time is over.
fn failed(error: BoxError) -> Status {
    match error.downcast::<TimedOut>() {
        Ok(timed_out) => Status::from(*timed_out),
        Err(error) => Status::unavailable(error.to_string()),
    }
}

// Boxed, because the future above would not be `Send` with the type of the closure in it.
async fn stream(service: &Service, name: String) -> Result<Response<BoxStream<'static, Result<(), Status>>>, Status> {
    let replies = service.stream(&name).await.map_err(failed)?;
    Ok(Response::new(replies.map(|reply| reply.map_err(failed)).boxed()))
}

#[derive(Clone, Debug)]
pub(crate) struct Client {
    channel: Channel,
    pub(crate) calls: Calls,
}

impl Client {
    pub(crate) fn new(url: &str, calls: Calls) -> Result<Self, BoxError> {
        Ok(Self { channel: Endpoint::from_shared(url.to_owned())?.connect_lazy(), calls })
    }

    pub(crate) async fn call(&self, method: &str, name: &str) -> Result<(), BoxError> {
        Ok(self.unary(&self.calls.policy, method, name).await?)
    }

    pub(crate) async fn stream(&self, name: &str) -> Result<Replies, BoxError> {
        let messages = self.server_streaming(&self.calls.policy, name).await?;
        Ok(messages.map(|message| message.map_err(BoxError::from)).boxed())
    }

    /// Sends one request, and reads the response to its end. A unary call ends at the deadline in the request all the same, because tonic's
    /// client reads it.
    pub(crate) async fn finish(&self, method: &str, name: &str) -> Result<(), BoxError> {
        // Without its own deadline, which would cut off the call.
        let once = Policy::new().attempts(1);
        if method != "stream" {
            return Ok(self.unary(&once, method, name).await?);
        }
        let mut messages = self.server_streaming(&once, name).await?;
        while messages.message().await?.is_some() {}
        Ok(())
    }

    #[retry(policy = *policy, bind = attempt)]
    async fn unary(&self, policy: &Policy, method: &str, name: &str) -> Result<(), Status> {
        let (mut grpc, request) = (self.ready().await?, self.request(name, attempt));
        grpc.unary(request, path(method), ProstCodec::<String, ()>::default()).await?;
        Ok(())
    }

    #[retry(policy = *policy, bind = attempt)]
    async fn server_streaming(&self, policy: &Policy, name: &str) -> Result<Streaming<()>, Status> {
        let (mut grpc, request) = (self.ready().await?, self.request(name, attempt));
        let response = grpc.server_streaming(request, path("stream"), ProstCodec::<String, ()>::default()).await?;
        Ok(response.into_inner())
    }

    async fn ready(&self) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc)
    }

    fn request(&self, name: &str, attempt: &Attempt) -> Request<String> {
        let mut request = Request::new(name.to_owned());
        if let Some(propagation) = self.calls.propagation {
            propagation.decorate(&mut request, attempt);
        }
        request
    }
}

fn path(method: &str) -> PathAndQuery {
    format!("/{}/{method}", Chain::NAME).parse().expect("a method is a word")
}
