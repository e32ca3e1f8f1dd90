//! Simulates the load that retries cause on a failing server, and the effect of a budget.
//!
//! The simulation runs in virtual time, with the library's own policies and budgets. It prints the figures and writes the
//! charts to an HTML page, `target/storm.html` or the path in the first argument. With `--guide` it draws the charts of the
//! guide instead.
//!
//! `cargo run --release -p retry-storm`

use std::path::PathBuf;
use std::{env, fs, io};

use retry_storm::{CHAPTERS, page, write_guide};

fn main() -> io::Result<()> {
    let argument = env::args_os().nth(1);
    let mut chapters = Vec::new();
    for chapter in CHAPTERS {
        let chapter = chapter();
        println!("{}\n\n{}", chapter.title, chapter.table);
        chapters.push(chapter);
    }
    if argument.as_deref() == Some("--guide".as_ref()) {
        return write_guide(&chapters);
    }
    let path = argument.map_or_else(|| PathBuf::from("target/storm.html"), PathBuf::from);
    fs::write(&path, page(&chapters))?;
    println!("charts written to {}", path.display());
    Ok(())
}
