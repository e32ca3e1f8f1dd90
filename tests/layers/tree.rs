//! The modules of one crate, the paths that they name, and the files that these paths lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::{fs, io};

use crate::tokens::{Token, tokens};

/// Source files by their path, such as `retry-runtime/src/util/sleep.rs`.
pub(crate) type Sources = BTreeMap<String, String>;

/// Reads all Rust files under `folder`. Their paths are relative to `root`.
pub(crate) fn read(root: &Path, folder: &str) -> io::Result<Sources> {
    let mut sources = Sources::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            sources.extend(read(root, &path)?);
        } else if path.ends_with(".rs") {
            sources.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(sources)
}

/// `from` names something that `to` defines, first in `line`.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) line: usize,
    pub(crate) to: String,
}

/// The imports between the files of the crate whose `lib.rs` is in the folder `src`, one for each pair of files.
///
/// A file counts as imported if it defines what a path leads to. The path may be part of a `use` or stand alone, and may pass
/// through re-exports. Test modules do not count, nor do paths that begin with `$crate`, which resolve where a macro is
/// expanded. Method calls are not paths, so they are not seen.
pub(crate) fn imports(sources: &Sources, src: &str) -> Vec<Import> {
    let mut tree = Tree { sources, modules: Vec::new() };
    tree.add_file(None, format!("{src}/lib.rs"), src.to_owned());
    let mut first = BTreeMap::<(String, String), usize>::new();
    for (module, found) in tree.modules.iter().enumerate() {
        for (path, line) in &found.paths {
            for to in tree.files_of(module, path) {
                let line = *line;
                first.entry((found.file.clone(), to)).and_modify(|least| *least = line.min(*least)).or_insert(line);
            }
        }
    }
    let between_files = first.into_iter().filter(|((from, to), _)| from != to);
    between_files.map(|((from, to), line)| Import { from, line, to }).collect()
}

#[derive(Default)]
struct Module {
    file: String,
    /// The folder of the files of its child modules.
    folder: String,
    parent: Option<usize>,
    children: Vec<(String, usize)>,
    items: BTreeSet<String>,
    /// The names that its `use` declarations bring into scope, and their paths.
    aliases: Vec<(String, Vec<String>)>,
    globs: Vec<Vec<String>>,
    /// All paths that it names, and their lines.
    paths: Vec<(Vec<String>, usize)>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Target {
    Module(usize),
    ItemIn(usize),
}

struct Tree<'a> {
    sources: &'a Sources,
    modules: Vec<Module>,
}

