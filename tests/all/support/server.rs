//! A real HTTP server with scripted replies.
//!
//! It runs in the runtime of the test, on the same paused clock. That clock advances only while all tasks wait and a timer is
//! set. No timer is set while an attempt waits for the server, because [`client`] has no timers of its own. So if a request
//! arrives exactly one second after the previous one, the retry loop slept for one second.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

/// Builds a client that uses no proxy, and keeps idle connections without a timer.
pub(crate) fn client_builder() -> ClientBuilder {
    Client::builder().no_proxy().pool_idle_timeout(None)
}

/// A client that uses no proxy, and keeps idle connections without a timer.
pub(crate) fn client() -> Client {
    client_builder().build().unwrap()
}

/// One reply.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: String,
    /// The time before the reply.
    late: Duration,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Whole(&'static str),
    /// A number of chunks of 1000 bytes, at this interval.
    Pieces(u32, Duration),
    /// Announces a longer body than this, and closes the connection.
    Lost(&'static str),
    /// Closes the connection without a response.
    Nothing,
    /// Never responds.
    Silence,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: String::new(), late: Duration::ZERO, body: Body::Whole("") }
    }

    pub(crate) fn json(body: &'static str) -> Self {
        Self { body: Body::Whole(body), ..Self::status(200) }.header("content-type", "application/json")
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { headers: format!("{}{name}: {value}\r\n", self.headers), ..self }
    }

    pub(crate) fn retry_after(self, value: &str) -> Self {
        self.header("retry-after", value)
    }

    /// Replaces `from` by `to` in the headers.
    pub(crate) fn with(&self, from: &str, to: &str) -> Self {
        Self { headers: self.headers.replace(from, to), ..self.clone() }
    }

    /// Delays the reply.
    pub(crate) fn late(self, late: Duration) -> Self {
        Self { late, ..self }
    }

    pub(crate) fn pieces(self, count: u32, every: Duration) -> Self {
        Self { body: Body::Pieces(count, every), ..self }
    }

    pub(crate) fn lost(body: &'static str) -> Self {
        Self { body: Body::Lost(body), ..Self::status(200) }
    }

    pub(crate) fn nothing() -> Self {
        Self { body: Body::Nothing, ..Self::status(200) }
    }

    pub(crate) fn silence() -> Self {
        Self { body: Body::Silence, ..Self::status(200) }
    }

    /// Writes the reply. Returns whether the connection can be reused.
    async fn write(&self, stream: &mut TcpStream) -> io::Result<bool> {
        if self.late > Duration::ZERO {
            sleep(self.late).await;
        }
        let length = match self.body {
            Body::Whole(text) => text.len(),
            Body::Pieces(count, _) => 1000 * count as usize,
            Body::Lost(text) => text.len() + 1000,
            Body::Nothing => return Ok(false),
            Body::Silence => std::future::pending().await,
        };
        let head = format!("HTTP/1.1 {} -\r\n{}content-length: {length}\r\n\r\n", self.status, self.headers);
        stream.write_all(head.as_bytes()).await?;
        match self.body {
            Body::Whole(text) | Body::Lost(text) => stream.write_all(text.as_bytes()).await?,
            Body::Pieces(count, every) => {
                for _ in 0..count {
                    sleep(every).await;
                    stream.write_all(&[b'x'; 1000]).await?;
                }
            }
            Body::Nothing | Body::Silence => {}
        }
        Ok(!matches!(self.body, Body::Lost(_)))
    }
}

/// A server that sends the replies one after the other, and repeats the last one.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) url: String,
    log: Arc<Log>,
}

#[derive(Debug)]
struct Log {
    replies: Vec<Reply>,
    connections: Mutex<u32>,
    requests: Mutex<Vec<Request>>,
}

#[derive(Debug)]
struct Request {
    /// The position among the requests to all servers.
    order: u64,
    at: Instant,
    head: String,
    body: String,
}

impl Server {
    pub(crate) async fn start(replies: impl Into<Vec<Reply>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let log = Arc::new(Log { replies: replies.into(), connections: Mutex::default(), requests: Mutex::default() });
        tokio::spawn(accept(listener, log.clone()));
        Self { url, log }
    }

    pub(crate) async fn statuses<const N: usize>(statuses: [u16; N]) -> Self {
        Self::start(statuses.map(Reply::status)).await
    }

    pub(crate) fn connections(&self) -> u32 {
        *self.log.connections.lock().unwrap()
    }

    pub(crate) fn requests(&self) -> usize {
        self.log.requests.lock().unwrap().len()
    }

    /// The time from each request to the next.
    pub(crate) fn delays(&self) -> Vec<Duration> {
        self.log.requests.lock().unwrap().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
    }

    /// The bodies of the requests.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.log.requests.lock().unwrap().iter().map(|request| request.body.clone()).collect()
    }

    /// Method and target of each request, with its position among the requests to all servers.
    pub(crate) fn lines(&self) -> Vec<(u64, String)> {
        let requests = self.log.requests.lock().unwrap();
        let line = |request: &Request| request.head.split_once(" HTTP/").unwrap().0.to_owned();
        requests.iter().map(|request| (request.order, line(request))).collect()
    }

    /// The request lines and headers of the requests.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.log.requests.lock().unwrap().iter().map(|request| request.head.clone()).collect()
    }
}

/// A URL that refuses connections.
pub(crate) async fn refused() -> String {
    // The socket does not listen, and is never closed. So no other server can get the port while the tests run.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    std::mem::forget(socket);
    url
}

async fn accept(listener: TcpListener, log: Arc<Log>) {
    while let Ok((stream, _)) = listener.accept().await {
        // With Nagle's algorithm, bodies would arrive 40 ms late.
        stream.set_nodelay(true).unwrap();
        *log.connections.lock().unwrap() += 1;
        tokio::spawn(serve(stream, log.clone()));
    }
}

/// Serves one connection. An error means that the client closed it.
async fn serve(mut stream: TcpStream, log: Arc<Log>) -> io::Result<()> {
    while let Some(request) = read(&mut stream).await? {
        let number = {
            let mut requests = log.requests.lock().unwrap();
            requests.push(request);
            requests.len()
        };
        let reply = &log.replies[number.min(log.replies.len()) - 1];
        if !reply.write(&mut stream).await? {
            break;
        }
    }
    Ok(())
}

/// Reads the next request.
async fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(None);
        }
        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                static ORDER: AtomicU64 = AtomicU64::new(0);
                let order = ORDER.fetch_add(1, Ordering::Relaxed);
                let (head, body) = (head.to_owned(), body.to_owned());
                return Ok(Some(Request { order, at: Instant::now(), head, body }));
            }
        }
    }
}
