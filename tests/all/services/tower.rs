//! `TowerPolicy::propagate`, around services of one's own and around tonic's channel.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use retry_runtime::propagation::Propagation;
use retry_runtime::tower::TowerPolicy;
use retry_runtime::{Policy, retry};
use tokio::net::TcpListener;
use tokio::time::advance;
use tonic::Status;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::server::client;
use crate::support::server::{Reply, Server};
use crate::support::{Fault, Recorder, SECOND};

const POLICY: Policy = Policy::fixed(Duration::from_secs(1)).attempts(3);
const TIME: &str = "x-envoy-expected-rq-timeout-ms";

/// The number of the attempt and the time in each request.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<[Option<String>; 2]>>>);

impl Log {
    fn note(&self, headers: &HeaderMap, number: &str, time: &str) {
        let value = |name| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        self.0.lock().unwrap().push([value(number), value(time)]);
    }

    /// Takes the pairs, with `-` for a header that is missing.
    fn take(&self) -> Vec<String> {
        let pairs = std::mem::take(&mut *self.0.lock().unwrap());
        let text = |value: Option<String>| value.unwrap_or("-".to_owned());
        pairs.into_iter().map(|[number, time]| format!("{} {}", text(number), text(time))).collect()
    }

    /// A service that notes its requests and fails.
    fn failing(
        &self,
    ) -> impl Service<Request<()>, Response = Response<()>, Error = Fault, Future: Send> + Clone + use<> {
        let log = self.clone();
        service_fn(move |request: Request<()>| {
            log.note(request.headers(), "x-envoy-attempt-count", TIME);
            async { Err(Fault::TRANSIENT) }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_time_and_number() {
    let log = Log::default();
    let layer = |policy| TowerPolicy::http(policy).propagate(Propagation::new());
    let service = ServiceBuilder::new().layer(layer(POLICY.deadline(SECOND * 10))).service(log.failing());
    service.clone().oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(log.take(), ["1 10000", "2 9000", "3 8000"]);
    // Calls share the service, not the attempts.
    let both = tokio::join!(service.clone().oneshot(Request::new(())), service.oneshot(Request::new(())));
    assert!(both.0.is_err() && both.1.is_err());
    assert_eq!(log.take(), ["1 10000", "1 10000", "2 9000", "2 9000", "3 8000", "3 8000"]);
    let service = ServiceBuilder::new().layer(layer(POLICY)).service(log.failing());
    service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(log.take(), ["1 -", "2 -", "3 -"]);
    let service = ServiceBuilder::new().layer(TowerPolicy::http(POLICY)).service(log.failing());
    service.oneshot(Request::new(())).await.unwrap_err();
    assert_eq!(log.take(), ["- -", "- -", "- -"]);
}

#[tokio::test(start_paused = true)]
async fn deadline_of_a_call_around_is_sent_also_with_a_request_that_cannot_be_cloned() {
    let log = Log::default();
    let layer = TowerPolicy::http(POLICY).cloning(|_: &Request<()>| None).propagate(Propagation::new());
    let service = ServiceBuilder::new().layer(layer).service(log.failing());
    let call = || async {
        advance(SECOND).await;
        service.clone().oneshot(Request::new(())).await
    };
    Policy::new().attempts(1).deadline(SECOND * 4).run(|_| call()).await.unwrap_err();
    assert_eq!(log.take(), ["1 3000"]);
    call().await.unwrap_err();
    assert_eq!(log.take(), ["1 -"]);
}

#[tokio::test(start_paused = true)]
async fn response_header_of_ones_own_name_ends_the_retries() {
    let last = async |name: &'static str| {
        let recorder = Recorder::new();
        let policy = TowerPolicy::http(POLICY).idempotent().observer(recorder.clone());
        let layer = policy.propagate(Propagation::new().exhausted_header("x-own"));
        let service = ServiceBuilder::new().layer(layer).service(service_fn(async |_: Request<()>| {
            Ok::<_, Fault>(Response::builder().status(503).header(name, "1").body(()).unwrap())
        }));
        service.oneshot(Request::new(())).await.unwrap();
        recorder.lines().pop().unwrap()
    };
    assert_eq!(last("x-own").await, "1/3 GaveUp(ExhaustedBelow)");
    assert_eq!(last("x-retries-exhausted").await, "1/3 GaveUp(ExhaustedBelow)");
    assert_eq!(last("x-other").await, "3/3 GaveUp(Exhausted)");
}

#[tokio::test(start_paused = true)]
async fn requests_of_reqwest_are_decorated() {
    let server = Server::start([Reply::status(503), Reply::status(200)]).await;
    let layer = TowerPolicy::http(POLICY).cloning(reqwest::Request::try_clone).propagate(Propagation::new());
    let service = ServiceBuilder::new().layer(layer).service(client());
    let request = client().get(&server.url).build().unwrap();
    service.oneshot(request).await.unwrap();
    let heads = server.heads();
    assert!(
        heads[0].contains("x-envoy-attempt-count: 1") && heads[1].contains("x-envoy-attempt-count: 2"),
        "{heads:?}"
    );
}

/// A gRPC server that notes the headers of each call, drops its first stream, and then answers with these trailers.
async fn grpc_server(log: Log, refused: usize) -> Channel {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        let mut number = 0;
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            log.note(request.headers(), "grpc-previous-rpc-attempts", "grpc-timeout");
            number += 1;
            if number <= refused {
                respond.send_reset(h2::Reason::REFUSED_STREAM);
                continue;
            }
            let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
            let mut stream = respond.send_response(head, false).unwrap();
            stream.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
            stream
                .send_trailers(HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]))
                .unwrap();
        }
    });
    Endpoint::from_shared(url).unwrap().connect_lazy()
}

