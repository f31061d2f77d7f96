//! The variables with which cargo, cc, cmake, pkg-config and bindgen build for a target against a
//! sysroot. Only target-scoped forms where the reader has them, so that build scripts and
//! proc-macros, which run on the host, never see the target's flags.

mod config;
mod time;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cli::{self, EnvFormat, Global};
use crate::emulator::Fit;
use crate::exit::{Exit, Failure};
use crate::links::Wanted;
use crate::plan::{Plan, Work};
use crate::process::{self, shell_word};
use crate::recipe::template::{Placeholder, Template};
use crate::recipe::{Driver, OverrideValue, Toolchain};
use crate::session::{Access, Project, Session};
use crate::target::Target;
use crate::toolchain::cmake::{self, toolchain_file};
use crate::toolchain::linking::{LinkingDriver, linking_driver, sysroot_variable};
use crate::{build, report, stdlib};

/// Flags of every link: pack the relocations of a static-pie program (musl has read them since
/// 1.2.4; 0.65 MB of OpenSSL's become 0.02), fold identical functions, and put in no build id, which
/// would differ with what is not in the program.
const LINK_FLAGS: [&str; 4] = [
    "-Clink-arg=-Wl,--pack-dyn-relocs=relr",
    "-Clink-arg=-Wl,--icf=safe",
    "-Clink-arg=-Wl,-O2",
    "-Clink-arg=-Wl,--build-id=none",
];

/// What a build against a sysroot is told.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The target.
    pub target: Target,
    /// The sysroot.
    pub sysroot: PathBuf,
    /// Variables for every program of the build, sorted by name.
    pub variables: BTreeMap<String, String>,
    /// The linker of the target.
    pub linker: PathBuf,
    /// What runs its programs, where this machine's CPU does not.
    pub runner: Option<PathBuf>,
    /// The entries of the store that all this names.
    pub entries: Vec<PathBuf>,
    /// Flags of rustc for the target.
    pub rustflags: Vec<String>,
    /// `links` overrides: key, then keys of cargo's table with TOML values.
    pub overrides: BTreeMap<String, BTreeMap<String, toml::Value>>,
    /// Ids of the entries in the store that were made for it.
    pub derived: Vec<String>,
    /// The folder of the target's standard library.
    pub std: PathBuf,
}

impl Environment {
    /// Computes the environment; the plan's driver and sysroot must be in the store.
    pub fn new(session: &Session, plan: &Plan, project: &Project) -> Result<Self> {
        time::warn_of_old_libc(&project.metadata, &plan.target);
        let overruled = &project.wanted.overruled;
        let std = stdlib::find_or_make(session, plan, project)?;
        let rust = match &std {
            Some(std) => project.rust.with_std(&plan.target.triple, std),
            None => project.rust.clone(),
        };
        let (Work::Driver(toolchain), driver) = (&plan.driver().work, plan.driver()) else {
            anyhow::bail!("the plan has no driver");
        };
        let tree = session.entry(plan.toolchain()).outputs();
        let linking =
            linking_driver(&session.store, driver, &tree, toolchain, &plan.target, &rust)?;
        let sysroot = session.entry(plan.sysroot());
        let cmake = toolchain_file(&session.store, &linking, &sysroot, &plan.target)?;
        let wanted = &project.wanted;
        let mut made = Self::compose(plan, toolchain, &tree, &linking, sysroot.outputs(), wanted);
        for (_, library) in plan.libraries().filter(|(_, it)| overruled.contains(&it.name)) {
            let fill = |template| fill(template, &plan.target, &made.sysroot.to_string_lossy());
            let variables = library.env_overruling.iter();
            let variables: Vec<_> =
                variables.map(|(name, value)| (fill(name), fill(value))).collect();
            made.variables.extend(variables);
        }
        let name = format!("CMAKE_TOOLCHAIN_FILE_{}", plan.target.lower());
        let file = cmake.outputs().join(cmake::FILE);
        made.variables.insert(name, file.to_string_lossy().into_owned());
        let parts = [plan.toolchain(), plan.driver()].map(|step| session.entry(step));
        made.entries.extend(parts.iter().map(|entry| entry.path().to_owned()));
        made.entries.extend([sysroot.path(), cmake.path()].map(Path::to_owned));
        made.entries.push(entry_of(&linking.bin));
        made.derived = vec![linking.id, linking.tried, cmake.id().to_owned()];
        made.std = rust.target_folder(&plan.target.triple);
        if let Some(std) = std {
            made.rustflags.push(format!("--sysroot={}", std.outputs().display()));
            made.entries.push(std.path().to_owned());
            made.derived.push(std.id().to_owned());
        }
        Ok(made)
    }

