//! gRPC: classifying tonic's statuses.
//!
//! `Unavailable` is retried after the delay that the server asks for. `NotFound` is not retried.
//!
//! `cargo run -p retry-examples-integrations --example grpc`

use std::error::Error;
use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Full};
use prost::Message;
use retry_runtime::retry;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

/// Calls the service as the methods of a generated client do.
#[retry(start = "100ms")]
async fn greet(channel: &Channel, name: &str) -> Result<String, Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    let (request, path) = (Request::new(name.to_owned()), "/greeter/greet".parse().expect("a valid path"));
    Ok(client.unary(request, path, ProstCodec::<_, String>::default()).await?.into_inner())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    retry_examples::print_logs();
    let url = serve().await?;
    let channel = Endpoint::from_shared(url)?.connect().await?;

    println!("result: {}", greet(&channel, "you").await?);
    println!("result: {:?}", greet(&channel, "unknown").await.unwrap_err().code());
    Ok(())
}

/// Starts a server that first is unavailable (14), then says hello, and then returns not found (5).
async fn serve() -> io::Result<String> {
    retry_examples::serve(|number, _| async move {
        match number {
            1 => trailers(&[("grpc-status", "14"), ("grpc-retry-pushback-ms", "500")]).into_response(),
            2 => hello().into_response(),
            _ => trailers(&[("grpc-status", "5")]).into_response(),
        }
    })
    .await
}

fn trailers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let grpc = [("content-type", "application/grpc")];
    let pairs = grpc.iter().chain(pairs);
    pairs.map(|(name, value)| (name.parse().expect("a valid name"), HeaderValue::from_static(value))).collect()
}

/// A response with one message and the status 0.
fn hello() -> Response {
    let message = "hello".to_owned().encode_to_vec();
    let mut frame = vec![0; 4];
    frame.push(message.len() as u8);
    frame.extend(message);
    let end = async { Some(Ok(HeaderMap::from_iter([("grpc-status".parse().expect("a valid name"), 0.into())]))) };
    let body = Full::new(Bytes::from(frame)).with_trailers(end);
    ([("content-type", "application/grpc")], Body::new(body)).into_response()
}
