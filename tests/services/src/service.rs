//! A service, without its protocol: it works, and calls the next service of the chain.

use std::net::Ipv4Addr;

use futures_util::StreamExt;
use futures_util::future::try_join;
use futures_util::stream::unfold;
use retry_runtime::Deadline;
use tokio::net::TcpListener;

use crate::call::{Caller, Replies};
use crate::events::{Working, report};
use crate::work::{BoxError, Chunks, hang, poll};
use crate::{Protocol, Settings, grpc, http};

/// A service that handles requests of either protocol.
#[derive(Clone, Debug)]
pub struct Service {
    next: Option<Caller>,
}

/// Runs a service on a free port, which it reports.
///
/// # Errors
///
/// Returns an error if no port is free, or if the URL of the next service is invalid.
pub async fn serve(Settings { protocol, coordinated, next }: Settings) -> Result<(), BoxError> {
    let next = next.map(|url| Caller::new(protocol, &url, coordinated)).transpose()?;
    let service = Service { next };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    report("port", &listener.local_addr()?.port().to_string());
    match protocol {
        Protocol::Http => http::serve(listener, service, coordinated).await,
        Protocol::Grpc => grpc::serve(listener, service, coordinated).await,
    }
}

impl Service {
    pub(crate) async fn call(&self, method: &str, name: &str) -> Result<(), BoxError> {
        match method {
            "fail" => self.fail(name).await,
            "work" => self.work(method, name).await,
            "spawned" => self.spawned(name).await,
            _ => Err(format!("no method `{method}`").into()),
        }
    }

    /// Calls the next service. The last service always fails.
    async fn fail(&self, name: &str) -> Result<(), BoxError> {
        report("called", name);
        match &self.next {
            Some(next) => next.call("fail", name).await,
            None => Err("not available".into()),
        }
    }

    /// Works, and calls the next service at the same time. The last service hangs.
    async fn work(&self, method: &str, name: &str) -> Result<(), BoxError> {
        let _working = Working::on(name);
        match &self.next {
            Some(next) => try_join(poll(), next.call(method, name)).await.map(drop),
            None => hang().await,
        }
    }

    /// Works in its own task, which continues when the client disconnects. It takes the deadline along, if there is one.
    async fn spawned(&self, name: &str) -> Result<(), BoxError> {
        let (service, name) = (self.clone(), name.to_owned());
        let work = async move { service.work("spawned", &name).await };
        tokio::spawn(Deadline::inherit(work)).await?
    }

    /// Streams chunks, one for each chunk of the next service. The last service ends its stream.
    pub(crate) async fn stream(&self, name: &str) -> Result<Replies, BoxError> {
        let working = Working::on(name);
        let replies = match &self.next {
            Some(next) => Some(next.stream(name).await?),
            None => None,
        };
        let next = async |(mut chunks, mut replies, working): (Chunks, Option<Replies>, Working)| {
            let mut chunk = chunks.next().await?;
            if let (Ok(()), Some(replies)) = (&chunk, &mut replies) {
                chunk = replies.next().await?;
            }
            Some((chunk, (chunks, replies, working)))
        };
        Ok(unfold((Chunks::new(), replies, working), next).boxed())
    }
}
