//! Files that import each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::tree::Import;

/// Groups of files in which each file imports each other one, directly or through others. Each group is described by its
/// shortest cycle.
pub(crate) fn cycles(imports: &[Import]) -> Vec<String> {
    let mut graph = BTreeMap::<&str, Vec<&Import>>::new();
    for import in imports {
        graph.entry(&import.from).or_default().push(import);
    }
    let mut described = BTreeSet::new();
    let mut messages = Vec::new();
    for file in graph.keys() {
        if described.contains(file) {
            continue;
        }
        let reached = reachable(&graph, file);
        let group: BTreeSet<&str> =
            reached.iter().copied().filter(|other| reachable(&graph, other).contains(file)).collect();
        if let Some(shortest) = group.iter().filter_map(|file| cycle_through(&graph, file)).min_by_key(Vec::len) {
            messages.push(describe(&shortest, group.len()));
            described.extend(group);
        }
    }
    messages
}

fn describe(cycle: &[&Import], files: usize) -> String {
    let mut message = String::from("import cycle: ");
    for import in cycle {
        message += &format!("{}:{} → ", import.from, import.line);
    }
    message += &cycle[0].from;
    match files - cycle.len() {
        0 => message,
        others => format!("{message} (other files in longer cycles: {others})"),
    }
}

fn reachable<'a>(graph: &BTreeMap<&'a str, Vec<&'a Import>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(file) = next.pop() {
        for import in graph.get(file).into_iter().flatten() {
            if reached.insert(import.to.as_str()) {
                next.push(&import.to);
            }
        }
    }
    reached
}

/// The shortest chain of imports from `file` back to itself.
fn cycle_through<'a>(graph: &BTreeMap<&'a str, Vec<&'a Import>>, file: &str) -> Option<Vec<&'a Import>> {
    let mut visited = BTreeSet::new();
    let mut chains = VecDeque::from([(file, Vec::new())]);
    while let Some((last, chain)) = chains.pop_front() {
        for import in graph.get(last).into_iter().flatten() {
            let mut longer: Vec<&Import> = chain.clone();
            longer.push(import);
            if import.to == file {
                return Some(longer);
            }
            if visited.insert(&import.to) {
                chains.push_back((&import.to, longer));
            }
        }
    }
    None
}
