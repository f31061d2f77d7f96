//! The texts that are hashed: one line an input, `key value`, in a fixed order.
//!
//! A change here changes fingerprints and so rebuilds the world: the golden plan shows it. Bump the
//! number on the first line of a kind only when the code that does that step makes other bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::digest::Digest;
use crate::recipe::template::Template;
use crate::recipe::{
    Build, Cmake, Compile, Configure, Content, Driver, Language, Library, LicenseFile, Part, Patch,
    Product, Source, Tool, Toolchain,
};
use crate::target::Target;

use super::{Step, Work};

/// What a step is made with.
pub(super) struct Inputs<'a> {
    /// Steps of which each has its fingerprint in that of this one: the driver, the dependencies.
    pub steps: Vec<&'a Step>,
    /// Steps of tools.
    pub tools: Vec<&'a Step>,
    /// The toolchain by name.
    pub toolchain: &'a str,
}

/// Lines of a pre-image.
struct Lines(String);

impl Lines {
    fn new(kind: &str) -> Self {
        Self(format!("{kind}\n"))
    }

    fn add(&mut self, key: &str, value: impl std::fmt::Display) {
        // A value with a line break must not be able to look like another line.
        let value = value.to_string().replace('\\', r"\\").replace('\n', r"\n");
        let _ = writeln!(self.0, "{key} {value}");
    }

    fn add_all<T: std::fmt::Display>(&mut self, key: &str, values: impl IntoIterator<Item = T>) {
        for value in values {
            self.add(key, value);
        }
    }

    fn source(&mut self, source: &Source) {
        self.add("source", source.digest);
        self.add_all("root", &source.root);
        self.add_all("omit", &source.omit);
        self.add_all("inner", &source.inner);
    }

    /// They are kept in the entry.
    fn license_files(&mut self, files: &[LicenseFile]) {
        for LicenseFile { paths, lines, digest } in files {
            let lines = lines.map(|(first, last)| format!(" {first}-{last}")).unwrap_or_default();
            self.add("license-file", format!("{}{lines} {digest}", paths.join(" ")));
        }
    }

    fn target(&mut self, target: &Target) {
        self.add("target", &target.triple);
        if target.llvm != target.triple {
            self.add("llvm", &target.llvm);
        }
        self.add("gnu", &target.gnu);
        self.add_all("cflag", &target.cflags);
    }

    fn patches(&mut self, patches: &[Patch]) {
        for patch in patches {
            let digest = Digest::sha256_of(patch.text.as_bytes());
            self.add("patch", format!("{} {digest}", patch.name));
        }
    }

    fn steps(&mut self, steps: &[&Step]) {
        for step in steps {
            self.add("step", format!("{} {} {}", step.name, step.version, step.fingerprint));
        }
    }

    /// A tool counts by the bytes that it is, where they are pinned: how it came to be is no input
    /// then. Else it counts by how it came to be.
    fn tools(&mut self, inputs: &Inputs<'_>) {
        for step in &inputs.tools {
            let pin = match &step.work {
                Work::Tool(tool) => tool.digests.get(inputs.toolchain),
                _ => None,
            };
            let is = pin.map_or_else(|| step.fingerprint.clone(), ToString::to_string);
            self.add("tool", format!("{} {} {is}", step.name, step.version));
        }
    }
}

pub(super) fn toolchain(toolchain: &Toolchain, source: &Source) -> String {
    let mut lines = Lines::new("toolchain 1");
    lines.add("name", &toolchain.name);
    lines.add("version", &toolchain.version);
    lines.source(source);
    lines.license_files(&toolchain.license_files);
    lines.0
}

/// A toolchain that is composed of what was made.
pub(super) fn made(toolchain: &Toolchain, target: &Target, parts: &[&Step]) -> String {
    let mut lines = Lines::new("toolchain 1");
    lines.add("name", &toolchain.name);
    lines.add("version", &toolchain.version);
    lines.add("target", &target.triple);
    lines.steps(parts);
    lines.0
}

