//! A Redis server on loopback, which the test starts, stops and kills.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

pub(crate) struct Server {
    port: u16,
    process: Child,
}

impl Server {
    /// Starts a server on a free port, and waits until it answers.
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let server = Self { port, process: spawn(port) };
        server.wait();
        server
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server, as a crash would. It has no file of its data.
    pub(crate) fn kill(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("the server's process exists");
    }

    pub(crate) fn restart(&mut self) {
        self.process = spawn(self.port);
        self.wait();
    }

    pub(crate) fn signal(&self, signal: &str) {
        send_signal(signal, self.process.id());
    }

    fn wait(&self) {
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        panic!("redis-server does not listen");
    }

    /// Sends a command, and returns the first line of its answer.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server listens");
        let mut text = format!("*{}\r\n", words.len());
        for word in words {
            text += &format!("${}\r\n{word}\r\n", word.len());
        }
        stream.write_all(text.as_bytes()).expect("the server reads");
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().expect("an answer").expect("text");
        // The value of a `GET` or `INFO` follows its length.
        if first.starts_with('$') && first != "$-1" {
            let length: usize = first[1..].parse().expect("a length");
            let mut value = String::new();
            while value.len() < length {
                value += &lines.next().expect("the value").expect("text");
                value += "\r\n";
            }
            return value.trim_end().to_owned();
        }
        first
    }

    /// The tokens in the pool.
    pub(crate) fn pool(&self) -> Option<i64> {
        self.command(&["GET", super::KEY]).parse().ok()
    }

    /// The number of keys that the server has dropped for lack of memory.
    pub(crate) fn evicted(&self) -> u64 {
        let info = self.command(&["INFO", "stats"]);
        let line = info.lines().find_map(|line| line.strip_prefix("evicted_keys:"));
        line.and_then(|count| count.trim().parse().ok()).expect("a number of evicted keys")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(port: u16) -> Child {
    Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}

pub(crate) fn send_signal(signal: &str, process: u32) {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status();
    assert!(sent.is_ok_and(|status| status.success()), "the process exists");
}