    fn compose(
        plan: &Plan,
        toolchain: &Toolchain,
        tree: &Path,
        linking: &LinkingDriver,
        sysroot: PathBuf,
        wanted: &Wanted,
    ) -> Self {
        let target = plan.target.clone();
        let mut variables = tools(&target, linking);
        variables.extend(target.env.clone());
        let lower = target.lower();
        let text = sysroot.to_string_lossy().into_owned();
        // The driver adds the sysroot's folders itself. The cc crate watches the flags: with another
        // sysroot they are others, so what was compiled against its headers is compiled again.
        variables.insert(sysroot_variable(&target), text.clone());
        let flags = format!("-DMUSLIN_SYSROOT={}", plan.sysroot().fingerprint);
        for name in ["CFLAGS", "CXXFLAGS"] {
            variables.insert(format!("{name}_{lower}"), flags.clone());
        }
        variables.insert(format!("PKG_CONFIG_ALLOW_CROSS_{lower}"), "1".to_owned());
        variables.insert(format!("PKG_CONFIG_LIBDIR_{lower}"), format!("{text}/lib/pkgconfig"));
        // An empty one of its own keeps the host's `PKG_CONFIG_PATH` away from the target.
        variables.insert(format!("PKG_CONFIG_PATH_{lower}"), String::new());
        variables.insert(
            format!("BINDGEN_EXTRA_CLANG_ARGS_{lower}"),
            bindgen_arguments(toolchain, &target, tree, &text, linking),
        );
        // What crates that compile C++ with `cc` link; else GNU's name, which is an alias of it.
        let runtime = plan.runtime_cxx().and_then(|runtime| runtime.outputs.libs.first());
        variables.extend(runtime.map(|lib| (format!("CXXSTDLIB_{lower}"), lib.clone())));
        let mut overrides = BTreeMap::new();
        let fill = |template: &Template| fill(template, &target, &text);
        for (_, library) in plan.libraries() {
            // What keeps its own copy must not be told of ours, which may be there for another crate.
            let env = library.env.iter().filter(|_| !wanted.is_left_alone(&library.name));
            variables.extend(env.map(|(name, value)| (fill(name), fill(value))));
            for (key, table) in library.overrides.iter().filter(|it| !wanted.keeps_own(it.0)) {
                let value = |value: &OverrideValue| match value {
                    OverrideValue::One(template) => toml::Value::String(fill(template)),
                    OverrideValue::Many(list) => list.iter().map(&fill).collect::<Vec<_>>().into(),
                };
                let table = table.iter().map(|(name, v)| (name.clone(), value(v))).collect();
                overrides.insert(key.clone(), table);
            }
        }
        let linker = linking.path(&linking.names.cc);
        let is_foreign = Fit::of(target.machine) == Fit::No;
        let runner = is_foreign.then(|| linking.path(&linking.names.run));
        let rustflags = rustflags(&target);
        Self {
            target,
            sysroot,
            variables,
            linker,
            runner,
            rustflags,
            overrides,
            entries: Vec::new(),
            derived: Vec::new(),
            std: PathBuf::new(),
        }
    }

    /// Puts before our flags for rustc those that the app's configuration has for all targets.
    pub fn respect_configuration(&mut self, folder: &Path) {
        let theirs = config::silenced_rustflags(folder, &self.target.triple);
        self.rustflags.splice(0..0, theirs);
    }

