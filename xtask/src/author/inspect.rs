//! What a recipe says of its source tree, held against the tree: a look that takes seconds, where a
//! build that fails takes minutes.

use std::path::Path;

use anyhow::Result;

use super::{Subject, Tree};
use crate::digest::Digest;
use crate::recipe::{Build, Compile};
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
    if let Some(library) = subject.library {
        match &library.build {
            Build::Compile(build) => {
                compile(build, tree.path(), &mut found);
                let headers = &library.outputs.include;
                missing("outputs.include", headers, tree.path(), &mut found);
            }
            Build::Configure(build) => {
                let script = std::slice::from_ref(&build.script);
                missing("build.configure.script", script, tree.path(), &mut found);
            }
        }
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
    missing("build.compile.sources", &build.sources, tree, found);
    missing("build.compile.include", &build.include, tree, found);
}

fn missing(key: &str, paths: &[String], tree: &Path, found: &mut Vec<String>) {
    let gone: Vec<&str> =
        paths.iter().filter(|path| !tree.join(path).exists()).map(String::as_str).collect();
    if !gone.is_empty() {
        found.push(format!("`{key}`: the source tree has no `{}`", gone.join("`, no `")));
    }
}
