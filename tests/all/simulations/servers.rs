//! The scripted HTTP server for tests.

use std::time::Duration;

use retry_runtime::http::SendWithRetry;
use retry_runtime::testing::{Reply, Server, simulate};
use tokio::time::timeout;

use super::{POLICY, fetch};
use crate::support::server::client;
use crate::support::{SECOND, timed};

#[tokio::test(start_paused = true)]
async fn server_and_simulation_work_together() {
    let server = Server::start([503, 503, 200]);
    let (outcome, simulation) = simulate(fetch(&client(), server.url())).await;
    assert_eq!((outcome.unwrap(), server.hits(), server.connections()), (200, 3, 1));
    simulation.assert_delays([SECOND, SECOND * 2]);
}

#[tokio::test(start_paused = true)]
async fn requests_are_recorded() {
    let server = Server::start([Reply::status(503).header("retry-after", "7").body("busy"), Reply::ok("hello")]);
    let url = format!("{}/path?query=1", server.url());
    let request = client().put(url).header("x-header", "value").body("x".repeat(100_000));
    let (response, simulation) = simulate(request.send_with_retry(&POLICY)).await;
    assert_eq!(response.unwrap().text().await.unwrap(), "hello");
    simulation.assert_delays([SECOND * 7]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert_eq!((request.method().as_str(), request.uri().to_string()), ("PUT", "/path?query=1".to_owned()));
        assert_eq!((&request.headers()["x-header"], request.body().len()), (&"value".parse().unwrap(), 100_000));
    }
}

#[tokio::test(start_paused = true)]
async fn last_reply_is_repeated() {
    let server = Server::start([500, 204]);
    let statuses = async || client().get(server.url()).send().await.unwrap().status().as_u16();
    assert_eq!([statuses().await, statuses().await, statuses().await], [500, 204, 204]);
}

#[tokio::test(start_paused = true)]
async fn replies_may_break_the_connection() {
    let get = async |reply| {
        let server = Server::start([reply]);
        client().get(server.url()).send().await.map(drop).unwrap_err()
    };
    assert!(format!("{:?}", get(Reply::hang_up()).await).contains("IncompleteMessage"));
    assert!(format!("{:?}", get(Reply::reset()).await).contains("ConnectionReset"));
    let server = Server::start([Reply::lost("some")]);
    let response = client().get(server.url()).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(1004)));
    response.text().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn replies_may_be_late_or_never_come() {
    for (reply, took, in_time) in [
        (Reply::ok(""), Duration::ZERO, true),
        (Reply::ok("").after(SECOND * 2), SECOND * 2, true),
        (Reply::never(), SECOND * 9, false),
    ] {
        let server = Server::start([reply]);
        let (outcome, elapsed) = timed(timeout(SECOND * 9, client().get(server.url()).send())).await;
        assert_eq!((outcome.is_ok(), elapsed), (in_time, took));
    }
}

#[tokio::test(start_paused = true)]
async fn dropped_or_refusing_server_refuses_connections() {
    let server = Server::start([200]);
    let (client, url) = (client(), server.url().to_owned());
    client.get(&url).send().await.unwrap();
    drop(server);
    for _ in 0..2 {
        assert!(client.get(&url).send().await.is_err());
    }
    let refusing = Server::refusing();
    let (error, simulation) = simulate(fetch(&client, refusing.url())).await;
    assert!(error.unwrap_err().is_connect());
    assert_eq!((refusing.hits(), simulation.attempts()), (0, 3));
}

#[test]
fn server_runs_in_a_thread_for_blocking_code() {
    use std::io::{Read, Write};
    let server = Server::start([Reply::status(503), Reply::ok("hello")]);
    let address = server.url().strip_prefix("http://").unwrap().to_owned();
    let response = |_: u32| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    };
    assert!(response(1).starts_with("HTTP/1.1 503 "));
    assert!(response(2).ends_with("\r\n\r\nhello"));
    assert_eq!(server.hits(), 2);
    drop(server);
    std::net::TcpStream::connect(&address).unwrap_err();
}

#[test]
#[should_panic = "a server needs at least one reply"]
fn server_without_replies_panics() {
    let _ = Server::start([0_u16; 0]);
}

#[test]
#[should_panic = "a status is a number from 100 to 999"]
fn invalid_status_panics() {
    let _ = Server::start([99]);
}
