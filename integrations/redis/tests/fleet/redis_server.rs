//! A Redis server on a free port of the loopback device.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Client, Connection};

pub(crate) struct RedisServer {
    port: u16,
    directory: PathBuf,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server, whose files are in this directory.
    pub(crate) fn start(directory: PathBuf) -> Self {
        std::fs::create_dir_all(&directory).unwrap();
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self { port, directory: directory.clone(), process: None };
            // Another program may take the port first.
            if server.restart() {
                return server;
            }
        }
        panic!("redis-server does not start: see {}", directory.join("log").display());
    }

    /// Starts the server again, on the same port. Returns false if it ends at once.
    pub(crate) fn restart(&mut self) -> bool {
        let log = std::fs::File::options().create(true).append(true).open(self.directory.join("log")).unwrap();
        let mut process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(&self.directory)
            // Read by `run`, which ends servers that a failed test leaves behind.
            .arg("--pidfile")
            .arg(self.directory.join("pid"))
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_secs(10);
        let is_up = loop {
            if process.try_wait().unwrap().is_some() || Instant::now() > until {
                break false;
            }
            if self.client().get_connection().is_ok_and(|mut one| redis::cmd("PING").exec(&mut one).is_ok()) {
                break true;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.process = Some(process);
        is_up
    }

    pub(crate) fn address(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn client(&self) -> Client {
        Client::open(self.address()).unwrap()
    }

    pub(crate) fn connection(&self) -> Connection {
        self.client().get_connection().unwrap()
    }

    /// Kills the server with SIGKILL, so that it loses all keys.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(name, self.process.as_ref().unwrap());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
        let _ = std::fs::remove_file(self.directory.join("pid"));
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, process: &Child) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(process.id().to_string()).status().unwrap();
    assert!(status.success(), "kill -{name}");
}

/// Returns true if this machine has a `redis-server`.
pub(crate) fn is_installed() -> bool {
    Command::new("redis-server").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// The directory of a fleet.
pub(crate) fn directory(root: &Path, name: &str) -> PathBuf {
    root.join(name.replace([' ', ',', '%'], "-"))
}
