//! Runs a target on random inputs, with the arguments of libFuzzer: `-max_total_time=SECONDS`, `-seed=NUMBER`, `-artifact_prefix=DIR/`,
//! files, and directories of seeds. Without coverage it finds less, but needs no C++ compiler.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, panic};

const MOST_BYTES: u64 = 512;

pub fn run(target: fn(&[u8])) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='));
    let number = |name| option(name).and_then(|number| number.parse::<u64>().ok());
    let artifacts = option("-artifact_prefix").unwrap_or("./");
    let paths = arguments.iter().filter(|argument| !argument.starts_with('-')).map(PathBuf::from);
    let (directories, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
    let mut seeds: Vec<Vec<u8>> = directories.iter().flat_map(|directory| contents(directory)).collect();
    if !files.is_empty() {
        files.iter().filter_map(|file| fs::read(file).ok()).for_each(|input| target(&input));
        return ExitCode::SUCCESS;
    }

    let end = Instant::now() + Duration::from_secs(number("-max_total_time").unwrap_or(10));
    let mut random = Random(number("-seed").unwrap_or(1));
    let mut executions = 0_u64;
    while Instant::now() < end {
        let input = seeds.pop().unwrap_or_else(|| random.input());
        executions += 1;
        if panic::catch_unwind(|| target(&input)).is_err() {
            let artifact = format!("{artifacts}crash-{executions}");
            fs::write(&artifact, &input).expect("the directory of the artifacts can be written");
            eprintln!("the input is in {artifact}");
            return ExitCode::FAILURE;
        }
    }
    eprintln!("stat::number_of_executed_units: {executions}");
    ExitCode::SUCCESS
}

fn contents(directory: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| fs::read(entry.path()).ok()).collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn input(&mut self) -> Vec<u8> {
        let length = self.next() % MOST_BYTES;
        (0..length).map(|_| self.next() as u8).collect()
    }
}
