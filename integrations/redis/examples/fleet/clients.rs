//! The client processes of one scenario, and what they have reported.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::client::{Arguments, Totals};

pub(crate) struct Clients {
    processes: Vec<Child>,
    readers: Vec<JoinHandle<()>>,
    reports: Vec<Arc<Mutex<Vec<Totals>>>>,
}

impl Clients {
    pub(crate) fn start(number: usize, arguments: &Arguments) -> Self {
        let mut clients = Self { processes: Vec::new(), readers: Vec::new(), reports: Vec::new() };
        for _ in 0..number {
            clients.spawn(arguments);
        }
        clients
    }

    fn spawn(&mut self, arguments: &Arguments) {
        let program = std::env::current_exe().expect("this program");
        let mut process = Command::new(program)
            .arg("client")
            .args(arguments.to_strings())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let reports = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&reports);
        self.readers.push(thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                kept.lock().expect("no panic").extend(Totals::parse(&line));
            }
        }));
        self.processes.push(process);
        self.reports.push(reports);
    }

    pub(crate) fn process(&self, place: usize) -> u32 {
        self.processes[place].id()
    }

    pub(crate) fn kill(&mut self, place: usize) {
        self.processes[place].kill().expect("the process exists");
    }

    /// Waits until all of them have ended.
    pub(crate) fn join(&mut self) {
        for process in &mut self.processes {
            process.wait().expect("the process exists");
        }
        for reader in self.readers.drain(..) {
            reader.join().expect("the reader does not panic");
        }
    }

    /// The sum of the last reports before this time, in milliseconds from the start.
    pub(crate) fn until(&self, at: u64) -> Totals {
        let mut sum = Totals { at, ..Totals::default() };
        for reports in &self.reports {
            let reports = reports.lock().expect("no panic");
            let Some(last) = reports.iter().rev().find(|report| report.at <= at) else { continue };
            sum.calls += last.calls;
            sum.attempts += last.attempts;
            sum.leased += last.leased;
            sum.credited += last.credited;
            sum.failures += last.failures;
        }
        sum
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
