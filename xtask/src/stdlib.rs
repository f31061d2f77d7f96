//! Rust's standard library from source, for targets for which rustup has none that will do.
//!
//! Cargo builds it as it builds any workspace, with the project's own stable compiler: only here is that
//! told to accept what else only a nightly one does. What comes out is a sysroot of rustc, with the
//! target's C runtime where rustc looks for it; so the app's build needs nothing but its path. Built
//! once for a rustc, a target and a C runtime, in a sandbox, from verified bytes, without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::exit::{Exit, Failure};
use crate::host::Host;
use crate::layout::{Entry, files_below, remove_tree};
use crate::plan::Plan;
use crate::process::{self, describe_status, last_lines};
use crate::recipe::RustStd;
use crate::report;
use crate::rust::Rust;
use crate::rust::from_source::{self, Archives};
use crate::sandbox::{Access, Sandbox, View};
use crate::session::{Project, Session};
use crate::unpack::{self, MODIFIED, Part};

/// Where the work is done, for a program with a view of its own.
const BUILD: &str = "/build";

/// How many lines of cargo's output a failure shows.
const SHOWN_LINES: usize = 30;

/// The workspace's package that needs all that a sysroot has.
const MANIFEST: &str = "library/sysroot/Cargo.toml";

/// The profile of upstream's own builds: optimised for all uses, with lines for backtraces.
const PROFILE: &str = "dist";

/// Finds or makes the standard library of a plan's target; nothing if rustup brings it. The plan's steps
/// must be in the store.
pub fn find_or_make(session: &Session, plan: &Plan, project: &Project) -> Result<Option<Entry>> {
    let Some(std) = from_source::recipe(&session.recipes, &plan.target)? else { return Ok(None) };
    let pre_image = from_source::pre_image(std, &project.rust, plan);
    let entry = from_source::entry(&session.store, std, &pre_image);
    if entry.exists() {
        return Ok(Some(entry));
    }
    let archives = session.fetch_std(std)?;
    let host = Host::of(session, project, plan)?;
    let make = |folder: &Path| {
        let begin = Instant::now();
        let build = Build { session, plan, rust: &project.rust, std, host: &host, folder };
        build.make(&archives)?;
        fs::write(folder.join("seconds.txt"), format!("{:.2}\n", begin.elapsed().as_secs_f64()))?;
        fs::write(folder.join("sandbox.txt"), session.sandbox()?.way().word())?;
        Ok(())
    };
    session.store.find_or_make(from_source::NAME, &std.version, &pre_image, make).map(Some)
}

struct Build<'a> {
    session: &'a Session,
    plan: &'a Plan,
    rust: &'a Rust,
    std: &'a RustStd,
    host: &'a Host,
    /// The entry to be.
    folder: &'a Path,
}

