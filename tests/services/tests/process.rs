//! Processes of the binary `service`, and their reports.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use retry_services::Protocol;

/// The longest that a test waits for a report.
const PATIENCE: Duration = Duration::from_secs(20);

/// A line on the standard output of a service.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) event: String,
    pub(crate) name: String,
    /// Microseconds since 1970.
    pub(crate) at: u64,
}

impl Report {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        Some(Self { event: words.next()?, name: words.next()?, at: words.next()?.parse().ok()? })
    }
}

/// A running service. It ends when its standard input ends, so also when this process is killed.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    input: Option<ChildStdin>,
    reports: Receiver<Report>,
    pub(crate) url: String,
}

impl Process {
    fn start(protocol: Protocol, coordinated: bool, next: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.arg(protocol.to_string()).args(coordinated.then_some("--coordinated"));
        command.args(next.map(|url| ["--next", url]).into_iter().flatten());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the service starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, reports) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let report = Report::parse(&line).unwrap_or_else(|| panic!("no report: {line}"));
                if sender.send(report).is_err() {
                    return;
                }
            }
        });
        let mut process = Self { input: child.stdin.take(), child, reports, url: String::new() };
        let port = process.report().expect("the service reports its port").name;
        process.url = format!("http://127.0.0.1:{port}");
        process
    }

    /// Waits for the next report. `None` when the process has ended.
    pub(crate) fn report(&self) -> Option<Report> {
        match self.reports.recv_timeout(PATIENCE) {
            Ok(report) => Some(report),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no report of {} within {PATIENCE:?}", self.url),
        }
    }

    /// Ends the process, and returns its reports that are still unread.
    fn end(&mut self) -> Vec<Report> {
        self.input = None;
        let end = Instant::now() + PATIENCE;
        let reports = std::iter::from_fn(|| self.report().filter(|_| Instant::now() < end)).collect();
        drop(self.child.wait());
        reports
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Three services in a chain: each calls the next one.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) services: [Process; 3],
}

impl Chain {
    pub(crate) fn start(protocol: Protocol, coordinated: bool) -> Self {
        let third = Process::start(protocol, coordinated, None);
        let second = Process::start(protocol, coordinated, Some(&third.url));
        let first = Process::start(protocol, coordinated, Some(&second.url));
        Self { services: [first, second, third] }
    }

    /// The URL of the first service.
    pub(crate) fn url(&self) -> &str {
        &self.services[0].url
    }

    /// Ends the services, and returns the number of calls that each one has received.
    pub(crate) fn calls(mut self) -> [usize; 3] {
        let calls = |reports: Vec<Report>| reports.iter().filter(|report| report.event == "called").count();
        self.services.each_mut().map(|service| calls(service.end()))
    }
}
