//! Completeness of the guide: it links to each public item, and explains each reason to give up.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use retry_runtime::event::GiveUp;
use retry_runtime::retry;
use tokio::time::Instant;

fn source(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../retry-runtime/src")).join(path)
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages a reader starts from: the front page, the chapters, and the page of `http`.
fn pages() -> String {
    let chapters = fs::read_dir(source("guide")).unwrap().map(|entry| entry.unwrap().path());
    chapters.map(read).chain([read(source("http/guide/index.md"))]).collect()
}

/// Blocks of code in these languages.
fn blocks<'a>(markdown: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    markdown.split(&start).skip(1).filter_map(|rest| rest.split_once("```")).map(|(block, _)| block).collect()
}

#[test]
fn front_page_starts_with_the_example_of_the_readme() {
    let (readme, front_page) = (read(source("../../README.md")), read(source("guide/front_page.md")));
    for language in ["toml", "rust,no_run"] {
        assert_eq!(blocks(&front_page, language)[0], blocks(&readme, language)[0]);
    }
}

/// The names that `pub use` exports in this file.
fn exported(file: &str) -> Vec<String> {
    let text = read(source(file));
    let uses = text.split("pub use ").skip(1).filter_map(|rest| rest.split_once(';')).map(|(path, _)| path);
    let names = uses.flat_map(|path| path.rsplit("::").next().unwrap_or_default().trim_matches(['{', '}']).split(','));
    names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn is_linked(pages: &str, name: &str) -> bool {
    let links = [format!("[`{name}`]"), format!("[`{name}!`]"), format!("::{name}")];
    links.iter().chain([&format!("]({name}"), &format!("@{name}")]).any(|link| {
        // A longer name that begins with this one does not count.
        pages.match_indices(link).any(|(at, _)| !pages[at + link.len()..].starts_with(char::is_alphanumeric))
    })
}

/// Types that need no link, because readers find them in signatures.
const IN_SIGNATURES: [&str; 35] = [
    "Async",
    "AttemptContext",
    "AttemptFuture",
    "Blocking",
    "BlockingLimit",
    "ChosenPolicy",
    "Cleanup",
    "CutsOff",
    "DrainBody",
    "FromNotReady",
    "HookFuture",
    "HookResult",
    "IntoRequest",
    "Judge",
    "LimitOfAnyError",
    "LimitTimer",
    "Limited",
    "NoCleanup",
    "NoHook",
    "NotSafe",
    "OnRetry",
    "Operation",
    "OutcomeOf",
    "PauseAfter",
    "ReplaceJudge",
    "ResultLike",
    "RetryError",
    "RetryHook",
    "ScopedOnly",
    "SendingFirstOf",
    "TimeLimit",
    "TimerSlot",
    "Unlimited",
    "Until",
    "When",
];

#[test]
fn guide_links_to_every_item() {
    let pages = pages();
    let names = ["lib.rs", "http/mod.rs"].map(exported).concat();
    assert!(names.iter().any(|name| name == "BreakerOpen") && names.iter().any(|name| name == "SendFirstOf"));
    let orphans: Vec<_> =
        names.into_iter().filter(|name| !is_linked(&pages, name) && !IN_SIGNATURES.contains(&name.as_str())).collect();
    assert!(orphans.is_empty(), "no page links to {orphans:?}");
}

/// The example of the chapter about tests. Doctests cannot pause the clock, so it runs here.
#[tokio::test(start_paused = true)]
async fn it_waits_one_second_and_then_two() {
    #[retry(attempts = 3, backoff = "exponential", start = "1s")]
    async fn fetch(calls: &Cell<u32>) -> Result<&'static str, &'static str> {
        calls.set(calls.get() + 1);
        if calls.get() < 3 { Err("not yet") } else { Ok("here") }
    }
    let (calls, start) = (Cell::new(0), Instant::now());
    assert_eq!(fetch(&calls).await, Ok("here"));
    assert_eq!((calls.get(), start.elapsed()), (3, Duration::from_secs(3)));
}

#[test]
fn guide_explains_each_reason_to_give_up() {
    let page = read(source("guide/operating.md"));
    for why in [
        GiveUp::Exhausted,
        GiveUp::Permanent,
        GiveUp::Excluded,
        GiveUp::Deadline,
        GiveUp::CallerDeadline,
        GiveUp::ServerDelay(Duration::ZERO),
        GiveUp::Nested,
        GiveUp::Budget,
        GiveUp::Disabled,
        GiveUp::NotIdempotent,
        GiveUp::BodyUsedUp,
        GiveUp::Stopped,
        GiveUp::ExhaustedBelow,
        GiveUp::ServerRefused,
    ] {
        assert!(page.contains(&format!("| `{}` |", why.as_str())), "{why:?}");
    }
}
