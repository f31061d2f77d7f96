//! What cargo, rustc and build scripts see while the app is built: Rust, the app's workspace (read
//! only), the crates of its Cargo.lock, the sysroot with its compiler, and the target folder. No
//! network, no home, no settings of this machine.
//!
//! Everything has the path that it has outside, so that messages name files that exist, and a build
//! with plain cargo in the same target folder is not made anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::environment::Environment;
use crate::host::Host;
use crate::layout::{TempFolder, copy_with_times};
use crate::process::{self, CLOCK_LIBRARY};
use crate::sandbox::{Access, Sandbox, View};
use crate::session::{Project, Session};
use crate::unpack::MODIFIED;

/// Variables that tell of the user or the machine. Beginnings, where they end in `_`.
const OF_THE_MACHINE: [&str; 24] = [
    "HOME",
    "USER",
    "LOGNAME",
    "MAIL",
    "SHELL",
    "HOSTNAME",
    "PWD",
    "OLDPWD",
    "TMPDIR",
    "TMP",
    "TEMP",
    "DISPLAY",
    "WAYLAND_",
    "XDG_",
    "SSH_",
    "GPG_",
    "DBUS_",
    "SUDO_",
    "LANG",
    "LANGUAGE",
    "LC_",
    "TZ",
    "CARGO_REGISTRY_",
    "CARGO_REGISTRIES_",
];

/// Keys of cargo's configuration with wrappers of rustc, and the variables that have precedence.
const WRAPPERS: [(&str, &str); 2] =
    [("rustc-wrapper", "RUSTC_WRAPPER"), ("rustc-workspace-wrapper", "RUSTC_WORKSPACE_WRAPPER")];

/// The room in which the app is built.
pub struct Room<'a> {
    sandbox: &'a Sandbox,
    view: View,
    /// Variables that silence wrappers of rustc, which a configuration of cargo's names.
    wrappers: Vec<&'static str>,
    /// Where temporary files go without a view of its own.
    temp: TempFolder,
}

impl<'a> Room<'a> {
    /// The room for a project; makes its target folder.
    pub fn new(
        session: &'a Session,
        project: &Project,
        environment: &Environment,
        host: &Host,
    ) -> Result<Self> {
        let temp = session.store.temp("app")?;
        let mut view = View::default();
        host.show(&mut view)?;
        for path in project.rust.folders() {
            view.show_here(&path, Access::Read);
        }
        for entry in &environment.entries {
            view.show_here(entry, Access::Read);
        }
        if let Some(library) = process::env_var(CLOCK_LIBRARY) {
            show_if_there(&mut view, Path::new(&library));
        }
        show_sources(&mut view, project);
        let configurations = configurations(project);
        for file in &configurations {
            view.show_here(file, Access::Read);
            folders_of_crates(file).iter().for_each(|folder| show_if_there(&mut view, folder));
        }
        let sandbox = session.sandbox()?;
        show_crates(&mut view, project, sandbox.way().has_view())?;
        for folder in project.metadata.output_folders() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let copy = match &project.published {
            Some(_) if sandbox.way().has_view() => Some(copy_of_sources(project, temp.path())?),
            _ => None,
        };
        show_writable(&mut view, project, copy.as_deref());
        if !sandbox.way().has_view() {
            view.show_here(temp.path(), Access::Write);
        }
        let names = |key: &str| {
            let named =
                |file| fs::read_to_string(file).is_ok_and(|text: String| text.contains(key));
            configurations.iter().any(named)
        };
        let named = WRAPPERS.into_iter().filter(|(key, _)| names(key));
        let wrappers = named.map(|(_, variable)| variable).collect();
        Ok(Self { sandbox, view, wrappers, temp })
    }

