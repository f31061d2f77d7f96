//! What a recipe says of its source tree, held against the tree: a look that takes seconds, where a
//! build that fails takes minutes.

use std::path::Path;

use anyhow::Result;

use super::{Subject, Tree};
use crate::digest::Digest;
use crate::recipe::{Build, Compile, Content};
use crate::unpack::{license, patch};

/// Everything that a tree has not as the recipe says; the tree is patched in the course of this.
pub fn tree(subject: &Subject<'_>, tree: &Tree) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in subject.license_files {
        let name = file.paths.join("` or `");
        match license::read(tree.path(), &file.paths, file.lines) {
            Err(why) => found.push(format!("`license-file`: {why}")),
            Ok(text) => {
                let digest = Digest::sha256_of(&text);
                if digest != file.digest {
                    found
                        .push(format!("`license-file`: `{name}` is {digest}, not {}", file.digest));
                }
            }
        }
    }
    for patch in subject.patches {
        if let Err(error) = patch::apply_patch(tree.path(), &patch.name, &patch.text) {
            found.push(format!("{error:#}"));
            return Ok(found);
        }
    }
    // Only what takes no builder to know.
    let build = subject.library.map(|library| &library.build);
    if let Some(Build::Compile(build)) = build {
        compile(build, tree.path(), &mut found);
    }
    if let Some(Build::Configure(build)) = build {
        let script = std::slice::from_ref(&build.script);
        missing("build.configure.script", script, tree.path(), &mut found);
    }
    if let Some(tool) = subject.tool {
        compile(&tool.compile, tree.path(), &mut found);
        for parts in tool.copy.values() {
            missing("build.compile.copy", parts, tree.path(), &mut found);
        }
    }
    Ok(found)
}

fn compile(build: &Compile, tree: &Path, found: &mut Vec<String>) {
    let groups = build.groups.iter().flat_map(|group| &group.sources);
    let is_made = |path: &String| build.files.contains_key(path);
    let files: Vec<String> =
        build.sources.iter().chain(groups).filter(|path| !is_made(path)).cloned().collect();
    missing("build.compile.sources", &files, tree, found);
    let headers: Vec<String> =
        build.headers.values().filter(|path| !is_made(path)).cloned().collect();
    missing("build.compile.headers", &headers, tree, found);
    let from = build.files.values().filter_map(|file| match &file.content {
        Content::From { path, .. } => Some(path.clone()),
        Content::Text(_) => None,
    });
    missing("build.compile.files", &from.collect::<Vec<_>>(), tree, found);
}

fn missing(key: &str, paths: &[String], tree: &Path, found: &mut Vec<String>) {
    let gone: Vec<&str> =
        paths.iter().filter(|path| !tree.join(path).exists()).map(String::as_str).collect();
    if !gone.is_empty() {
        found.push(format!("`{key}`: the source tree has no `{}`", gone.join("`, no `")));
    }
}
