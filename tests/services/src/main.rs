//! One service of a chain: `service http|grpc [--coordinated] [--next URL]`. It listens on a free port, which it writes to
//! its standard output, and ends when its standard input ends: no service outlives the test that started it.

use std::io::{self, Read};
use std::process::{ExitCode, exit};
use std::thread;

use retry_services::{Settings, serve};

fn main() -> ExitCode {
    let settings = match Settings::from_arguments(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(message) => {
            eprintln!("service: {message}");
            return ExitCode::from(2);
        }
    };
    thread::spawn(|| {
        drop(io::stdin().read_to_end(&mut Vec::new()));
        exit(0);
    });
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("service: {error}");
            ExitCode::FAILURE
        }
    }
}

// Two threads, so that tasks move from one to the other, as those of a real service do.
#[tokio::main(worker_threads = 2)]
async fn run(settings: Settings) -> Result<(), retry_services::BoxError> {
    serve(settings).await
}