    /// The command that runs a cargo command here; its variables become those of a room.
    pub fn enter(&self, cargo: &mut Command) -> Result<Command> {
        let strange: Vec<_> = cargo
            .get_envs()
            .filter(|(name, _)| name.to_str().is_none_or(is_of_the_machine))
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in strange {
            cargo.env_remove(name);
        }
        let tmp = match self.sandbox.way().has_view() {
            true => Path::new("/tmp"),
            false => self.temp.path(),
        };
        cargo.env("TMPDIR", tmp).env("HOME", "/homeless").env("USER", "builder");
        cargo.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        // A wrapper in someone's configuration is not here, and would change what comes out. Where
        // there is none, not even an empty name: cargo would ask rustc anew for what it is, and takes
        // the name of a workspace's wrapper, also an empty one, into the names of symbols.
        for (_, name) in WRAPPERS {
            match self.wrappers.contains(&name) {
                true => cargo.env(name, ""),
                false => cargo.env_remove(name),
            };
        }
        if let Some(home) = process::cargo_home() {
            cargo.env("CARGO_HOME", home);
        }
        if process::env_var("SOURCE_DATE_EPOCH").is_none() {
            cargo.env("SOURCE_DATE_EPOCH", MODIFIED.to_string());
        }
        self.sandbox.wrap(&self.view, cargo)
    }
}

fn is_of_the_machine(name: &str) -> bool {
    OF_THE_MACHINE.iter().any(|one| match one.ends_with('_') {
        true => name.starts_with(one),
        false => name == *one,
    })
}

fn show_if_there(view: &mut View, path: &Path) {
    if path.exists() {
        view.show_here(path, Access::Read);
    }
}

/// Files of cargo's configuration.
fn configurations(project: &Project) -> Vec<PathBuf> {
    let folders = process::cargo_configuration_folders(project.folder()).into_iter();
    let files = folders.flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name)));
    files.filter(|file| file.is_file()).collect()
}

/// The workspace, and the packages that lie elsewhere on this disk.
fn show_sources(view: &mut View, project: &Project) {
    let root = &project.metadata.workspace_root;
    view.show_here(root, Access::Read);
    let home = process::cargo_home();
    let is_elsewhere = |folder: &&PathBuf| {
        !folder.starts_with(root) && home.as_ref().is_none_or(|home| !folder.starts_with(home))
    };
    for folder in project.metadata.folders.iter().filter(is_elsewhere) {
        view.show_here(workspace_of(folder), Access::Read);
    }
}

/// A copy of a published crate's own folder, without what cargo has built. There are build scripts that
/// write there, which they can where `cargo install` runs; here they leave nothing behind: what lies
/// in that folder is read by cargo outside of a sandbox, too.
fn copy_of_sources(project: &Project, temp: &Path) -> Result<PathBuf> {
    let (root, copy) = (&project.metadata.workspace_root, temp.join("source"));
    let built: Vec<_> = project.metadata.output_folders().collect();
    let cannot_read = || format!("cannot read {}", root.display());
    for item in fs::read_dir(root).with_context(cannot_read)? {
        let path = item.with_context(cannot_read)?.path();
        if let Some(name) = path.file_name().filter(|_| !built.contains(&path.as_path())) {
            copy_with_times(&path, &copy.join(name))?;
        }
    }
    Ok(copy)
}

/// The folders that may be written in: cargo's, and the copy of the sources. One of them may lie in
/// the other, and what is shown later covers what was shown before.
fn show_writable(view: &mut View, project: &Project, copy: Option<&Path>) {
    let root = project.metadata.workspace_root.as_path();
    let mut places: Vec<_> =
        project.metadata.output_folders().map(|folder| (folder, folder)).collect();
    places.extend(copy.map(|copy| (root, copy)));
    places.sort_by_key(|(inside, _)| inside.components().count());
    for (inside, outside) in places {
        view.show(outside, inside, Access::Write);
    }
}