impl Build<'_> {
    fn make(&self, archives: &Archives) -> Result<()> {
        let triple = &self.plan.target.triple;
        let label = format!("{} {} for {triple}", from_source::NAME, self.std.version);
        report::status("Building", format!("{label}, once: this takes a minute or two"));
        let _progress = report::Progress::spinner("Building", &label);
        let work = self.folder.join("work");
        self.fill(archives, &work)?;
        self.compile(&work)?;
        let lib = self.folder.join("outputs/lib/rustlib").join(triple).join("lib");
        fs::create_dir_all(&lib)?;
        take(&work.join("target").join(triple).join(PROFILE).join("deps"), &lib)?;
        self.add_runtime(&lib.join("self-contained"))?;
        remove_tree(&work)?;
        Ok(())
    }

    /// The patched sources, and the crates as `cargo vendor` would lay them out.
    fn fill(&self, archives: &Archives, work: &Path) -> Result<()> {
        let (library, vendor) = (work.join("library"), work.join("vendor"));
        for folder in [&vendor, &work.join("target"), &work.join("home")] {
            fs::create_dir_all(folder)?;
        }
        let source = &self.std.sources[archives.source];
        let part = Part {
            root: source.root.as_deref(),
            omit: &source.omit,
            inner: source.inner.as_deref(),
        };
        unpack::unpack_archive(&archives.library, &part, &library)
            .context("cannot unpack the sources of Rust's standard library")?;
        for patch in &self.std.patches {
            unpack::patch::apply_patch(&library, &patch.name, &patch.text)?;
        }
        // Its crates are pinned one by one: of each there is one version to choose from.
        fs::remove_file(library.join("Cargo.lock"))?;
        for (name, version, digest, archive) in &archives.crates {
            let folder = vendor.join(format!("{name}-{version}"));
            unpack::unpack_archive(archive, &Part::default(), &folder)
                .with_context(|| format!("cannot unpack {name} {version}"))?;
            let text = format!("{{\"files\":{{}},\"package\":\"{}\"}}", digest.hex());
            fs::write(folder.join(".cargo-checksum.json"), text)?;
        }
        fs::write(self.folder.join("origin.txt"), archives.library.served_by())?;
        Ok(())
    }

    fn compile(&self, work: &Path) -> Result<()> {
        let sandbox = self.session.sandbox()?;
        let mut view = View::default();
        self.host.show(&mut view)?;
        for path in self.rust.folders() {
            view.show_here(&path, Access::Read);
        }
        for step in [self.plan.toolchain(), self.plan.driver()] {
            view.show_here(self.session.entry(step).path(), Access::Read);
        }
        view.show(work, Path::new(BUILD), Access::Write);
        let command = self.cargo(sandbox, &view, work);
        let captured = process::capture(&mut sandbox.wrap(&view, &command)?)?;
        let log = self.folder.join("build.log");
        fs::write(&log, &captured.stderr)?;
        if captured.status.success() {
            return Ok(());
        }
        if process::is_interrupted() {
            anyhow::bail!("interrupted");
        }
        let target = &self.plan.target.triple;
        let how = describe_status(captured.status);
        let said = last_lines(captured.stderr.trim_end(), SHOWN_LINES);
        let message =
            format!("cargo could not build the standard library of {target}: it {how}\n{said}");
        Err(Failure::new(Exit::Failed, message)
            .help("recipes/std.toml names the release of Rust whose sources and patches these are")
            .into())
    }

    fn cargo(&self, sandbox: &Sandbox, view: &View, work: &Path) -> Command {
        let at = |name: &str| sandbox.seen(view, &work.join(name));
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut cargo = process::command(self.rust.sysroot().join("bin/cargo"));
        let tmp = at("home");
        let driver = self.session.entry(self.plan.driver()).outputs().join("bin");
        cargo.current_dir(at("library")).env_clear();
        cargo.envs([("CARGO_HOME", at("home")), ("HOME", at("home")), ("TMPDIR", tmp)]);
        cargo.envs(
            self.host
                .variables(self.rust.sysroot(), &driver)
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        cargo.env("RUSTC", self.rust.sysroot().join("bin/rustc"));
        cargo.env("CARGO_TARGET_DIR", at("target")).env("CARGO_ENCODED_RUSTFLAGS", self.flags(&at));
        cargo.envs([
            ("RUSTC_BOOTSTRAP", "1"),
            ("CARGO_TERM_COLOR", "never"),
            ("LC_ALL", "C.UTF-8"),
        ]);
        // A library that could also be a dynamic one gets no hash into its name else.
        cargo.envs([("__CARGO_DEFAULT_LIB_METADATA", "muslin"), ("TZ", "UTC")]);
        cargo.env("SOURCE_DATE_EPOCH", MODIFIED.to_string());
        let vendor = toml::Value::String(text(at("vendor")));
        cargo.args(["build", "--offline", "--manifest-path"]).arg(at(MANIFEST));
        let [features, panic] = from_source::settings(&self.plan.target);
        cargo.env("CARGO_PROFILE_DIST_PANIC", panic);
        cargo.args(["--profile", PROFILE, "--features", features]);
        cargo.args(["--target", &self.plan.target.triple]);
        cargo.args(["--config", "source.crates-io.replace-with=\"std\"", "--config"]);
        cargo.arg(format!("source.std.directory={vendor}"));
        cargo.args(self.host.cargo_arguments()).args(["--jobs", &self.session.jobs().to_string()]);
        cargo
    }

    /// Flags for what is built for the target. Paths become those that upstream's own builds have.
    fn flags(&self, at: &dyn Fn(&str) -> PathBuf) -> String {
        let commit = self.rust.commit();
        let names = [
            ("target", "/rust/build".to_owned()),
            ("vendor", "/rust/deps".to_owned()),
            ("library", format!("/rustc/{commit}/library")),
        ];
        let mut flags = vec!["-Zforce-unstable-if-unmarked".to_owned()];
        flags.extend(self.std.rustflags_for(&self.plan.target).cloned());
        flags
            .extend(names.map(|(place, name)| {
                format!("--remap-path-prefix={}={name}", at(place).display())
            }));
        flags.join("\u{1f}")
    }

    /// Puts the libc with its objects and the unwinder where rustc looks for them.
    fn add_runtime(&self, to: &Path) -> Result<()> {
        fs::create_dir_all(to)?;
        for step in self.plan.runtime_rust() {
            let lib = self.session.entry(step).outputs().join("lib");
            for file in files_below(&lib)? {
                let cannot = || format!("cannot copy {}", file.display());
                fs::copy(lib.join(&file), to.join(&file)).with_context(cannot)?;
            }
        }
        Ok(())
    }
}

/// Takes the libraries out of cargo's folder. That of the package which only asks for the others has
/// nothing in it.
fn take(from: &Path, to: &Path) -> Result<()> {
    for file in files_below(from)? {
        let name = file.to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libsysroot") {
            fs::copy(from.join(&file), to.join(&file))
                .with_context(|| format!("cannot copy {name}"))?;
        }
    }
    Ok(())
}
