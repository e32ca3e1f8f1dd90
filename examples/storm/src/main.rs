//! Simulates the load that retries cause on a failing server, and the effect of a budget.
//!
//! The simulation runs in virtual time, with the library's own policies and budgets. It prints the figures and writes the
//! charts to an HTML page, `target/storm.html` or the path in the first argument. With `--guide` it draws the charts of the
//! guide instead.
//!
//! `cargo run --release -p retry-storm`

use std::path::PathBuf;
use std::{env, fs, io, thread};

use retry_storm::{CHAPTERS, Chapter, page, write_guide};

fn main() -> io::Result<()> {
    let argument = env::args_os().nth(1);
    // Each simulation has its own thread, with its own clock and random numbers.
    let chapters: Vec<Chapter> = thread::scope(|scope| {
        let threads = CHAPTERS.map(|chapter| scope.spawn(chapter));
        threads.into_iter().map(|thread| thread.join().expect("a simulation does not panic")).collect()
    });
    for chapter in &chapters {
        println!("{}\n", chapter.title);
        chapter.tables.iter().for_each(|table| println!("{table}"));
    }
    if argument.as_deref() == Some("--guide".as_ref()) {
        return write_guide(&chapters);
    }
    let path = argument.map_or_else(|| PathBuf::from("target/storm.html"), PathBuf::from);
    fs::write(&path, page(&chapters))?;
    println!("charts written to {}", path.display());
    Ok(())
}
