//! The journey of a bundle: from this machine to an account with nothing in it, without a network, and
//! the same program there. It takes minutes, since the xtask is compiled there: `cargo xtask test --all`
//! runs it (it sets MUSLIN_TEST_SLOW), with the store of MUSLIN_STORE.
#![allow(clippy::disallowed_methods, reason = "a test drives the program from outside")]

#[path = "support/registry.rs"]
mod registry;
#[path = "support/repository.rs"]
mod repository;
#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "support/server.rs"]
mod server;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use xtask::layout::{copy_tree, files_below, remove_tree, tree_listing};
use xtask::process::{env_var, shell_word};

use repository::Repository;
use server::Server;

/// What the app has besides.
const MORE: &str = "
#[used]
static SHUTTLE: fn() -> u32 = shuttle::turns;
#[used]
static HEDDLE: fn(&[u32], usize) -> u32 = heddle::lift;
";

/// A workspace of which one member is used. Its build script needs a file that may be run.
const REPOSITORY: [(&str, &str); 5] = [
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"0.3.0\"\nedition = \"2024\"\n",
    ),
    (
        "crates/heddle/Cargo.toml",
        "[package]\nname = \"heddle\"\nversion.workspace = true\nedition.workspace = true\n",
    ),
    (
        "crates/heddle/src/lib.rs",
        "pub fn lift(of: &[u32], which: usize) -> u32 {\n    of[which]\n}\n",
    ),
    ("crates/heddle/tool", "#!/bin/sh\n"),
    (
        "crates/heddle/build.rs",
        "use std::os::unix::fs::PermissionsExt;\nfn main() {\n    \
         let mode = std::fs::metadata(\"tool\").unwrap().permissions().mode();\n    \
         assert_ne!(mode & 0o100, 0, \"it may be run\");\n}\n",
    ),
];

const TRIPLE: &str = "x86_64-unknown-linux-musl";

/// A user that no machine has.
const NOBODY: u32 = 61_234;

fn skip(why: &str) {
    xtask::report::text(&format!("SKIPPED: the journey of a bundle: {why}"));
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[track_caller]
fn ok(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    output
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder of the journey; gone when dropped, unless the test failed.
struct Journey(PathBuf);

impl Drop for Journey {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = remove_tree(&self.0);
        }
    }
}

impl Journey {
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A copy of the checkout without its history and what was built.
    fn copy_checkout(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
        let output = ok(Command::new("git").args(arguments).current_dir(root));
        for path in String::from_utf8(output.stdout).unwrap().lines() {
            let to = self.at("checkout").join(path);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(root.join(path), to).unwrap();
        }
        copy_tree(&root.join("recipes"), &self.at("checkout/recipes")).unwrap();
    }

    /// `hello-sqlite` as an app of its own, with a crate of a git repository, whose paths are in the
    /// program, and one of a second registry, which is left running.
    fn make_app(&self) -> Server {
        let (checkout, app) = (self.at("checkout"), self.at("app"));
        fs::create_dir_all(app.join("src")).unwrap();
        let main = fs::read_to_string(checkout.join("app/src/bin/hello-sqlite.rs")).unwrap();
        fs::write(app.join("src/main.rs"), format!("{main}{MORE}")).unwrap();
        let repository = Repository::begin(&self.at("repository"));
        for (path, text) in REPOSITORY {
            repository.write(path, text);
        }
        let tool = self.at("repository/crates/heddle/tool");
        fs::set_permissions(tool, fs::Permissions::from_mode(0o755)).unwrap();
        let commit = repository.commit("A heddle");
        let registry = registry::serve("shuttle", &["1.0.0", "1.4.0"]);
        fs::create_dir_all(app.join(".cargo")).unwrap();
        let index = format!("[registries.second]\nindex = \"sparse+{}\"\n", registry.url(""));
        fs::write(app.join(".cargo/config.toml"), index).unwrap();
        fs::copy(checkout.join("Cargo.lock"), app.join("Cargo.lock")).unwrap();
        let text = fs::read_to_string(checkout.join("app/Cargo.toml")).unwrap();
        let rusqlite = text.lines().find(|line| line.starts_with("rusqlite ")).unwrap();
        let manifest = format!(
            "[package]\nname = \"hello-sqlite\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [dependencies]\n{rusqlite}\nshuttle = {{ version = \"1\", registry = \"second\" }}\n\
             heddle = {{ git = \"file://{}\", rev = \"{commit}\" }}\n[workspace]\n",
            self.at("repository").display()
        );
        fs::write(app.join("Cargo.toml"), manifest).unwrap();
        ok(Command::new(env!("CARGO")).args(["metadata", "--format-version=1"]).current_dir(&app));
        registry
    }