    /// Fails if the app's configuration has rustc take another CPU for granted: C would not follow, and
    /// nothing would tell that the result is not for every machine of the target.
    pub fn refuse_other_cpu(&self, folder: &Path) -> Result<()> {
        let triple = &self.target.triple;
        let Some(flag) = config::raising_flag(folder, triple, self.target.cpu.is_some()) else {
            return Ok(());
        };
        let message = format!(
            "a configuration of cargo that counts in {} has rustc take another CPU for granted: `{flag}`",
            folder.display()
        );
        Err(Failure::new(Exit::Usage, message)
            .help("`--target-cpu CPU` sets Rust and C alike, and gives the result a name of its own")
            .help("leave the flag out of `.cargo/config.toml`, there and in the folders above and cargo's home")
            .into())
    }

    /// Arguments that tell cargo of the linker, the flags and the overrides: `--config`, value, …
    pub fn cargo_arguments(&self) -> Vec<String> {
        let table = format!("target.{}", self.target.triple);
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        let mut configs = vec![format!("{table}.linker={}", text(&self.linker.to_string_lossy()))];
        if !self.rustflags.is_empty() {
            configs
                .push(format!("{table}.rustflags={}", toml::Value::from(self.rustflags.clone())));
        }
        for (key, entries) in &self.overrides {
            for (name, value) in entries {
                configs.push(format!("{table}.{key}.{name}={value}"));
            }
        }
        configs.into_iter().flat_map(|config| ["--config".to_owned(), config]).collect()
    }

    /// All of it as variables: what `cargo_arguments` says too, except for the overrides, for which
    /// cargo has no variables.
    pub fn all_variables(&self) -> BTreeMap<String, String> {
        let mut all = self.variables.clone();
        let upper = self.target.upper();
        all.insert(
            format!("CARGO_TARGET_{upper}_LINKER"),
            self.linker.to_string_lossy().into_owned(),
        );
        all.extend(self.runner.as_ref().map(|runner| {
            (format!("CARGO_TARGET_{upper}_RUNNER"), runner.to_string_lossy().into_owned())
        }));
        let flags = self.rustflags.join(" ");
        all.insert(format!("CARGO_TARGET_{upper}_RUSTFLAGS"), flags);
        all
    }

    /// `export` lines for a POSIX shell.
    pub fn as_shell(&self) -> String {
        let all = self.all_variables();
        all.iter().fold(String::new(), |mut text, (name, value)| {
            let _ = writeln!(text, "export {name}={}", shell_word(value));
            text
        })
    }

    /// One JSON object.
    pub fn as_json(&self) -> String {
        let all: serde_json::Map<_, _> =
            self.all_variables().into_iter().map(|(name, value)| (name, value.into())).collect();
        format!("{:#}\n", serde_json::Value::Object(all))
    }

    /// A fragment for `.cargo/config.toml`.
    pub fn as_cargo(&self) -> String {
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        let mut out = String::from("[env]\n");
        for (name, value) in &self.variables {
            let _ = writeln!(out, "{name} = {}", text(value));
        }
        let _ = writeln!(out, "\n[target.{}]", self.target.triple);
        let _ = writeln!(out, "linker = {}", text(&self.linker.to_string_lossy()));
        if let Some(runner) = &self.runner {
            let _ = writeln!(out, "runner = {}", text(&runner.to_string_lossy()));
        }
        let _ = writeln!(out, "rustflags = {}", toml::Value::from(self.rustflags.clone()));
        for (key, entries) in &self.overrides {
            let _ = writeln!(out, "\n[target.{}.{key}]", self.target.triple);
            for (name, value) in entries {
                let _ = writeln!(out, "{name} = {value}");
            }
        }
        out
    }
}

/// Flags of rustc for a target. musl gives threads that ask for no size what the program's header says
/// of the stack, and only 128 KiB where it says nothing.
fn rustflags(target: &Target) -> Vec<String> {
    let stack = format!("-Clink-arg=-Wl,-z,stack-size={}", target.stack_size_bytes);
    let common = LINK_FLAGS.map(str::to_owned);
    // The standard library stays as Rust ships it, which runs on such a CPU too.
    let cpu = target.cpu.iter().map(|cpu| format!("-Ctarget-cpu={cpu}"));
    target.rustflags.iter().cloned().chain(common).chain([stack]).chain(cpu).collect()
}