pub(super) fn part(
    name: &str,
    part: &Part,
    source: &Source,
    target: &Target,
    inputs: &Inputs<'_>,
) -> String {
    let mut lines = Lines::new("part 1");
    lines.add("name", name);
    lines.add("version", &part.version);
    lines.target(target);
    lines.source(source);
    lines.license_files(&part.license_files);
    lines.patches(&part.patches);
    lines.steps(&inputs.steps);
    lines.tools(inputs);
    let headers = |template: &Template| template.render(|_| target.zig_kernel.clone());
    lines.add_all("headers", part.headers.iter().map(headers));
    lines.add_all("option", &part.options);
    lines.add_all("make", &part.make);
    lines.add_all("install", &part.install);
    lines.0
}

/// The C that GCC is told to read. Its own is C23 since version 15, in which `f()` takes no arguments:
/// what was written before does not compile, and clang's is this one.
pub const GCC_C_STANDARD: &str = "gnu17";

pub(super) fn driver(toolchain: &Toolchain, target: &Target, tree: &str) -> String {
    let mut lines = Lines::new("driver 1");
    lines.add("toolchain", format!("{} {} {tree}", toolchain.name, toolchain.version));
    lines.target(target);
    match &toolchain.driver {
        Driver::Gcc { prefix } => {
            lines.add("gcc", prefix);
            lines.add("c", GCC_C_STANDARD);
        }
        // The runtimes are inputs of what is linked with them.
        Driver::Zig { program, include, include_cxx, flags_cxx, .. } => {
            lines.add("zig", program);
            lines.add("zig-libc", &target.zig_libc);
            lines.add("zig-kernel", &target.zig_kernel);
            lines.add_all("include-cxx", include_cxx);
            lines.add_all("flag-cxx", flags_cxx);
            lines.add_all("include", include);
        }
    }
    lines.0
}

pub(super) fn library(
    library: &Library,
    source: &Source,
    target: &Target,
    inputs: &Inputs<'_>,
) -> String {
    let mut lines = Lines::new("library 1");
    lines.add("name", &library.name);
    lines.add("version", &library.version);
    // It is written into a generated `.pc` file.
    lines.add("description", &library.description);
    // So is the runtime that C++ is linked with.
    if library.language == Language::Cxx {
        lines.add("language", "c++");
    }
    lines.target(target);
    lines.source(source);
    lines.license_files(&library.license_files);
    lines.patches(&library.patches);
    lines.steps(&inputs.steps);
    lines.tools(inputs);
    match &library.build {
        Build::Compile(build) => compile(&mut lines, build, target),
        Build::Configure(build) => configure(&mut lines, build, target, &library.name),
        Build::Cmake(build) => cmake(&mut lines, build),
    }
    lines.add_all("output-lib", &library.outputs.libs);
    lines.add_all("output-alias", &library.outputs.aliases);
    lines.add_all("output-object", &library.outputs.objects);
    lines.add_all("output-include", &library.outputs.include);
    lines.add_all("output-pkgconfig", &library.outputs.pkgconfig);
    lines.0
}

/// `inputs` are the driver and what the program is linked with or loaded by.
pub(super) fn tool(tool: &Tool, source: &Source, target: &Target, inputs: &Inputs<'_>) -> String {
    let mut lines = Lines::new("tool 1");
    lines.add("name", &tool.name);
    lines.add("version", &tool.version);
    lines.target(target);
    lines.source(source);
    lines.license_files(&tool.license_files);
    lines.patches(&tool.patches);
    lines.steps(&inputs.steps);
    lines.tools(inputs);
    if !matches!(tool.product, Product::Prebuilt(_)) {
        compile(&mut lines, &tool.compile, target);
    }
    match &tool.product {
        Product::Program { path, aliases } => {
            lines.add("program", path);
            lines.add_all("alias", aliases);
        }
        Product::Runtime { lib, objects } => {
            lines.add("output-lib", lib);
            lines.add_all("object", objects);
        }
        Product::Loader { path } => lines.add("loader", path),
        Product::Prebuilt(program) => {
            lines.add("build", "prebuilt 1");
            lines.add_all("program", program.as_ref().map(|it| &it.program));
        }
    }
    for (folder, from) in &tool.copy {
        lines.add("copy-to", folder);
        lines.add_all("copy", from);
    }
    lines.add_all("output-file", &tool.files);
    // With another pin it is made, and compared, anew.
    lines.add_all("pin", tool.digests.get(inputs.toolchain));
    lines.0
}

