//! Charts of the guide: plots of the chapters as self-contained images.
//!
//! rustdoc does not copy files, so each image is a data URL. The URLs of a page are in a separate file, which rustdoc reads
//! after the page, so that the page itself stays readable.

use std::fmt::Write;
use std::path::PathBuf;
use std::{fs, io};

use super::chapter::Chapter;
use super::drawing;

/// A plot that the guide shows.
struct Picture {
    /// The page that shows it.
    page: &'static str,
    /// The name of the image in the page.
    name: &'static str,
    source: Source,
}

/// The origin of a picture.
enum Source {
    /// The plot with this title.
    Plot(&'static str),
    Drawing(fn() -> String),
}

/// The first line of the file. It ends the last paragraph of the page, which a link definition alone would not do.
const HEAD: &str = "<!-- Drawn by `cargo run --release -p retry-storm -- --guide`. -->";

const PAGES: [&str; 3] = ["schedule", "load", "services"];

const PICTURES: [Picture; 8] = [
    Picture::new("schedule", "delays", "Delay before each retry, start 100 ms"),
    Picture::new("schedule", "herd", "Retries of 1000 clients that failed at 0"),
    Picture::new("schedule", "contention-calls", "Calls until all have written"),
    Picture::new("schedule", "contention-time", "Time until all have written"),
    Picture::new("load", "outage", "Requests during an outage"),
    Picture::new("load", "freeze", "Goodput at 85 % utilization"),
    Picture::new("load", "fleets", "Load in the first ten seconds of an outage"),
    Picture { page: "services", name: "chain", source: Source::Drawing(drawing::chain) },
];

impl Picture {
    const fn new(page: &'static str, name: &'static str, plot: &'static str) -> Self {
        Self { page, name, source: Source::Plot(plot) }
    }

    /// Returns the link definition for the image of this name in the page.
    fn link(&self, chapters: &[Chapter]) -> String {
        let svg = match self.source {
            Source::Plot(title) => {
                let mut plots = chapters.iter().flat_map(|chapter| &chapter.plots);
                let plot = plots.find(|plot| plot.title == title);
                plot.unwrap_or_else(|| panic!("no plot has the title `{title}`")).image()
            }
            Source::Drawing(draw) => draw(),
        };
        format!("[{}]: data:image/svg+xml,{}\n", self.name, percent_encode(&svg))
    }
}

fn percent_encode(svg: &str) -> String {
    let mut link = String::new();
    for byte in svg.replace('"', "'").split_inclusive('\n').flat_map(|line| line.trim().bytes()) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'\'' | b'=' | b'/' | b':' | b';' | b',' | b'.' | b'-' => {
                link.push(byte.into());
            }
            _ => {
                let _ = write!(link, "%{byte:02X}");
            }
        }
    }
    link
}

fn directory() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../retry-runtime/src/guide"))
}

/// Writes the charts of the guide.
///
/// # Errors
///
/// Returns an error if a file cannot be written.
///
/// # Panics
///
/// Panics if the chapters do not contain one of the plots.
pub fn write_guide(chapters: &[Chapter]) -> io::Result<()> {
    for page in PAGES {
        let links: String = PICTURES.iter().filter(|picture| picture.page == page).map(|p| p.link(chapters)).collect();
        fs::write(directory().join(format!("{page}.pictures.md")), format!("{HEAD}\n{links}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> String {
        fs::read_to_string(directory().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[test]
    fn each_picture_exists_and_is_shown_and_is_small() {
        for Picture { page, name, .. } in &PICTURES {
            let links = read(&format!("{page}.pictures.md"));
            let link = links.lines().find_map(|line| line.strip_prefix(&format!("[{name}]: ")));
            let size =
                link.unwrap_or_else(|| panic!("`cargo run --release -p retry-storm -- --guide` draws {name}")).len();
            assert!((1000..40_000).contains(&size), "{name} has {size} bytes");
            assert!(read(&format!("{page}.md")).contains(&format!("][{name}]")), "{page}.md does not show {name}");
        }
    }

    #[test]
    fn percent_encode_escapes_characters_that_end_a_link() {
        assert_eq!(percent_encode("<a b=\"#\">\n</a>"), "%3Ca%20b='%23'%3E%3C/a%3E");
    }
}