    /// A copy of the Rust that runs us, without the standard library of the target.
    fn copy_rust(&self) {
        let cargo = PathBuf::from(env!("CARGO"));
        let sysroot = cargo.parent().and_then(Path::parent).unwrap();
        let copy =
            |how: &str| Command::new("cp").arg(how).arg(sysroot).arg(self.at("rust")).status();
        // Linked where that can be, because it is a gigabyte; files that change are made anew.
        if !copy("-al").unwrap().success() {
            remove_tree(&self.at("rust")).unwrap();
            assert!(copy("-a").unwrap().success());
        }
        let rustlib = self.at("rust/lib/rustlib");
        remove_tree(&rustlib.join(TRIPLE)).unwrap();
        let _ = fs::remove_file(rustlib.join(format!("manifest-rust-std-{TRIPLE}")));
        for (name, between) in [("components", "\n"), ("multirust-config.toml", "\n\n")] {
            let Ok(text) = fs::read_to_string(rustlib.join(name)) else { continue };
            let kept: Vec<_> = text.split(between).filter(|part| !part.contains(TRIPLE)).collect();
            fs::remove_file(rustlib.join(name)).unwrap();
            fs::write(rustlib.join(name), kept.join(between)).unwrap();
        }
    }

    /// Gives folders, and files of which there is no other name, to the traveller.
    fn give_away(&self, folder: &Path) {
        if !is_root() {
            return;
        }
        chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        for item in fs::read_dir(folder).unwrap().flatten() {
            let data = item.metadata().unwrap();
            if data.is_dir() {
                self.give_away(&item.path());
            } else if data.is_file() && data.nlink() == 1 {
                chown(item.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
    }

    /// A shell in the account with nothing in it, and without a network.
    fn traveller(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        if is_root() {
            command.args(["--net", "setpriv", "--clear-groups"]);
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
        } else {
            command.args(["--user", "--map-current-user", "--net"]);
        }
        command.args(["sh", "-ec", script]).current_dir(self.at("checkout")).env_clear();
        command.env("HOME", self.at("home"));
        command.env("PATH", format!("{}:/usr/bin:/bin", self.at("rust/bin").display()));
        command
    }

    /// What the checkout holds, but for what was built in it.
    fn checkout_listing(&self) -> String {
        let _ = remove_tree(&self.at("checkout/target"));
        tree_listing(&self.at("checkout")).unwrap()
    }
}

fn xtask(store: &str) -> Command {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.current_dir(checkout).env("MUSLIN_STORE", store).env_remove("CARGO_TARGET_DIR");
    command
}

/// The commands that `bundle` prints.
fn printed_commands(output: &Output) -> Vec<String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let (_, printed) = said.split_once("on the other machine:\n").unwrap();
    let commands = printed.lines().filter_map(|line| line.strip_prefix("  ").map(str::to_owned));
    commands.filter(|line| !line.starts_with(' ')).collect()
}

#[test]
fn a_bundle_makes_the_same_program_in_an_account_with_nothing_in_it() {
    let store = env_var("MUSLIN_STORE").filter(|_| env_var("MUSLIN_TEST_SLOW").is_some());
    let Some(store) = store else { return skip("run `cargo xtask test --all`") };
    let journey =
        Journey(std::env::temp_dir().join(format!("muslin-journey-{}", std::process::id())));
    for folder in ["home", "checkout"] {
        fs::create_dir_all(journey.at(folder)).unwrap();
    }
    if !journey.traveller("true").status().is_ok_and(|status| status.success()) {
        return skip("this machine lets nobody have a network namespace");
    }
    journey.copy_checkout();
    let registry = journey.make_app();
    journey.copy_rust();

    let manifest = journey.at("app/Cargo.toml");
    let output = ok(xtask(&store).arg("dist").arg("--manifest-path").arg(&manifest));
    let program = PathBuf::from(String::from_utf8(output.stdout).unwrap().lines().next().unwrap());
    let expected = fs::read(&program).unwrap();
    let bundle = journey.at("checkout/hello.tar");
    let output = ok(xtask(&store).arg("bundle").arg("--manifest-path").arg(&manifest).arg(&bundle));
    let commands = printed_commands(&output);
    assert_eq!(commands.len(), 3, "{commands:?}");
    remove_tree(&journey.at("app/target")).unwrap();
    drop(registry);
    remove_tree(&journey.at("repository")).unwrap();
    let before = journey.checkout_listing();
    for folder in ["home", "checkout", "app", "rust"] {
        journey.give_away(&journey.at(folder));
    }

    // What cargo compiles before `unbundle` can run is held against Cargo.lock by cargo itself.
    let spoilt = format!(
        "HOME=$HOME/other; mkdir $HOME; {}; for crate in $HOME/.cargo/muslin/registry/anyhow-1.*.crate; \
         do printf x >> \"$crate\"; done; {}",
        commands[1], commands[2]
    );
    let output = journey.traveller(&spoilt).output().unwrap();
    let told = said(&output);
    assert!(!output.status.success() && told.contains("failed to verify the checksum"), "{told}");
    assert!(!told.contains("Compiling"), "{told}");

    let rustlib = journey.at("rust/lib/rustlib");
    let script = commands.join("\n");
    if is_root() {
        // A Rust that belongs to somebody else: all is said and done but one thing.
        chown(&rustlib, Some(0), Some(0)).unwrap();
        let output = journey.traveller(&script).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let told = said(&output);
        let command = told.split('`').find(|part| part.starts_with("tar -xf ")).unwrap();
        fs::create_dir(journey.at("elsewhere")).unwrap();
        let rust = shell_word(&journey.at("rust").to_string_lossy());
        let command = command.replace(&rust, &journey.at("elsewhere").to_string_lossy());
        ok(Command::new("sh").args(["-c", &command]).current_dir(journey.at("checkout")));
        let files = files_below(&journey.at("elsewhere").join("lib/rustlib").join(TRIPLE)).unwrap();
        assert!(files.iter().any(|file| file.to_string_lossy().contains("libstd-")), "{files:?}");
        chown(&rustlib, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    ok(&mut journey.traveller(&script));
    let registered = fs::read_to_string(rustlib.join("components")).unwrap_or_default();
    assert!(registered.contains(&format!("rust-std-{TRIPLE}\n")), "{registered}");

    let dist = "cargo xtask dist --offline --manifest-path ../app/Cargo.toml";
    let output = ok(&mut journey.traveller(dist));
    let there = journey.at("app/target/dist").join(TRIPLE).join("hello-sqlite");
    assert!(fs::read(&there).unwrap() == expected, "another program: {}", said(&output));
    let has = |path: &str| expected.windows(path.len()).any(|bytes| bytes == path.as_bytes());
    assert!(has("/crates/heddle-0.3.0/src/lib.rs"), "by the same name in both places");
    assert_eq!(journey.checkout_listing(), before, "the checkout was written to");
}
