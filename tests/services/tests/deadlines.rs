//! The time at which each of three services stops working for a caller that has given up after one second.
//!
//! Each service gives itself four seconds. Two ways of giving up are compared. A caller that *leaves* closes its connection
//! or resets its stream, and hyper then drops the handler. A caller that *stays* keeps the connection open, as some
//! proxies do, or has stopped waiting without cancelling the call.
//! tonic's client and server end a unary call themselves at the deadline that its request carries, but neither a stream nor a spawned
//! task.

use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use retry_services::{Caller, Protocol, events};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

use crate::process::{Chain, Process};

const DEADLINE: Duration = Duration::from_secs(1);

/// A request of the caller.
#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    method: &'static str,
    stays: bool,
    /// True if a disconnect is enough to end the work.
    ends_by_itself: bool,
}

const ROWS: &[Row] = &[
    Row { name: "awaited, caller leaves", method: "work", stays: false, ends_by_itself: true },
    Row { name: "awaited, caller stays", method: "work", stays: true, ends_by_itself: false },
    Row { name: "spawned, caller leaves", method: "spawned", stays: false, ends_by_itself: false },
    Row { name: "streamed, caller leaves", method: "stream", stays: false, ends_by_itself: true },
    Row { name: "streamed, caller stays", method: "stream", stays: true, ends_by_itself: false },
];

impl Row {
    /// The name in the reports, which has no spaces.
    fn id(self) -> String {
        self.name.replace(' ', "-")
    }

    /// Makes the request. Returns when the caller has given up.
    async fn send(self, caller: Caller) {
        let id = self.id();
        if self.stays {
            tokio::spawn(async move { caller.stay(DEADLINE, self.method, &id).await });
            sleep(DEADLINE).await;
        } else if self.method == "stream" {
            let caller = caller.deadline(DEADLINE);
            let read = async {
                let mut replies = caller.stream(&id).await.unwrap();
                while let Some(Ok(())) = replies.next().await {}
            };
            drop(timeout(DEADLINE, read).await);
        } else {
            drop(caller.deadline(DEADLINE).call(self.method, &id).await);
        }
    }
}

/// For each row, when each service stopped, in seconds since the requests were sent.
fn stops(protocol: Protocol, coordinated: bool, rows: &[Row]) -> Vec<[f64; 3]> {
    let chain = Chain::start(protocol, coordinated);
    let runtime = Runtime::new().unwrap();
    let sent = events::now();
    runtime.block_on(async {
        let caller = Caller::new(protocol, chain.url(), coordinated).unwrap();
        let tasks: Vec<_> = rows.iter().map(|row| tokio::spawn(row.send(caller.clone()))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    let stopped = chain.services.each_ref().map(|service| stopped(service, rows));
    let since = |at: u64| at.saturating_sub(sent) as f64 / 1e6;
    (0..rows.len()).map(|row| stopped.each_ref().map(|at| since(at[row]))).collect()
}

/// Waits until a service has stopped working for each of the rows. Returns when that was.
fn stopped(service: &Process, rows: &[Row]) -> Vec<u64> {
    let ids: Vec<_> = rows.iter().map(|row| row.id()).collect();
    let (mut running, mut stopped) = (vec![0; rows.len()], vec![0; rows.len()]);
    while running.iter().any(|running| *running > 0) || stopped.contains(&0) {
        let report = service.report().expect("the service runs");
        let row = ids.iter().position(|id| *id == report.name).expect("the name of a row");
        match report.event.as_str() {
            "started" => running[row] += 1,
            "stopped" => {
                running[row] -= 1;
                stopped[row] = report.at;
            }
            _ => {}
        }
    }
    stopped
}

/// Measures the rows without and with coordination at the same time, prints the table, and checks it.
fn compare(protocol: Protocol, rows: &[Row]) {
    let (without, with) = thread::scope(|scope| {
        let without = scope.spawn(|| stops(protocol, false, rows));
        let with = stops(protocol, true, rows);
        (without.join().unwrap(), with)
    });
    let line = |stops: &[f64; 3]| stops.map(|stop| format!("{stop:5.2}")).join(" ");
    let mut table = format!("{protocol}: seconds until the three services stop    without               with\n");
    for ((row, without), with) in rows.iter().zip(&without).zip(&with) {
        table += &format!("    {:<40} {}     {}\n", row.name, line(without), line(with));
    }
    println!("{table}");
    for ((row, without), with) in rows.iter().zip(&without).zip(&with) {
        let expected = if row.ends_by_itself { 0.9..1.5 } else { 3.0..8.0 };
        assert!(without.iter().all(|stop| expected.contains(stop)), "without: {row:?}: {without:?}");
        assert!(with.iter().all(|stop| (0.9..1.5).contains(stop)), "with: {row:?}: {with:?}");
    }
}

#[test]
fn http_services_stop_at_the_deadline_of_the_caller() {
    compare(Protocol::Http, ROWS);
}

#[test]
fn grpc_services_stop_at_the_deadline_of_the_caller() {
    compare(Protocol::Grpc, ROWS);
}