fn compile(lines: &mut Lines, build: &Compile, target: &Target) {
    lines.add("build", "compile 1");
    lines.add_all("file", &build.sources);
    lines.add_all("include", &build.include);
    defines(lines, &build.defines);
    lines.add_all("flag", &build.flags);
    // All lines after that of a group are the group's, up to the next.
    for group in build.groups.iter().filter(|group| group.is_for(target)) {
        lines.add("group", group.lib.as_deref().unwrap_or_default());
        lines.add_all("file", &group.sources);
        lines.add_all("include", &group.include);
        defines(lines, &group.defines);
        lines.add_all("flag", &group.flags);
    }
    for (path, file) in &build.files {
        lines.add(if file.replace { "replace" } else { "make" }, path);
        match &file.content {
            Content::Text(text) => lines.add("text", Digest::sha256_of(text.as_bytes())),
            Content::From { path, values } => {
                lines.add("from", path);
                lines
                    .add_all("value", values.iter().map(|(word, value)| format!("{word}={value}")));
            }
        }
    }
    for (to, from) in &build.headers {
        lines.add("header", format!("{to}={from}"));
    }
    for (name, said) in &build.pkgconfig {
        lines.add("pkgconfig", name);
        lines.add_all("pc-version", &said.version);
        lines.add_all("pc-lib", &said.libs);
        lines.add_all("pc-cflag", &said.cflags);
        lines.add_all("pc-requires", &said.requires);
        lines.add_all("pc-requires-private", &said.requires_private);
        lines.add_all("pc-libs-private", &said.libs_private);
    }
}

fn defines(lines: &mut Lines, defines: &BTreeMap<String, String>) {
    lines.add_all("define", defines.iter().map(|(name, value)| format!("{name}={value}")));
}

fn configure(lines: &mut Lines, build: &Configure, target: &Target, name: &str) {
    lines.add("build", if build.is_autoconf() { "autoconf 1" } else { "configure 1" });
    lines.add("script", &build.script);
    lines.add_all("option", &build.options);
    if build.target_options {
        lines.add_all("option-for", target.options.get(name).into_iter().flatten());
    }
    lines.add_all("make", &build.make);
    lines.add_all("install", &build.install);
    lines.add_all("flag", &build.flags);
    for (name, value) in &build.cache {
        lines.add("cache", format!("{name}={value}"));
    }
    lines.add_all("host-program", &build.host_programs);
    if let Some(host) = &build.host {
        lines.add_all("host-option", &host.options);
        lines.add_all("host-make", &host.make);
        lines.add_all("host-made", &host.programs);
    }
}

fn cmake(lines: &mut Lines, build: &Cmake) {
    lines.add("build", "cmake 1");
    lines.add_all("folder", &build.folder);
    for (name, value) in &build.options {
        lines.add("option", format!("{name}={value}"));
    }
    lines.add_all("target", &build.targets);
}

pub(super) fn sysroot(target: &Target, libraries: &[&Step]) -> String {
    let mut lines = Lines::new("sysroot 1");
    lines.add("target", &target.triple);
    lines.steps(libraries);
    lines.0
}

/// What changed between two pre-images: lines that are gone (`-`) and new (`+`), in order.
/// A changed `step` line means that the step before it changed: look there.
pub fn difference(old: &str, new: &str) -> Vec<String> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(come).collect()
}