impl Tree<'_> {
    fn add_file(&mut self, parent: Option<usize>, file: String, folder: String) -> usize {
        let source = self.sources.get(&file).unwrap_or_else(|| panic!("file not found: {file}"));
        self.add_module(parent, file, folder, &tokens(source))
    }

    fn add_module(&mut self, parent: Option<usize>, file: String, folder: String, tokens: &[Token]) -> usize {
        let module = self.modules.len();
        self.modules.push(Module { file, folder, parent, ..Module::default() });
        let mut rest = tokens;
        while !rest.is_empty() {
            rest = self.add_item(module, rest);
        }
        module
    }

    /// Adds the first item of `tokens` to `module`, and returns the tokens after it.
    fn add_item<'t>(&mut self, module: usize, mut tokens: &'t [Token]) -> &'t [Token] {
        let mut for_tests = false;
        while let Some(length) = attribute(tokens) {
            for_tests |= is_for_tests(&tokens[..length]);
            tokens = &tokens[length..];
        }
        tokens = &tokens[visibility(tokens)..];
        let (item, rest) = tokens.split_at(item_length(tokens));
        let texts: Vec<&str> = item.iter().take(3).map(|token| token.text.as_str()).collect();
        match texts.as_slice() {
            _ if for_tests => {}
            ["use", ..] => self.add_use(module, item),
            ["mod", name, ";"] => self.add_child_file(module, name),
            ["mod", name, "{"] => {
                let Module { file, folder, .. } = &self.modules[module];
                let (file, folder) = (file.clone(), format!("{folder}/{name}"));
                let child = self.add_module(Some(module), file, folder, &item[3..item.len() - 1]);
                self.modules[module].children.push(((*name).to_owned(), child));
            }
            ["macro_rules", "!", name] => {
                self.modules[module].items.insert((*name).to_owned());
                self.add_paths(module, item);
            }
            _ => {
                self.modules[module].items.extend(item_name(item));
                self.add_paths(module, item);
            }
        }
        rest
    }

    fn add_child_file(&mut self, module: usize, name: &str) {
        let folder = format!("{}/{name}", self.modules[module].folder);
        let beside = format!("{folder}.rs");
        let file = if self.sources.contains_key(&beside) { beside } else { format!("{folder}/mod.rs") };
        let child = self.add_file(Some(module), file, folder);
        self.modules[module].children.push((name.to_owned(), child));
    }

    fn add_use(&mut self, module: usize, item: &[Token]) {
        let mut leaves = Vec::new();
        use_leaves(&item[1..], Vec::new(), &mut leaves);
        for (path, line, leaf) in leaves {
            let module = &mut self.modules[module];
            match leaf {
                Leaf::Glob => module.globs.push(path.clone()),
                Leaf::Name(name) => module.aliases.push((name, path.clone())),
            }
            module.paths.push((path, line));
        }
    }

    /// Adds the paths in an item's body, and its `use` declarations as if they stood in the module.
    fn add_paths(&mut self, module: usize, item: &[Token]) {
        let mut at = 0;
        while at < item.len() {
            let starts_use = item[at].is("use") && !at.checked_sub(1).is_some_and(|before| item[before].is("+"));
            if starts_use && item.get(at + 1).is_some_and(|next| next.is_identifier() || next.is("::")) {
                let length = item_length(&item[at..]);
                self.add_use(module, &item[at..at + length]);
                at += length;
                continue;
            }
            let mut length = 1;
            if item[at].is_identifier() && !continues_a_path(item, at) {
                while item.get(at + length).is_some_and(|token| token.is("::"))
                    && item.get(at + length + 1).is_some_and(Token::is_identifier)
                {
                    length += 2;
                }
                let path = item[at..at + length].iter().step_by(2).map(|token| token.text.clone()).collect();
                // A single name is either defined here, or imported by a `use`, or comes from a glob.
                if length > 1 || !self.modules[module].globs.is_empty() {
                    self.modules[module].paths.push((path, item[at].line));
                }
            }
            at += length;
        }
    }

    /// The files that define what `path` means in `module`: several where `cfg` attributes choose. None if it leads out of the
    /// crate.
    fn files_of(&self, module: usize, path: &[String]) -> BTreeSet<String> {
        let targets = self.resolve(module, path, &mut BTreeSet::new());
        let files = targets.into_iter().map(|target| match target {
            Target::Module(module) | Target::ItemIn(module) => self.modules[module].file.clone(),
        });
        files.collect()
    }

    fn resolve(&self, module: usize, path: &[String], visited: &mut BTreeSet<(usize, String)>) -> BTreeSet<Target> {
        let Some((first, rest)) = path.split_first() else { return BTreeSet::new() };
        let mut targets = match first.as_str() {
            "crate" => BTreeSet::from([Target::Module(0)]),
            "self" => BTreeSet::from([Target::Module(module)]),
            "super" => self.modules[module].parent.map(Target::Module).into_iter().collect(),
            name => self.look_up(module, name, visited),
        };
        for name in rest {
            let next = targets.into_iter().flat_map(|target| match target {
                Target::Module(module) if name == "super" => {
                    self.modules[module].parent.map(Target::Module).into_iter().collect()
                }
                Target::Module(module) => {
                    let found = self.look_up(module, name, visited);
                    // A macro may have made the item.
                    if found.is_empty() { BTreeSet::from([Target::ItemIn(module)]) } else { found }
                }
                item => BTreeSet::from([item]),
            });
            targets = next.collect();
        }
        targets
    }

    fn look_up(&self, module: usize, name: &str, visited: &mut BTreeSet<(usize, String)>) -> BTreeSet<Target> {
        // `use error::Error;` beside `mod error;` would resolve `error` by itself for ever.
        if !visited.insert((module, name.to_owned())) {
            return BTreeSet::new();
        }
        let mut targets = BTreeSet::new();
        let Module { children, items, aliases, globs, .. } = &self.modules[module];
        targets.extend(children.iter().filter(|(child, _)| child == name).map(|(_, child)| Target::Module(*child)));
        targets.extend(items.contains(name).then_some(Target::ItemIn(module)));
        for (_, path) in aliases.iter().filter(|(alias, _)| alias == name) {
            targets.extend(self.resolve(module, path, visited));
        }
        if targets.is_empty() {
            for path in globs {
                for target in self.resolve(module, path, visited) {
                    if let Target::Module(module) = target {
                        targets.extend(self.look_up(module, name, visited));
                    }
                }
            }
        }
        visited.remove(&(module, name.to_owned()));
        targets
    }
}

enum Leaf {
    Glob,
    Name(String),
}

