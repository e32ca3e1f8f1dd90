//! How do I change policies while the program runs?
//!
//! The code declares each policy with a name. A file of TOML changes single keys of it, and is loaded again when it has changed. A file
//! with a mistake changes nothing, and the error tells where the mistake is.
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

static API: Budget = Budget::new();

const BILLING: Policy = Policy::fixed(Duration::from_millis(50)).budget(|| &API);

retry_runtime::policies! {
    static POLICIES {
        billing: BILLING,
        search: Policy::exponential(Duration::from_millis(20)).attempts(4),
        mail: Policy::new().attempts(2),
    }
}

/// Takes the policy that is in force when it is called. A misspelt name would not compile.
#[retry(policy = POLICIES.billing)]
async fn bill(attempts: &mut u32) -> io::Result<()> {
    *attempts += 1;
    Err(io::ErrorKind::ConnectionRefused.into())
}

const OVER: &str = r#"
[billing]
attempts = 5
backoff = "exponential"   # in the code it is fixed
start = "20ms"
max_delay = "80ms"

[search]
max_delay = "100ms"       # everything else stays as the code has it

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

/// Loads the file each time that it has changed. A signal will do as well: `signal(SignalKind::hangup())`.
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

/// With the length, for two changes may come in what is one moment to a file system.
fn changed(path: &Path) -> Option<(SystemTime, u64)> {
    let file = fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// Without the directory, which is another one in each run.
fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// In one step: who loads it finds the old file or the new one, never half of one.
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

    println!("as the code says");
    POLICIES.iter().for_each(|(name, policy)| println!("  {name}: {policy}"));
    call().await;

    write(&path, OVER)?;
    let (send, mut loaded) = channel(1);
    let follower = tokio::spawn(follow(path.clone(), send));
    loaded.recv().await;
    call().await;

    for text in BROKEN {
        println!("a broken file: {}", text.replace('\n', " ⏎ "));
        write(&path, text)?;
        loaded.recv().await;
    }
    println!("the policies are still those of the last good file");
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
