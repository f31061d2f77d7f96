//! The builder for a GCC that Muslin makes itself: its stages, and the tree that is composed of them.
//!
//! Its programs are static and linked with musl, so they run wherever the kernel does. The prefix is
//! one that no machine has, and GCC finds all it needs by way of its own place: so the tree can stand
//! anywhere, and no path gets into it. Its layout is that of the prebuilt musl cross toolchains.

mod host;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::bench::{Bench, Sharing};
use super::configure::make_command;
use super::outputs;
use super::room::Folders;
use super::steps::toolchain_step;
use super::tools::SHELL;
use crate::layout::{copy_tree, files_below};
use crate::plan::{Plan, Step, Work};
use crate::process;
use crate::recipe::template::Template;
use crate::recipe::{Part, Stage};
use crate::session::Session;
use crate::target::Target;

pub use host::prepare;

/// Where the tree would be installed. There is no such folder on any machine.
const PREFIX: &str = "/toolchain";

/// The machine that its programs run on, in GNU's words; another one than any target in Rust's words,
/// so that it is always a cross compiler, also for this machine's kind.
const HOST_GNU: &str = "x86_64-linux-musl";

/// Flags of its own programs. A compiler that is optimised further would be faster, and take much
/// longer to make. Its warnings are its makers' business.
const HOST_FLAGS: &str = "-O1 -w";

/// Flags of what ends up in programs, beside the target's own; as those of every library.
const TARGET_FLAGS: &str = "-O2 -fPIC -ffunction-sections -fdata-sections -w";

/// There are no manuals.
const MAKE: &str = "MAKEINFO=true";

/// Folders of an installed stage that are kept: all but manuals and messages.
fn kept(target: &Target) -> [PathBuf; 5] {
    ["bin", "include", "lib", "libexec", &target.triple].map(PathBuf::from)
}

/// Makes the outputs of a stage.
pub fn make(
    session: &Session,
    plan: &Plan,
    step: &Step,
    part: &Part,
    bench: &Bench<'_>,
) -> Result<()> {
    let stage = StageBuild { session, plan, step, part, bench };
    match part.stage {
        Stage::Libc => stage.libc(),
        Stage::Binutils => stage.binutils(),
        Stage::Compiler => stage.compiler(),
    }
}

struct StageBuild<'a> {
    session: &'a Session,
    plan: &'a Plan,
    step: &'a Step,
    part: &'a Part,
    bench: &'a Bench<'a>,
}

impl StageBuild<'_> {
    /// musl, compiled by the other toolchain: its headers and archives, and the kernel's headers.
    fn libc(&self) -> Result<()> {
        let bench = self.bench;
        let mut script = self.script();
        script.args(["--prefix=/usr", "--disable-shared"]);
        script.arg(format!("--target={}", bench.target.gnu));
        script.args(self.options());
        // Its shared form alone is linked with a compiler's runtime, and programs of a cross
        // compiler's name are none of this step's.
        script.env("LIBCC", " ").env("CROSS_COMPILE", "");
        bench.run(&script, Sharing::Alone)?;
        self.make(&self.part.make, &[])?;
        self.install(&[])?;
        let Folders { root, install, staging, .. } = &bench.folders;
        let tree = self.session.entry(toolchain_step(self.plan, self.step)?).outputs();
        for folder in &self.part.headers {
            let folder = self.fill(folder);
            copy_tree(&tree.join(&folder), &install.join("usr/include"))
                .with_context(|| format!("cannot take the kernel's headers in {folder}"))?;
        }
        copy_tree(staging, install)?;
        let declared = ["usr/include", "usr/lib"].map(PathBuf::from);
        self.take(&declared, install, &root.join("outputs"))
    }

    fn binutils(&self) -> Result<()> {
        let mut script = self.cross_script(&[]);
        script.args(self.options());
        self.bench.run(&script, Sharing::Alone)?;
        self.make(&self.part.make, &[])?;
        self.install(&[])?;
        self.take_installed()
    }

    /// The compiler, and with that one what it links into programs.
    fn compiler(&self) -> Result<()> {
        let (bench, target) = (self.bench, self.bench.target);
        let before = |wanted: Stage, triple: &str| {
            let mut steps = self.plan.dependencies(self.step);
            let is_it = |it: &&Step| match &it.work {
                Work::Part(_, part) => part.stage == wanted && it.target.triple == triple,
                _ => false,
            };
            let found = steps.find(is_it).context("a compiler without a stage before it")?;
            Ok::<_, anyhow::Error>(self.session.entry(found).outputs())
        };
        // Where the new compiler looks for it, by its relative place.
        let objects = &bench.folders.objects;
        let sysroot = objects.join(&target.triple).join("sysroot");
        fs::create_dir_all(&sysroot)?;
        copy_tree(&before(Stage::Libc, &target.triple)?, &sysroot)?;
        let binutils = bench.seen(&before(Stage::Binutils, &target.triple)?.join("bin"));
        let mut script = self.cross_script(&[&binutils]);
        script.args(self.options()).args(baseline(target));
        let flags = format!("{TARGET_FLAGS} {}", target.cflags.join(" "));
        script.env("CFLAGS_FOR_TARGET", &flags).env("CXXFLAGS_FOR_TARGET", &flags);
        bench.run(&script, Sharing::Alone)?;
        self.make(&self.part.make, &[&binutils])?;
        // What it puts into archives gets an index.
        self.install(&[&binutils])?;
        self.take_installed()
    }

    /// A configure script beside its source tree; by a relative path, since some write it down.
    fn script(&self) -> Command {
        let mut script = self.bench.command(SHELL);
        script.current_dir(self.bench.seen(&self.bench.folders.objects));
        script.arg("../source/configure");
        script
    }

    /// The script of something that runs here and works for the target.
    fn cross_script(&self, programs: &[&Path]) -> Command {
        let triple = &self.bench.target.triple;
        let mut script = with_host(self.script(), programs);
        script.arg(format!("--prefix={PREFIX}")).arg(format!("--build={HOST_GNU}"));
        script.arg(format!("--host={HOST_GNU}")).arg(format!("--target={triple}"));
        script.arg(format!("--with-sysroot={PREFIX}/{triple}/sysroot"));
        script
    }

    fn options(&self) -> Vec<String> {
        self.part.options.iter().map(|option| self.bench.fill(option)).collect()
    }

    fn fill(&self, template: &Template) -> String {
        template.render(|_| self.bench.target.zig_kernel.clone())
    }

    fn make(&self, targets: &[String], programs: &[&Path]) -> Result<()> {
        let bench = self.bench;
        let mut command = make_command(bench);
        if self.part.stage != Stage::Libc {
            command = with_host(command, programs);
            command.arg(MAKE);
        }
        command.current_dir(bench.seen(&bench.folders.objects)).args(targets);
        bench.run(&command, Sharing::Jobserver)
    }

    fn install(&self, programs: &[&Path]) -> Result<()> {
        let mut words = self.part.install.clone();
        words.push(format!("DESTDIR={}", self.bench.seen(&self.bench.folders.staging).display()));
        self.make(&words, programs)
    }

    fn take_installed(&self) -> Result<()> {
        let Folders { root, staging, .. } = &self.bench.folders;
        let installed = staging.join(&PREFIX[1..]);
        if !installed.symlink_metadata().is_ok_and(|data| data.is_dir()) {
            bail!("{}: make installed nothing below {PREFIX}", self.bench.name);
        }
        // Of libtool's files each names the prefix, and none is needed.
        for file in files_below(&installed)? {
            if file.extension().is_some_and(|ending| ending == "la") {
                fs::remove_file(installed.join(file))?;
            }
        }
        let is_there =
            |folder: &PathBuf| files_below(&installed.join(folder)).is_ok_and(|it| !it.is_empty());
        let declared: Vec<_> = kept(self.bench.target).into_iter().filter(is_there).collect();
        self.take(&declared, &installed, &root.join("outputs"))
    }

    fn take(&self, declared: &[PathBuf], from: &Path, to: &Path) -> Result<()> {
        let toolchain = match &self.step.work {
            Work::Part(toolchain, _) => toolchain,
            _ => self.bench.name,
        };
        let recipe = format!("recipes/toolchains/{toolchain}.toml");
        outputs::take(self.bench.name, &recipe, declared, from, to)
    }
}

