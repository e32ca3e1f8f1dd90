//! Runtime configuration: changing policies while the program runs.
//!
//! The code declares named policies. A TOML file changes single keys, and the program reloads it after each change. A file
//! with a mistake changes nothing, and the error contains the position of the mistake.
//!
//! `cargo run -p retry-examples-integrations --example policies`

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use retry_runtime::{Budget, Policy, retry};
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, interval};

static API: Budget = Budget::new().capacity(500);

const BILLING: Policy = Policy::fixed(Duration::from_millis(50)).budget(|| &API);

retry_runtime::policies! {
    static POLICIES {
        billing: BILLING,
        search: Policy::exponential(Duration::from_millis(20)).attempts(4),
        mail: Policy::new().attempts(2),
    }
}

/// Uses the policy that is current when the call starts. A misspelt name would not compile.
#[retry(policy = POLICIES.billing)]
async fn bill(attempts: &mut u32) -> io::Result<()> {
    *attempts += 1;
    Err(io::ErrorKind::ConnectionRefused.into())
}

const CHANGES: &str = r#"
[billing]
attempts = 5
backoff = "exponential"   # the code has `fixed`
start = "20ms"
max_delay = "80ms"

[search]
max_delay = "100ms"       # all other keys keep the code's values

[mail]
delays = ["1s", "5m", "1h"]
"#;

const BROKEN: [&str; 6] = [
    "[billing]\nattemps = 5",
    "[billing]\nmax_delay = \"80ms\"",
    "[billing]\nstart = \"20 minutes\"",
    "[biling]\nattempts = 5",
    "[search]\nbackoff = \"random\"\nstart = \"1s\"",
    "[mail]\nattempts = 2\n\n[billing]\nstart = \"2s\"\ndeadline = \"1s\"",
];

/// Loads the file after each change. A signal works too: `signal(SignalKind::hangup())`.
async fn follow(path: PathBuf, loaded: Sender<()>) {
    let mut seen = None;
    let mut ticks = interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        let changed = changed(&path);
        if changed == seen {
            continue;
        }
        seen = changed;
        match POLICIES.load_toml(&path) {
            Ok(changes) => {
                println!("loaded {}", name(&path));
                changes.iter().for_each(|change| println!("  {change}"));
            }
            Err(error) => {
                println!("not loaded: {}\n", error.to_string().replace(&*path.to_string_lossy(), name(&path)))
            }
        }
        if loaded.send(()).await.is_err() {
            return;
        }
    }
}

/// Returns the time and the length, because two changes may have the same time in a file system.
fn changed(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Returns the file name without the directory, which differs in each run.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Replaces the file atomically, so that a reader finds either the old or the new content.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    fs::rename(new, path)
}

async fn call() {
    let (mut attempts, start) = (0, Instant::now());
    let outcome = bill(&mut attempts).await.map_err(|error| error.to_string());
    println!("a call: attempts: {attempts}, in {:?}: {outcome:?}\n", rounded(start.elapsed()));
}

fn rounded(time: Duration) -> Duration {
    Duration::from_millis(time.as_millis() as u64 / 10 * 10)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::temp_dir().join(format!("retry-policies-{}", std::process::id()));
    fs::create_dir_all(&directory)?;
    let path = directory.join("policies.toml");

    println!("the policies of the code");
    POLICIES.iter().for_each(|(name, policy)| println!("  {name}: {policy}"));
    call().await;

    write(&path, CHANGES)?;
    let (send, mut loaded) = channel(1);
    let follower = tokio::spawn(follow(path.clone(), send));
    loaded.recv().await;
    call().await;

    for text in BROKEN {
        println!("a broken file: {}", text.replace('\n', " ⏎ "));
        write(&path, text)?;
        loaded.recv().await;
    }
    println!("the policies are unchanged since the last valid file");
    call().await;

    write(&path, "")?;
    loaded.recv().await;
    call().await;

    println!("retries are switched off");
    retry_runtime::set_enabled(false);
    call().await;

    follower.abort();
    fs::remove_dir_all(directory)?;
    Ok(())
}
