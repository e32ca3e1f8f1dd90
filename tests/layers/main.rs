//! Checks that the imports of the two crates respect their layers.
//!
//! A layer is a top-level folder of `src/`, or a single file there. It may import the layers below it, and not the layers
//! above. So a reader can start at the bottom, and a change affects only the layers above it. Files do not import each other
//! in a circle either, in one layer or across several.

mod cycles;
mod tokens;
mod tree;

use std::path::Path;

use tree::{Import, Sources};

/// A crate and its layers, from the lowest to the highest. Layers in the same row are independent: neither imports the other.
struct Order {
    src: &'static str,
    layers: &'static [&'static [&'static str]],
}

const RUNTIME: Order = Order {
    src: "retry-runtime/src",
    layers: &[
        &["util"],
        &["classify"],
        &["context"],
        &["policy"],
        &["propagation"],
        &["observe"],
        &["engine"],
        &["load", "leases"],
        &["http"],
        &["tower", "server", "config"],
        &["testing"],
        &["guide", "private"],
    ],
};

const MACROS: Order = Order {
    src: "retry-macros/src",
    layers: &[&["errors"], &["args"], &["input"], &["codegen"], &["derive"], &["entry"]],
};

impl Order {
    /// The violations in these sources, a line each.
    fn violations(&self, sources: &Sources) -> Vec<String> {
        let mut imports = tree::imports(sources, self.src);
        // `lib.rs` re-exports from all layers, and is imported for these re-exports only.
        let root = format!("{}/lib.rs", self.src);
        imports.retain(|import| import.from != root && import.to != root);
        let mut violations: Vec<String> = imports.iter().filter_map(|import| self.violation(import)).collect();
        violations.extend(cycles::cycles(&imports));
        violations
    }

    fn violation(&self, Import { from, line, to }: &Import) -> Option<String> {
        let (upper, lower) = (self.layer(from), self.layer(to));
        let reason = match (self.height(upper), self.height(lower)) {
            _ if upper == lower => return None,
            (None, _) => format!("`{upper}` is not in the table of layers"),
            (_, None) => format!("`{lower}` is not in the table of layers"),
            (Some(from), Some(to)) if from > to => return None,
            (Some(from), Some(to)) if from == to => format!("`{upper}` and `{lower}` are in the same row"),
            _ => format!("`{upper}` is below `{lower}`"),
        };
        Some(format!("{from}:{line} imports {to}: {reason}"))
    }

    /// The name of the folder or file at the top of `src/`.
    fn layer<'a>(&self, file: &'a str) -> &'a str {
        let inside = file.trim_start_matches(self.src).trim_start_matches('/');
        inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs")
    }

    fn height(&self, layer: &str) -> Option<usize> {
        self.layers.iter().position(|row| row.contains(&layer))
    }
}

#[test]
fn runtime_respects_its_layers() {
    assert_respected(&RUNTIME);
}

#[test]
fn macros_respect_their_layers() {
    assert_respected(&MACROS);
}

fn assert_respected(order: &Order) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let violations = order.violations(&tree::read(root, order.src).unwrap());
    assert!(violations.is_empty(), "imports violate the layers:\n{}", violations.join("\n"));
}

/// The check itself, on small crates.
mod check {
    use super::*;

    const ORDER: Order = Order { src: "src", layers: &[&["low"], &["left", "right"], &["high"]] };

