//! Blocking functions: `blocking` on a plain `fn` sleeps on the thread.
//!
//! In this example, a database is not ready yet when the program starts.
//!
//! `cargo run -p retry-examples --example blocking`

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use retry_runtime::retry;

#[retry(blocking, attempts = 10, backoff = "fixed", start = "100ms", deadline = "5s")]
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address)
}

/// Starts a server that begins to listen after 250 ms.
fn start_database() -> io::Result<SocketAddr> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(250));
        TcpListener::bind(address)?.accept()
    });
    Ok(address)
}

fn main() -> io::Result<()> {
    retry_examples::print_logs();
    let address = start_database()?;

    let connection = connect(address)?;
    println!("connected: {}", connection.peer_addr()? == address);
    Ok(())
}
