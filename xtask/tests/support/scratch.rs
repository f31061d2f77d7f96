//! A workspace of its own for a test: recipes, archives behind a mirror folder, a toolchain, a store,
//! an app. The real xtask program runs in it and sees nothing else of this machine.
//!
//! The toolchain is a fake in the layout of a GCC cross toolchain whose programs pass the work on to
//! the machine's own compiler and note each call: enough for the logic of steps, and quick. So are the
//! tools, where a test asks for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use flate2::{Compression, write::GzEncoder};
use xtask::digest::Digest;
use xtask::layout::{copy_tree, remove_tree};
use xtask::process::{self, env_var, shell_word};

pub const TRIPLE: &str = "x86_64-unknown-linux-musl";

/// A folder's name with blanks and a letter beyond ASCII.
pub const ODD: &str = "Ü b  d";

/// Variables of this machine that the xtask may see: those by which it finds Rust.
const PASSED_ON: [&str; 7] =
    ["PATH", "HOME", "CARGO", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TERM"];

/// A scratch workspace; gone when dropped, unless the test failed.
pub struct Scratch {
    root: PathBuf,
    /// Names the workspace's folder below the root.
    work: &'static str,
}

impl Scratch {
    /// A workspace with the library `tiny`, the fake toolchain, and an app that links `tiny`.
    pub fn new(name: &str) -> Self {
        Self::in_folders(name, "work")
    }

    /// The same in a folder with such a name.
    pub fn in_folders(name: &str, work: &'static str) -> Self {
        let scratch = Self::empty(name, work);
        for folder in ["recipes/libraries", "recipes/toolchains"] {
            fs::create_dir_all(scratch.workspace().join(folder)).unwrap();
        }
        fs::copy(
            checkout().join("recipes/targets.toml"),
            scratch.workspace().join("recipes/targets.toml"),
        )
        .unwrap();
        scratch.write("recipes/toolchains/fake.toml", &scratch.fake_toolchain("fake"));
        scratch.write("recipes/libraries/tiny.toml", &scratch.tiny());
        scratch.write_app("app", "");
        scratch
    }

    /// A workspace with the real recipes, and as its app the sample app's `hello-sqlite` alone.
    pub fn with_real_recipes(name: &str, work: &'static str) -> Self {
        let scratch = Self::empty(name, work);
        let (from, to) = (checkout(), scratch.workspace());
        copy_tree(&from.join("recipes"), &to.join("recipes")).unwrap();
        fs::create_dir_all(to.join("app/src")).unwrap();
        fs::copy(from.join("app/src/bin/hello-sqlite.rs"), to.join("app/src/main.rs")).unwrap();
        fs::copy(from.join("Cargo.lock"), to.join("app/Cargo.lock")).unwrap();
        let text = fs::read_to_string(from.join("app/Cargo.toml")).unwrap();
        let rusqlite = text.lines().find(|line| line.starts_with("rusqlite ")).unwrap();
        let manifest = format!(
            "[package]\nname = \"hello-sqlite\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [dependencies]\n{rusqlite}\n[workspace]\n"
        );
        scratch.write("app/Cargo.toml", &manifest);
        scratch
    }

    fn empty(name: &str, work: &'static str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pipeline-{name}"));
        remove_tree(&root).unwrap();
        let scratch = Self { root, work };
        for folder in ["xtask", "mirror"] {
            fs::create_dir_all(scratch.workspace().join(folder)).unwrap();
        }
        scratch
    }

    /// The checkout.
    pub fn workspace(&self) -> PathBuf {
        self.root.join(self.work)
    }

    /// A path beside the checkout.
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The folder that `--mirror` names.
    pub fn mirror(&self) -> PathBuf {
        self.workspace().join("mirror")
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.workspace().join("store")
    }

    /// Cargo's target folder of the app.
    pub fn target(&self) -> PathBuf {
        self.workspace().join("app/target")
    }

    /// Writes a file of the workspace.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.workspace().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }

    /// Replaces a text, which must be there, in a file of the workspace.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.workspace().join(path);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{path} has no `{from}`");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// Puts an archive of these files behind the mirror; returns a `[[source]]` for it.
    pub fn source(&self, name: &str, files: &[(&str, &str)]) -> String {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(if text.starts_with("#!") { 0o755 } else { 0o644 });
            builder.append_data(&mut header, format!("{name}/{path}"), text.as_bytes()).unwrap();
        }
        let bytes = builder.into_inner().unwrap().finish().unwrap();
        let digest = Digest::sha256_of(&bytes).hex();
        fs::write(self.mirror().join(&digest), bytes).unwrap();
        format!("[[source]]\nurl = \"https://{name}.invalid/x.tar.gz\"\nsha256 = \"{digest}\"\n")
    }

    /// A library in C: a recipe that compiles `<name>.c` and brings `<name>.h`.
    pub fn library(&self, name: &str, header: &str, code: &str) -> String {
        let (h, c) = (format!("{name}.h"), format!("{name}.c"));
        let source = self.source(name, &[(&h, header), (&c, code)]);
        format!(
            "description = \"The library {name}\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{source}\
             [build.compile]\nsources = [\"{c}\"]\n\
             [outputs]\nlibs = [\"{name}\"]\ninclude = [\"{h}\"]\n"
        )
    }

    /// The recipe of `tiny`: two C files and a header.
    fn tiny(&self) -> String {
        let source = self.source(
            "tiny",
            &[
                ("tiny.h", "int tiny_answer(void);\nint tiny_step(void);\n"),
                ("extra.h", "int tiny_extra;\n"),
                (
                    "one.c",
                    "#include \"tiny.h\"\nint tiny_answer(void) { return 40 + tiny_step(); }\n",
                ),
                ("two.c", "#include \"tiny.h\"\nint tiny_step(void) { return TINY_STEP; }\n"),
            ],
        );
        format!(
            "description = \"A tiny library\"\nversion = \"1.0\"\nlicense = \"MIT\"\nlinks = [\"tiny\"]\n\
             {source}\
             [build.compile]\nsources = [\"one.c\", \"two.c\"]\n\
             [build.compile.defines]\nTINY_STEP = 2\n\
             [outputs]\nlibs = [\"tiny\"]\ninclude = [\"tiny.h\"]\npkgconfig = [\"tiny\"]\n\
             [env]\nTINY_LIB_DIR = \"{{sysroot}}/lib\"\n"
        )
    }

    /// The recipe of a toolchain that notes each call and passes it on.
    pub fn fake_toolchain(&self, name: &str) -> String {
        let log = shell_word(&self.root.join("compiler.log").to_string_lossy());
        let program = |tool: &str| {
            format!(
                "#!/bin/sh\nPATH=/usr/bin:/bin\necho \"{tool} $*\" >> {log}\nexec {tool} \"$@\"\n"
            )
        };
        let tools = ["gcc", "g++", "ar", "ranlib", "ld"];
        let files = tools.map(|tool| (format!("bin/{TRIPLE}-{tool}"), program(tool)));
        let files: Vec<(&str, &str)> =
            files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        format!(
            "description = \"The machine's compiler\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{}\
             [driver.gcc]\nprefix = \"bin/{{target}}-\"\n",
            self.source(name, &files)
        )
    }

    /// Writes the recipes of the tools that configure scripts need: programs that pass the work on to
    /// the machine's own of that name.
    pub fn write_tools(&self) {
        let aliases =
            ["sh", "cat", "cp", "echo", "env", "mkdir", "printf", "pwd", "sed", "sleep", "test"];
        for (name, aliases) in [("busybox", &aliases[..]), ("make", &[])] {
            self.write(&format!("recipes/tools/{name}.toml"), &self.tool(name, aliases));
        }
    }

    /// The recipe of a tool that becomes the machine's program of the name by which it is called.
    pub fn tool(&self, name: &str, aliases: &[&str]) -> String {
        let code = "#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n\
            int main(int count, char **words) {\n    char path[256];\n    \
            const char *slash = strrchr(words[0], '/'), *name = slash ? slash + 1 : words[0];\n    \
            snprintf(path, sizeof path, \"/usr/bin/%s\", name);\n    execv(path, words);\n    \
            snprintf(path, sizeof path, \"/bin/%s\", name);\n    execv(path, words);\n    \
            perror(path);\n    return 127;\n}\n";
        let source = self.source(name, &[("pass.c", code), ("share/text", "A text.\n")]);
        format!(
            "description = \"Passes on\"\nversion = \"1.0\"\nlicense = \"MIT\"\n{source}\
             [build.compile]\nprogram = \"bin/{name}\"\nsources = [\"pass.c\"]\n\
             [build.compile.copy]\n\"share/{name}\" = [\"share\"]\n\
             [outputs]\nprograms = [\"bin/{name}\"]\naliases = {aliases:?}\nfiles = [\"share/{name}\"]\n"
        )
    }

    /// Calls of the toolchain's C compiler that compiled something, since [`Self::forget`], but for
    /// those with which the toolchain itself was tried, and the assembly of what goes into programs.
    pub fn compiled(&self) -> Vec<String> {
        let log = fs::read_to_string(self.root.join("compiler.log")).unwrap_or_default();
        let is_step = |line: &&str| {
            line.contains(" -c ") && !line.contains(" -c program.c") && !line.contains(".s -o ")
        };
        log.lines().filter(is_step).map(str::to_owned).collect()
    }

    /// Names of the C files that were compiled.
    pub fn compiled_files(&self) -> Vec<String> {
        let file = |line: &String| {
            line.split(' ').find(|word| word.ends_with(".c")).unwrap_or_default().to_owned()
        };
        let mut files: Vec<_> = self.compiled().iter().map(file).collect();
        files.sort();
        files
    }

    /// Empties the log of calls.
    pub fn forget(&self) {
        let _ = fs::remove_file(self.root.join("compiler.log"));
    }

    /// Writes a package with a binary that prints what `tiny` answers, and its `-sys` crate.
    pub fn write_app(&self, folder: &str, metadata: &str) {
        let manifest = format!(
            "[package]\nname = \"tinyapp\"\nversion = \"0.3.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n\
             [features]\nloud = []\n\
             [dependencies]\ntiny-sys = {{ path = \"tiny-sys\" }}\n[workspace]\n{metadata}"
        );
        self.write(&format!("{folder}/Cargo.toml"), &manifest);
        let main =
            "fn main() { println!(\"the answer is {}\", unsafe { tiny_sys::tiny_answer() }); }\n";
        self.write(&format!("{folder}/src/main.rs"), main);
        self.write_sys_crate(&format!("{folder}/tiny-sys"), "tiny", "");
    }

    /// Writes a crate that links a library found by a variable, as real ones do.
    pub fn write_sys_crate(&self, folder: &str, links: &str, manifest: &str) {
        let package = format!(
            "[package]\nname = \"{links}-sys\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlinks = \"{links}\"\n{manifest}"
        );
        self.write(&format!("{folder}/Cargo.toml"), &package);
        let build = "fn main() {\n    let dir = std::env::var(\"TINY_LIB_DIR\").expect(\"TINY_LIB_DIR\");\n    \
             let flags = std::env::var(\"CFLAGS_x86_64_unknown_linux_musl\").unwrap();\n    \
             assert!(!flags.contains('\\'') || std::env::var_os(\"CC_SHELL_ESCAPED_FLAGS\").is_some());\n    \
             println!(\"cargo:rerun-if-env-changed=TINY_LIB_DIR\");\n    \
             println!(\"cargo:rustc-link-search=native={dir}\");\n    \
             println!(\"cargo:rustc-link-lib=static=tiny\");\n}\n";
        self.write(&format!("{folder}/build.rs"), build);
        self.write(
            &format!("{folder}/src/lib.rs"),
            "unsafe extern \"C\" { pub fn tiny_answer() -> i32; }\n",
        );
    }

    /// The xtask program about to run in this workspace, with its store and its mirror.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.told(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--mirror").arg(self.mirror()).args(arguments);
        command
    }

    /// A program that is told what the xtask is told.
    pub fn told(&self, program: &str) -> Command {
        let mut command = self.plain(program);
        command.env("CARGO_MANIFEST_DIR", self.workspace().join("xtask"));
        command.env("MUSLIN_STORE", self.store());
        // The fake toolchain calls the machine's compiler and writes a log beside the workspace.
        command.env("MUSLIN_SANDBOX", "off");
        command
    }

    /// Another program about to run in this workspace, in the same environment.
    pub fn plain(&self, program: &str) -> Command {
        let mut command = process::command(program);
        command.env_clear().current_dir(self.workspace()).stdin(Stdio::null());
        for name in PASSED_ON {
            command.envs(env_var(name).map(|value| (name, value)));
        }
        command
    }

    /// Runs the xtask to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(&mut self.command(arguments))
    }

    /// Names in a folder of the store, sorted.
    pub fn stored(&self, folder: &str) -> Vec<String> {
        names(&self.store().join(folder))
    }

    /// The entry of a library in the store; there must be one.
    #[track_caller]
    pub fn entry(&self, name: &str) -> PathBuf {
        let prefix = format!("{name}-");
        let found: Vec<_> =
            self.stored("entries-v1").into_iter().filter(|id| id.starts_with(&prefix)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        self.store().join("entries-v1").join(&found[0])
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = remove_tree(&self.root);
        }
    }
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let items = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> =
        items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// How a program ended and what it said.
