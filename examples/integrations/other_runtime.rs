//! Other async runtimes: running without tokio.
//!
//! Pass a function that sleeps. This example uses the timer of `async-io`, which smol is built on.
//!
//! `cargo run -p retry-examples-integrations --example other_runtime`

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use async_io::{Async, Timer};
use retry_runtime::retry;

async fn sleep(delay: Duration) {
    Timer::after(delay).await;
}

/// The sleep function also implements the attempt timeout.
#[retry(backoff = "fixed", start = "100ms", attempt_timeout = "2s", sleep = sleep)]
async fn greeting(address: SocketAddr) -> io::Result<String> {
    let stream = Async::<TcpStream>::connect(address).await?;
    let mut greeting = [0; 5];
    stream.read_with(|mut stream| io::Read::read_exact(&mut stream, &mut greeting)).await?;
    Ok(String::from_utf8_lossy(&greeting).into_owned())
}

/// Starts a server that closes the first two connections.
fn start_server() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        drop(listener.accept()?);
        drop(listener.accept()?);
        listener.accept()?.0.write_all(b"hello")
    });
    Ok(address)
}

fn main() -> io::Result<()> {
    retry_examples::print_logs();
    let address = start_server()?;

    println!("result: {}", async_io::block_on(greeting(address))?);
    Ok(())
}
