//! What cargo tells of a build, in lines of JSON: the programs, whose each file is, and what build
//! scripts asked the linker for. It tells all of it also when there was nothing to do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// A program that cargo built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The binary's name.
    pub name: String,
    /// Where cargo put it.
    pub path: PathBuf,
}

/// What a build script said, or an override in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// Cargo's id of its package.
    pub package: String,
    /// `static=z`, `z`…
    pub libs: Vec<String>,
    /// Folders to look in for them.
    pub folders: Vec<PathBuf>,
    /// Its folder for what it makes; nothing for an override.
    pub out: Option<PathBuf>,
}

/// All that cargo tells of a build.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// The package's programs, by name.
    pub programs: Vec<Program>,
    /// Names of the files that libraries were compiled to, and the id of each one's package.
    pub files: BTreeMap<String, String>,
    /// Build scripts.
    pub scripts: Vec<Script>,
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    package_id: Option<String>,
    target: Option<MessageTarget>,
    executable: Option<PathBuf>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    linked_libs: Vec<String>,
    #[serde(default)]
    linked_paths: Vec<String>,
    out_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
    kind: Vec<String>,
}

impl Built {
    /// Reads one line; `package` is the id of the one that is built.
    pub fn hear(&mut self, line: &str, package: &str) {
        let Ok(message) = serde_json::from_str::<Message>(line) else { return };
        let Some(id) = message.package_id else { return };
        match message.reason.as_str() {
            "compiler-artifact" => {
                let Some(target) = message.target else { return };
                let is_bin = target.kind.iter().any(|kind| kind == "bin");
                if let (true, Some(path)) = (is_bin && id == package, message.executable) {
                    self.programs.push(Program { name: target.name, path });
                }
                let names = message.filenames.iter().filter_map(|path| path.file_name()?.to_str());
                self.files.extend(names.map(|name| (name.to_owned(), id.clone())));
            }
            "build-script-executed" => self.scripts.push(Script {
                package: id,
                libs: message.linked_libs,
                folders: message.linked_paths.iter().map(|path| folder(path)).collect(),
                out: message.out_dir.filter(|out| !out.as_os_str().is_empty()),
            }),
            _ => {}
        }
    }
}

/// `native=/x` without its kind.
pub fn folder(path: &str) -> PathBuf {
    let kinds = ["native=", "dependency=", "crate=", "framework=", "all="];
    kinds.iter().find_map(|kind| path.strip_prefix(kind)).unwrap_or(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_files_and_scripts_are_told_apart() {
        let mut built = Built::default();
        for line in [
            r#"{"reason":"compiler-artifact","package_id":"z#1","target":{"name":"z","kind":["lib"]},"filenames":["/t/deps/libz-1f.rlib"],"executable":null}"#,
            r#"{"reason":"compiler-artifact","package_id":"app#1","target":{"name":"app","kind":["bin"]},"filenames":["/t/app"],"executable":"/t/app"}"#,
            r#"{"reason":"compiler-artifact","package_id":"other#1","target":{"name":"x","kind":["bin"]},"filenames":[],"executable":"/t/x"}"#,
            r#"{"reason":"build-script-executed","package_id":"z#1","linked_libs":["static=z"],"linked_paths":["native=/s/lib","/u"],"out_dir":"/t/out"}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "not a message",
        ] {
            built.hear(line, "app#1");
        }
        assert_eq!(built.programs, [Program { name: "app".into(), path: "/t/app".into() }]);
        assert_eq!(built.files.get("libz-1f.rlib").map(String::as_str), Some("z#1"));
        let script = Script {
            package: "z#1".into(),
            libs: vec!["static=z".into()],
            folders: vec!["/s/lib".into(), "/u".into()],
            out: Some("/t/out".into()),
        };
        assert_eq!(built.scripts, [script]);
    }
}