pub struct Run {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Runs a command to its end.
    #[track_caller]
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Everything, for a failing test.
    pub fn all(&self) -> String {
        format!("{}\n--- stdout\n{}--- stderr\n{}", self.status, self.stdout, self.stderr)
    }

    /// It must have gone well.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.success(), "{}", self.all());
        self
    }

    /// It must have failed with this exit code and said all of these words.
    #[track_caller]
    pub fn fails(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.all());
        for word in words {
            assert!(self.stderr.contains(word), "nothing of `{word}`: {}", self.all());
        }
        self
    }

    /// It must have said this on stderr.
    #[track_caller]
    pub fn says(&self, word: &str) {
        assert!(self.stderr.contains(word), "nothing of `{word}`: {}", self.all());
    }

    /// The JSON objects on stdout with this reason.
    #[track_caller]
    pub fn events(&self, reason: &str) -> Vec<serde_json::Value> {
        let parse = |line: &str| -> serde_json::Value {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error}: {line}\n{}", self.all()))
        };
        self.stdout.lines().map(parse).filter(|event| event["reason"] == reason).collect()
    }

    /// What became of each step, by name.
    #[track_caller]
    pub fn steps(&self) -> std::collections::BTreeMap<String, String> {
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        self.events("step").iter().map(|step| (word(&step["step"]), word(&step["state"]))).collect()
    }
}
