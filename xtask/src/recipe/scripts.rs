//! What `[build.configure]` and `[build.cmake]` mean: builds that scripts of the library describe.

use std::collections::BTreeMap;

use super::template::Template;

/// A configure script in the manner of autoconf or OpenSSL, then make.
#[derive(Clone, Debug)]
pub struct Configure {
    /// The script, relative to the source tree.
    pub script: String,
    /// Its options.
    pub options: Vec<Template>,
    /// Whether the script must be told the target by a name that only it has: the target's row has
    /// more options then.
    pub target_options: bool,
    /// make's targets that build; empty for its default.
    pub make: Vec<String>,
    /// make's targets that install into `DESTDIR`; `install` if the recipe names none.
    pub install: Vec<String>,
    /// Flags of compilers after the builder's own.
    pub flags: Vec<String>,
    /// Answers to autoconf's tests that would have to run a program, by the variable that keeps each.
    pub cache: BTreeMap<String, String>,
    /// Programs that the build makes for this machine and runs: it gets a compiler for them.
    pub host_programs: Vec<String>,
    /// A build for this machine before that for the target, by the same script.
    pub host: Option<HostBuild>,
}

/// A build for this machine, for the sake of programs that the one for the target calls.
#[derive(Clone, Debug)]
pub struct HostBuild {
    /// Options of the script.
    pub options: Vec<Template>,
    /// make's targets; empty for its default.
    pub make: Vec<String>,
    /// Where the programs are then, below the folder of this build.
    pub programs: Vec<String>,
}

impl Configure {
    /// Whether the script is one of autoconf, which always has this name; OpenSSL's is another.
    pub fn is_autoconf(&self) -> bool {
        self.script.rsplit('/').next() == Some("configure")
    }

    /// The first program that it makes for this machine, if there is any.
    pub fn host_program(&self) -> Option<&str> {
        let before = self.host.iter().flat_map(|host| &host.programs);
        before.chain(&self.host_programs).next().map(String::as_str)
    }
}

/// A library that CMake writes makefiles for. Where things are installed, what compiles and where it
/// looks for others is the builder's to say.
#[derive(Clone, Debug)]
pub struct Cmake {
    /// The folder with its CMakeLists.txt in the source tree, if it is not the tree itself.
    pub folder: Option<String>,
    /// Cache variables; `true` and `false` of the manifest are `ON` and `OFF`.
    pub options: BTreeMap<String, String>,
    /// What is built; all of it if the recipe names nothing.
    pub targets: Vec<String>,
}