/// The channel with retries of calls that did not reach the server. A gRPC request is a stream, so it is read before the first
/// attempt, and sent from memory.
fn retried(
    channel: Channel,
    policy: Policy,
) -> impl Service<Request<tonic::body::Body>, Response = Response<tonic::body::Body>, Error = Status, Future: Send> + Clone
{
    let layer = TowerPolicy::http(policy).idempotent().propagate(Propagation::grpc());
    let service = ServiceBuilder::new()
        .layer(layer)
        .map_err(|error: tonic::transport::Error| Status::from_error(Box::new(error)))
        .map_request(|request: Request<Full<Bytes>>| request.map(tonic::body::Body::new))
        .service(channel);
    service_fn(move |request: Request<tonic::body::Body>| {
        let service = service.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            service.oneshot(Request::from_parts(head, Full::new(body))).await
        }
    })
}

#[tokio::test(start_paused = true)]
async fn channel_of_tonic_sends_the_time_and_the_attempts_before() {
    let log = Log::default();
    let service = retried(grpc_server(log.clone(), 2).await, POLICY.deadline(SECOND * 10));
    let mut client = Grpc::new(service);
    client.ready().await.unwrap();
    let path = || "/service/call".parse().unwrap();
    client.unary(tonic::Request::new(()), path(), ProstCodec::<(), ()>::default()).await.unwrap();
    assert_eq!(log.take(), ["- 10000000u", "1 9000000u", "2 8000000u"]);
    let mut request = tonic::Request::new(());
    request.set_timeout(SECOND * 2);
    client.ready().await.unwrap();
    client.unary(request, path(), ProstCodec::<(), ()>::default()).await.unwrap();
    assert_eq!(log.take(), ["- 2000000u"]);
}

#[tokio::test(start_paused = true)]
async fn annotated_function_decorates_a_request_of_tonic() {
    #[retry(attempts = 3, backoff = "fixed", start = "1s", bind = attempt)]
    async fn call(channel: &Channel) -> Result<(), Status> {
        let mut request = tonic::Request::new(());
        Propagation::grpc().decorate(&mut request, attempt);
        let mut client = Grpc::new(channel.clone());
        client.ready().await.map_err(|error| Status::from_error(Box::new(error)))?;
        client.unary(request, "/service/call".parse().unwrap(), ProstCodec::<(), ()>::default()).await?;
        Ok(())
    }
    let log = Log::default();
    let channel = grpc_server(log.clone(), 1).await;
    call(&channel).await.unwrap();
    assert_eq!(log.take(), ["- -", "1 -"]);
}