/// The entry that a file or folder right below its outputs belongs to.
fn entry_of(path: &Path) -> PathBuf {
    path.ancestors().nth(2).unwrap_or(path).to_owned()
}

fn tools(target: &Target, linking: &LinkingDriver) -> BTreeMap<String, String> {
    let lower = target.lower();
    let names = &linking.names;
    let mut variables = BTreeMap::new();
    for (variable, name) in [
        ("CC", &names.cc),
        ("CXX", &names.cxx),
        ("AR", &names.ar),
        ("RANLIB", &names.ranlib),
        ("STRIP", &names.strip),
    ] {
        let path = linking.path(name).to_string_lossy().into_owned();
        variables.insert(format!("{variable}_{lower}"), path);
    }
    variables
}

/// Makes libclang see the target's headers and never the host's.
fn bindgen_arguments(
    toolchain: &Toolchain,
    target: &Target,
    tree: &Path,
    sysroot: &str,
    linking: &LinkingDriver,
) -> String {
    let mut words = vec![format!("--target={}", target.llvm)];
    match &toolchain.driver {
        Driver::Zig { include, .. } => {
            words.push("-nostdinc".to_owned());
            words.push(format!("-isystem{}", linking.bindgen_headers().display()));
            for folder in include {
                let folder = tree.join(fill(folder, target, sysroot));
                words.push(format!("-isystem{}", folder.display()));
            }
        }
        Driver::Gcc { .. } => {
            // libclang brings no headers of its own; what GCC's have for CPUs is not for it.
            words.push("-nostdinc".to_owned());
            words.push(format!("-isystem{}", linking.bindgen_headers().display()));
            let versions = tree.join("lib/gcc").join(&target.triple);
            let own = fs::read_dir(versions).into_iter().flatten().flatten();
            let folders = own.map(|version| version.path().join("include"));
            let libc = tree.join(&target.triple).join("sysroot");
            let libc = ["usr/include", "include"].map(|folder| libc.join(folder));
            for folder in folders.chain(libc).filter(|folder| folder.is_dir()) {
                words.push(format!("-isystem{}", folder.display()));
            }
        }
    }
    words.push(format!("-isystem{sysroot}/include"));
    words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

fn fill(template: &Template, target: &Target, sysroot: &str) -> String {
    template.render(|placeholder| match placeholder {
        Placeholder::Sysroot => sysroot.to_owned(),
        Placeholder::Target => target.triple.clone(),
        Placeholder::TargetUpper => target.upper(),
        Placeholder::Gnu => target.gnu.clone(),
        Placeholder::ZigLibc => target.zig_libc.clone(),
        Placeholder::ZigKernel => target.zig_kernel.clone(),
        Placeholder::Version | Placeholder::Jobs => String::new(),
    })
}

/// A session, a package and a plan whose driver and sysroot are in the store.
fn prepared(
    global: Global,
    package: &cli::Package,
    platform: &cli::Platform,
) -> Result<Environment> {
    let session = Session::open(global, Access::Write)?;
    let target = session.one_target(platform, "variables are those of")?;
    let project = session.project(package, &target.triple)?;
    let plan = session.settle_project(&project, platform, &target)?;
    build::make(&session, &plan)?;
    let mut environment = Environment::new(&session, &plan, &project)?;
    session.keep_root(&project, &plan, &environment.derived);
    environment.respect_configuration(project.folder());
    Ok(environment)
}

impl cli::Env {
    /// Prints the variables.
    pub fn run(self, global: Global) -> Result<()> {
        let environment = prepared(global, &self.package, &self.platform)?;
        report::output(&match self.format {
            EnvFormat::Shell => environment.as_shell(),
            EnvFormat::Json => environment.as_json(),
            EnvFormat::Cargo => environment.as_cargo(),
        });
        Ok(())
    }
}

impl cli::Exec {
    /// Runs the command; its exit code becomes ours.
    pub fn run(self, global: Global) -> Result<std::process::ExitStatus> {
        let environment = prepared(global, &self.package, &self.platform)?;
        let mut words = self.command.iter();
        let program = words.next().context("no command")?;
        let mut command = process::command(program);
        command.args(words).envs(environment.all_variables());
        process::run_foreground(&mut command)
    }
}
