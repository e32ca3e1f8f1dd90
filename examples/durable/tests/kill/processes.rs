//! The processes of the story: their output, and their end.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_retry-durable");

/// Prints what happens, with the time since the beginning.
#[derive(Clone)]
pub(crate) struct Story {
    start: Instant,
}

impl Story {
    pub(crate) fn begin(url: &str) -> Self {
        println!("\n{url}");
        Self { start: Instant::now() }
    }

    pub(crate) fn tell(&self, who: &str, what: &str) {
        println!("{:5.1} s  {who:8}  {what}", self.start.elapsed().as_secs_f64());
    }

    /// Runs a command of the program. Returns the lines that it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<String> {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// Prints the jobs in the database.
    pub(crate) fn jobs(&self, url: &str) -> Vec<String> {
        let jobs = self.run(&["jobs", url]);
        jobs.iter().for_each(|job| self.tell("database", job));
        jobs
    }

    /// Waits until each job has succeeded or been given up, and prints them.
    pub(crate) fn jobs_at_end(&self, url: &str, latest: Instant) -> Vec<String> {
        while self.run(&["jobs", url]).iter().any(|job| !job.contains(" Done,") && !job.contains(" Killed,")) {
            assert!(Instant::now() < latest, "jobs are left: {:?}", self.jobs(url));
            thread::sleep(Duration::from_millis(200));
        }
        self.jobs(url)
    }
}

/// A worker in its own process. Killed when it is dropped, so that a failed test leaves none behind.
pub(crate) struct Worker {
    story: Story,
    name: &'static str,
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start(story: &Story, name: &'static str, arguments: &[&str]) -> Self {
        let mut process = Command::new(PROGRAM).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        story.tell(name, &format!("starts, process {}", process.id()));
        let output = BufReader::new(process.stdout.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (kept, teller) = (lines.clone(), story.clone());
        let reader = thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                teller.tell(name, &line);
                kept.lock().unwrap().push(line);
            }
        });
        Self { story: story.clone(), name, process, lines, reader: Some(reader) }
    }

    /// Waits until the worker prints a line with this text.
    pub(crate) fn wait_for(&self, text: &str) {
        let latest = Instant::now() + Duration::from_secs(20);
        while !self.lines.lock().unwrap().iter().any(|line| line.contains(text)) {
            assert!(Instant::now() < latest, "{} does not print `{text}`", self.name);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the worker with SIGKILL. Returns the lines that it has printed.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.end();
        self.story.tell(self.name, "is killed with SIGKILL");
        self.lines.lock().unwrap().clone()
    }

    fn end(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
            reader.join().unwrap();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}
