//! What do retries do to a server that fails, and what does a budget change?
//!
//! Simulates it in virtual time, with the library's own policies and budgets. Prints the figures, and draws them on a page,
//! `target/storm.html` or where the first argument says.
//!
//! `cargo run --release --example storm`

use std::path::PathBuf;
use std::{env, fs, io};

use retry_examples::storm::{CHAPTERS, page};

fn main() -> io::Result<()> {
    let path = env::args_os().nth(1).map_or_else(|| PathBuf::from("target/storm.html"), PathBuf::from);
    let mut chapters = Vec::new();
    for chapter in CHAPTERS {
        let chapter = chapter();
        println!("{}\n\n{}", chapter.title, chapter.table);
        chapters.push(chapter);
    }
    fs::write(&path, page(&chapters))?;
    println!("drawn in {}", path.display());
    Ok(())
}
