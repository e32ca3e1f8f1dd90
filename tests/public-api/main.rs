//! Prints the public items of a library from the JSON that rustdoc writes, one a line. `.ci/public-api` compares them.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let json = std::env::args_os().nth(1).ok_or("usage: public-api RUSTDOC.json")?;
    // Implementations for all types, and of `Send` and the like, follow from the rest.
    let api =
        public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true).build()?;
    let mut of_std = false;
    for item in api.items().map(ToString::to_string) {
        // The standard library determines the signatures of the methods in its traits.
        if !(of_std && item.starts_with("pub fn ")) && !item.contains("core::marker::StructuralPartialEq") {
            println!("{item}");
        }
        // The types and methods of an implementation follow it.
        if !["pub fn ", "pub type "].iter().any(|start| item.starts_with(start)) {
            of_std = implements_std(&item);
        }
    }
    Ok(())
}

/// Returns whether a line such as `impl<T> core::fmt::Debug for Lease<T>` is about a trait of the standard library.
fn implements_std(item: &str) -> bool {
    let Some((header, _)) = item.split_once(" for ") else { return false };
    // The trait is behind `impl` and its parameters. Their bounds are behind a colon, a plus sign or an arrow.
    let header = header.replace("-> ", "->");
    ["core", "alloc", "std"]
        .iter()
        .any(|name| header.starts_with(&format!("impl {name}::")) || header.contains(&format!("> {name}::")))
}