/// Flattens a tree such as `a::{b, c as d}` into the paths `a::b` and `a::c`, with the names that they get.
fn use_leaves(tokens: &[Token], mut prefix: Vec<String>, leaves: &mut Vec<(Vec<String>, usize, Leaf)>) {
    let mut at = 0;
    // `::name` leads out of the crate.
    if prefix.is_empty() && tokens.first().is_some_and(|token| token.is("::")) {
        return;
    }
    while let Some(token) = tokens.get(at) {
        if token.is("{") {
            let inner = &tokens[at + 1..at + group_length(&tokens[at..]) - 1];
            for tree in split_at_commas(inner) {
                use_leaves(tree, prefix.clone(), leaves);
            }
            return;
        }
        if token.is("*") {
            leaves.push((prefix, token.line, Leaf::Glob));
            return;
        }
        let names_the_prefix = token.is("self") && !prefix.is_empty();
        if token.is_identifier() && !names_the_prefix {
            prefix.push(token.text.clone());
        }
        if !tokens.get(at + 1).is_some_and(|next| next.is("::")) {
            let renamed = tokens.get(at + 1).filter(|next| next.is("as")).and_then(|_| tokens.get(at + 2));
            let name = renamed.map(|token| token.text.clone()).or_else(|| prefix.last().cloned());
            if let Some(name) = name {
                leaves.push((prefix, token.line, Leaf::Name(name)));
            }
            return;
        }
        at += 2;
    }
}

fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let mut depth = 0;
    let at_comma = |token: &Token| {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        depth == 0 && token.is(",")
    };
    tokens.split(at_comma).filter(|tree| !tree.is_empty()).collect()
}

/// Returns whether the identifier at `at` is part of a longer path, a visibility, a field access or `$crate`.
fn continues_a_path(tokens: &[Token], at: usize) -> bool {
    let before = |distance: usize| at.checked_sub(distance).map_or("", |before| tokens[before].text.as_str());
    match before(1) {
        "::" | "$" => true,
        // `0..=Self::MAX` is a range, `self.name` is a field.
        "." => before(2) != ".",
        "in" => before(2) == "(" && before(3) == "pub",
        _ => false,
    }
}

/// The length of the attribute that `tokens` begin with.
fn attribute(tokens: &[Token]) -> Option<usize> {
    let bracket = match tokens {
        [hash, bracket, ..] if hash.is("#") && bracket.is("[") => 1,
        [hash, bang, bracket, ..] if hash.is("#") && bang.is("!") && bracket.is("[") => 2,
        _ => return None,
    };
    Some(bracket + group_length(&tokens[bracket..]))
}

/// `#[cfg(test)]`, `#[cfg(all(test, …))]` or `#[test]`, but not `#[cfg(not(test))]`.
fn is_for_tests(attribute: &[Token]) -> bool {
    let texts: Vec<&str> = attribute.iter().map(|token| token.text.as_str()).collect();
    let test = texts.iter().position(|text| *text == "test");
    matches!(texts.as_slice(), ["#", "[", "cfg" | "test", ..])
        && test.is_some_and(|test| !texts[..test].ends_with(&["not", "("]))
}

/// The length of `pub`, `pub(…)` or nothing.
fn visibility(tokens: &[Token]) -> usize {
    match tokens {
        [public, parenthesis, ..] if public.is("pub") && parenthesis.is("(") => 1 + group_length(&tokens[1..]),
        [public, ..] if public.is("pub") => 1,
        _ => 0,
    }
}

/// The length of an item: up to its semicolon, or up to the end of its last braces.
fn item_length(tokens: &[Token]) -> usize {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            ";" => return at + 1,
            "{" if !tokens[0].is("use") => return at + group_length(&tokens[at..]),
            "(" | "[" | "{" => at += group_length(&tokens[at..]),
            _ => at += 1,
        }
    }
    tokens.len()
}

/// The length of the group in parentheses, brackets or braces that `tokens` begin with.
fn group_length(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The name that an item defines. An `impl` and a macro call define none.
fn item_name(item: &[Token]) -> Option<String> {
    let mut words = item.iter().take_while(|token| token.is_identifier());
    let definition = ["fn", "struct", "enum", "union", "trait", "type", "static"];
    let mut last = "";
    for word in &mut words {
        let is_name = definition.contains(&last)
            || (last == "const"
                && !["fn", "async", "unsafe", "extern"].contains(&word.text.as_str())
                && !word.is("mut"));
        if is_name && !(last == "static" && word.is("mut")) {
            return Some(word.text.clone());
        }
        last = &word.text;
    }
    None
}
