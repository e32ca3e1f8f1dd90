//! What do retries do to a server that fails, and what does a budget change?
//!
//! Simulates it in virtual time, with the library's own policies and budgets. Prints the figures, and draws them on a page,
//! `target/storm.html` or where the first argument says. With `--guide` it draws the pictures of the guide instead.
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
    println!("drawn in {}", path.display());
    Ok(())
}