/// A command with the compilers for this machine, and these folders before the others of `PATH`.
fn with_host(mut command: Command, programs: &[&Path]) -> Command {
    command.envs(host::VARIABLES).env("CFLAGS", HOST_FLAGS).env("CXXFLAGS", HOST_FLAGS);
    let set = command.get_envs().find(|(name, _)| *name == "PATH");
    let path = set.and_then(|(_, value)| Some(value?.to_string_lossy().into_owned()));
    let folders = programs.iter().map(|folder| folder.to_string_lossy().into_owned());
    let folders: Vec<_> = folders.chain(path).collect();
    command.env("PATH", folders.join(":"));
    command
}

/// The CPU baseline as a compiler's own default, so that it holds for what it links, too.
fn baseline(target: &Target) -> Vec<String> {
    const OPTIONS: [(&str, &str); 5] = [
        ("-march=", "--with-arch="),
        ("-mcpu=", "--with-cpu="),
        ("-mfpu=", "--with-fpu="),
        ("-mfloat-abi=", "--with-float="),
        ("-mabi=", "--with-abi="),
    ];
    let option = |flag: &String| match flag.as_str() {
        "-msoft-float" => Some("--with-float=soft".to_owned()),
        flag => OPTIONS
            .iter()
            .find_map(|(flags, option)| Some(format!("{option}{}", flag.strip_prefix(flags)?))),
    };
    target.cflags.iter().filter_map(option).collect()
}

/// Composes the tree of a toolchain from its stages, each of which brings other files.
pub fn compose(session: &Session, plan: &Plan, step: &Step, root: &Path) -> Result<()> {
    let outputs = root.join("outputs");
    let mut origins = Vec::new();
    for dependency in plan.dependencies(step) {
        let Work::Part(_, part) = &dependency.work else { continue };
        let entry = session.entry(dependency);
        let place = match part.stage {
            Stage::Libc => outputs.join(&step.target.triple).join("sysroot"),
            Stage::Binutils | Stage::Compiler => outputs.clone(),
        };
        for file in files_below(&entry.outputs())? {
            if place.join(&file).symlink_metadata().is_ok() {
                bail!("two stages of {} bring {}", step.name, file.display());
            }
        }
        fs::create_dir_all(&place)?;
        process::writing(|| copy_tree(&entry.outputs(), &place))?;
        if entry.licenses().is_dir() {
            copy_tree(&entry.licenses(), &root.join("licenses"))?;
        }
        origins.extend(entry.origin());
    }
    // Who served the compiler's.
    fs::write(root.join("origin.txt"), origins.last().map(String::as_str).unwrap_or_default())?;
    Ok(())
}
