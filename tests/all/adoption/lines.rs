//! Counts the lines of both forms of each shape. Those of a module count, except for blank lines, comments and `use`.

const SHAPES: [(&str, &str, &str); 10] = [
    ("package manager", "retrying!", include_str!("package_manager.rs")),
    ("object store client", "loop", include_str!("object_store.rs")),
    ("object store download", "loop", include_str!("object_store_download.rs")),
    ("language model", "attribute", include_str!("language_model.rs")),
    ("storage layer", "run", include_str!("storage_layer.rs")),
    ("database pool", "retrying!", include_str!("database_pool.rs")),
    ("table commit", "retrying!", include_str!("table_commit.rs")),
    ("workflow client", "run", include_str!("workflow_client.rs")),
    ("editor search", "attribute", include_str!("editor_search.rs")),
    ("build cache", "retrying!", include_str!("build_cache.rs")),
];

/// The lines inside the module with this name.
fn lines(source: &str, module: &str) -> usize {
    let start = [format!("\nmod {module} {{\n"), format!("\npub(super) mod {module} {{\n")];
    let (_, rest) = start.iter().find_map(|start| source.split_once(start.as_str())).expect("expected the module");
    let (module, _) = rest.split_once("\n}\n").expect("expected the end of the module");
    let is_counted = |line: &&str| !line.is_empty() && !line.starts_with("//") && !line.starts_with("use ");
    module.lines().map(str::trim).filter(is_counted).count()
}

#[test]
fn no_shape_gets_longer() {
    println!("{:<22} {:<10} {:>6} {:>6}", "shape", "form", "before", "after");
    let mut longer = Vec::new();
    for (shape, form, source) in SHAPES {
        let [before, after] = ["before", "after"].map(|module| lines(source, module));
        println!("{shape:<22} {form:<10} {before:>6} {after:>6}");
        if after > before {
            longer.push(shape);
        }
    }
    assert_eq!(longer, [""; 0], "these are longer than what they replace");
}

#[test]
fn blank_lines_comments_and_use_do_not_count() {
    let source = "\nmod before {\n    use a::b;\n\n    // Why.\n    fn f() {\n        g(); // end\n    }\n}\n";
    assert_eq!(lines(source, "before"), 3);
}

/// The programs of the guide's recipes: their lines, without those that rustdoc hides.
#[test]
fn recipes_have_at_most_25_lines() {
    let recipes = include_str!("../../../retry-runtime/src/guide/recipes.md");
    let programs: Vec<_> = recipes.split("\n```\n").filter(|block| block.starts_with("# #[cfg")).collect();
    assert_eq!(programs.len(), 11);
    for program in programs {
        let shown: Vec<_> = program.lines().filter(|line| *line != "#" && !line.starts_with("# ")).collect();
        assert!(shown.len() <= 25, "{} lines:\n{}", shown.len(), shown.join("\n"));
    }
}