/// Folders that cargo's configuration has crates in: of vendored ones, or of a bundle.
fn folders_of_crates(config: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(config).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let sources = table.get("source").and_then(toml::Value::as_table);
    let places = sources.into_iter().flat_map(toml::Table::values).flat_map(|source| {
        ["directory", "local-registry"].map(|key| source.get(key)?.as_str().map(PathBuf::from))
    });
    // Relative to the folder that holds the one with the configuration.
    let base = config.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    places.flatten().map(|place| base.join(place)).collect()
}

/// A package may take its version and the like from the workspace that it is in.
fn workspace_of(folder: &Path) -> &Path {
    let is_workspace = |folder: &&Path| {
        fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("[workspace"))
    };
    folder.ancestors().find(is_workspace).unwrap_or(folder)
}

/// The crates that the Cargo.lock names, as cargo has unpacked them; its index; its checkouts if
/// there is a crate from git.
fn show_crates(view: &mut View, project: &Project, has_view: bool) -> Result<()> {
    let Some(home) = process::cargo_home() else { return Ok(()) };
    show_if_there(view, &home.join("registry/index"));
    let lock = project.metadata.workspace_root.join("Cargo.lock");
    let text =
        fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let names = crates_of(&text);
    let registries = |folder: &str| {
        let items = fs::read_dir(home.join(folder)).into_iter().flatten().flatten();
        items.map(|item| item.path()).collect::<Vec<_>>()
    };
    for registry in registries("registry/src") {
        for name in &names {
            show_if_there(view, &registry.join(name));
        }
    }
    // Cargo looks whether an archive is there, and reads only what it has unpacked of it.
    for registry in registries("registry/cache") {
        for name in &names {
            let archive = registry.join(format!("{name}.crate"));
            if has_view {
                view.pretend(&archive);
            } else {
                show_if_there(view, &archive);
            }
        }
    }
    if text.contains("source = \"git+") {
        show_if_there(view, &home.join("git"));
    }
    Ok(())
}

/// `<name>-<version>` of each package in a Cargo.lock that comes from elsewhere.
fn crates_of(lock: &str) -> BTreeSet<String> {
    let value = |line: &str, key: &str| {
        Some(line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"')?.to_owned())
    };
    let one = |package: &str| {
        let find = |key: &str| package.lines().find_map(|line| value(line, key));
        find("source")?;
        Some(format!("{}-{}", find("name")?, find("version")?))
    };
    lock.split("[[package]]").filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_names_its_crates() {
        let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"cc\",\n]\n\n\
            [[package]]\nname = \"cc\"\nversion = \"1.2.3\"\nsource = \"registry+x\"\nchecksum = \"a\"\n";
        assert_eq!(crates_of(lock).into_iter().collect::<Vec<_>>(), ["cc-1.2.3"]);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "tests have no store yet")]
    fn a_configuration_names_folders_of_crates() {
        let root = std::env::temp_dir().join(format!("muslin-config-{}", std::process::id()));
        let config = root.join(".cargo/config.toml");
        fs::create_dir_all(root.join(".cargo")).unwrap();
        fs::write(
            &config,
            "[source.crates-io]\nreplace-with = \"a\"\n[source.a]\ndirectory = \"vendor\"\n\
             [source.b]\nlocal-registry = \"/elsewhere\"\n",
        )
        .unwrap();
        assert_eq!(folders_of_crates(&config), [root.join("vendor"), PathBuf::from("/elsewhere")]);
        assert!(folders_of_crates(&root.join("none")).is_empty());
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn variables_of_the_user_are_told_from_those_of_the_app() {
        for name in ["HOME", "USER", "LC_ALL", "XDG_CACHE_HOME", "CARGO_REGISTRY_TOKEN"] {
            assert!(is_of_the_machine(name), "{name}");
        }
        for name in ["PATH", "HOMEPAGE", "APP_VERSION", "CARGO_HOME", "CARGO_TERM_COLOR"] {
            assert!(!is_of_the_machine(name), "{name}");
        }
    }
}