    fn violations<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let name = |file: &str| format!("src/{file}");
        ORDER.violations(&files.into_iter().map(|(file, source)| (name(file), source.to_owned())).collect())
    }

    #[test]
    fn downward_imports_are_accepted() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            ("low.rs", "pub struct Low;"),
            ("high.rs", "use crate::low::Low; fn low() -> crate::low::Low { Low }"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn upward_import_is_reported_with_both_files_and_the_line() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            ("low/mod.rs", "mod sleep;"),
            ("low/sleep.rs", "\n\nuse std::fmt;\nuse crate::high::state::State;\n"),
            ("high/mod.rs", "pub mod state;"),
            ("high/state.rs", "pub struct State;"),
        ]);
        assert_eq!(found, ["src/low/sleep.rs:4 imports src/high/state.rs: `low` is below `high`"]);
    }

    #[test]
    fn every_leaf_of_a_nested_use_counts() {
        let found = violations([
            ("lib.rs", "mod low; mod left; mod high;"),
            ("low.rs", "use crate::{\n    left::Left,\n    high::{self as top, inner::{Deep as _}},\n};"),
            ("left.rs", "pub enum Left { A }"),
            ("high/mod.rs", "pub mod inner;"),
            ("high/inner.rs", "pub trait Deep {}"),
        ]);
        let expected = [
            "src/low.rs:3 imports src/high/inner.rs: `low` is below `high`",
            "src/low.rs:3 imports src/high/mod.rs: `low` is below `high`",
            "src/low.rs:2 imports src/left.rs: `low` is below `left`",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn inline_paths_count() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            ("low.rs", "fn f<'a>(it: &'a u8) -> char {\n    crate::high::g::<u8>(it);\n    'a'\n}"),
            ("high.rs", "pub fn g<T>(_: &T) {}"),
        ]);
        assert_eq!(found, ["src/low.rs:2 imports src/high.rs: `low` is below `high`"]);
    }

    #[test]
    fn paths_through_an_imported_module_count() {
        let found = violations([
            ("lib.rs", "mod low; mod high; pub mod api { pub use crate::high::High; }"),
            ("low.rs", "use crate::api;\nfn f() -> api::High { api::High }"),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, ["src/low.rs:2 imports src/high.rs: `low` is below `high`"]);
    }

    #[test]
    fn re_export_leads_to_the_file_that_defines_the_name() {
        let found = violations([
            ("lib.rs", "mod low; mod high; pub use high::Renamed as High;"),
            ("low.rs", "use crate::High;"),
            ("high/mod.rs", "mod parts; pub(crate) use self::parts::*;"),
            ("high/parts/mod.rs", "mod item; pub use item::{Item as Renamed};"),
            (
                "high/parts/item.rs",
                "pub const fn f() {} pub static S: u8 = 0; pub struct Item { pub(crate) x: [u8; 2] }",
            ),
        ]);
        assert_eq!(found, ["src/low.rs:1 imports src/high/parts/item.rs: `low` is below `high`"]);
    }

    #[test]
    fn super_and_self_are_followed() {
        let found = violations([
            ("lib.rs", "mod low; mod high; pub use self::high::High;"),
            ("low/mod.rs", "mod inner;"),
            ("low/inner.rs", "use super::super::high::High;\nfn f(_: self::High) {}"),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, ["src/low/inner.rs:1 imports src/high.rs: `low` is below `high`"]);
    }

    #[test]
    fn layers_in_the_same_row_are_independent() {
        let found = violations([
            ("lib.rs", "mod left; mod right;"),
            ("left.rs", "use crate::right::Right;"),
            ("right.rs", "pub type Right = u8;"),
        ]);
        assert_eq!(found, ["src/left.rs:1 imports src/right.rs: `left` and `right` are in the same row"]);
    }

    #[test]
    fn folder_without_a_place_in_the_table_is_reported() {
        let found = violations([
            ("lib.rs", "mod low; mod new;"),
            ("low.rs", "pub struct Low;"),
            ("new.rs", "use crate::low::Low;"),
        ]);
        assert_eq!(found, ["src/new.rs:1 imports src/low.rs: `new` is not in the table of layers"]);
    }

    #[test]
    fn comments_strings_and_tests_do_not_count() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            (
                "low.rs",
                r###"
                //! use crate::high::High;
                /* use crate::high::High; /* nested */ use crate::high::High; */
                const TEXTS: [&str; 2] = ["use crate::high::High; \" crate::high::High", r#"" crate::high::High "#];
                const QUOTE: char = '"'; const LINE: char = '\''; // "
                #[cfg(test)]
                mod tests {
                    use crate::high::High;
                }
                #[cfg(all(test, feature = "extra"))]
                use crate::high::High;
                #[cfg(test)]
                mod file_that_is_not_read;
                "###,
            ),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn code_without_tests_counts() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            ("low.rs", "#[cfg(not(test))]\nuse crate::high::High;"),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, ["src/low.rs:2 imports src/high.rs: `low` is below `high`"]);
    }

    #[test]
    fn macro_paths_and_visibilities_do_not_count() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            ("low.rs", "macro_rules! m { () => { $crate::high::High } } struct S { pub(in crate::low) x: u8 }"),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn paths_to_other_crates_do_not_count() {
        let found = violations([
            ("lib.rs", "mod low; mod high;"),
            ("low.rs", "use ::high::High; use high::Other; fn f() { ::high::g(); high::g(); }"),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn lib_rs_imports_from_all_layers() {
        let found = violations([
            ("lib.rs", "mod low; mod high; pub use high::High; pub struct Root;"),
            ("low.rs", "use crate::Root;"),
            ("high.rs", "pub struct High;"),
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn import_cycle_inside_a_layer_is_reported() {
        let found = violations([
            ("lib.rs", "mod low;"),
            ("low/mod.rs", "mod a; mod b; mod c; mod d;"),
            ("low/a.rs", "pub struct A;\nuse super::b::B;"),
            ("low/b.rs", "use super::c::C; pub struct B;"),
            ("low/c.rs", "\n\nuse super::a::A; pub struct C;\nuse super::d::D;"),
            ("low/d.rs", "pub struct D;"),
        ]);
        assert_eq!(found, ["import cycle: src/low/a.rs:2 → src/low/b.rs:1 → src/low/c.rs:3 → src/low/a.rs"]);
    }

    #[test]
    fn longer_cycles_are_counted_beside_the_shortest() {
        let found = violations([
            ("lib.rs", "mod low;"),
            ("low/mod.rs", "mod a; mod b; mod c;"),
            ("low/a.rs", "use super::b::B; pub struct A;"),
            ("low/b.rs", "use super::a::A; use super::c::C; pub struct B;"),
            ("low/c.rs", "use super::a::A; pub struct C;"),
        ]);
        let expected = "import cycle: src/low/a.rs:1 → src/low/b.rs:1 → src/low/a.rs (other files in longer cycles: 1)";
        assert_eq!(found, [expected]);
    }
}
