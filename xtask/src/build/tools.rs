//! The tools that a library's build sees: folders for `PATH`, and the variables that go with them.

use std::path::{Path, PathBuf};

use crate::plan::{Plan, Step, Work};
use crate::recipe::{Product, Tool};
use crate::session::Session;

/// The shell as builds name it: found on `PATH`, because a path may have blanks, which make and
/// configure scripts would split, and would get into what they write.
pub const SHELL: &str = "sh";

/// pkg-config as builds name it.
pub const PKG_CONFIG: &str = "pkg-config";

/// Perl's own modules below a tool's outputs.
const PERL_LIBRARY: &str = "lib/perl";

/// The tools of a step.
#[derive(Default)]
pub struct Tools {
    /// Folders of their programs.
    pub folders: Vec<PathBuf>,
    has_shell: bool,
    has_pkg_config: bool,
    perl_library: Option<PathBuf>,
}

impl Tools {
    /// Those that a step's recipe names.
    pub fn of(session: &Session, plan: &Plan, step: &Step) -> Self {
        let mut tools = Self::default();
        for dependency in plan.dependencies(step) {
            if let Work::Tool(tool) = &dependency.work {
                tools.add(tool, session.entry(dependency).outputs());
            }
        }
        tools
    }

    fn add(&mut self, tool: &Tool, outputs: PathBuf) {
        if let Product::Program { aliases, .. } = &tool.product {
            self.has_shell |= aliases.iter().any(|alias| alias == SHELL);
            self.has_pkg_config |= aliases.iter().any(|alias| alias == PKG_CONFIG);
        }
        if tool.product.is_program() {
            self.folders.push(outputs.join("bin"));
        }
        if tool.files.iter().any(|file| file == PERL_LIBRARY) {
            self.perl_library = Some(outputs.join(PERL_LIBRARY));
        }
    }

    /// Whether one of them is a shell.
    pub fn has_shell(&self) -> bool {
        self.has_shell
    }

    /// Whether one of them is pkg-config.
    pub fn has_pkg_config(&self) -> bool {
        self.has_pkg_config
    }

    /// Where scripts look for their interpreters whatever `PATH` says, and the programs to be there.
    pub fn fixed_places(&self) -> Vec<(&'static str, PathBuf)> {
        let find = |name: &str| self.folders.iter().map(|f| f.join(name)).find(|p| p.exists());
        [("/bin/sh", SHELL), ("/usr/bin/env", "env"), ("/usr/bin/perl", "perl")]
            .into_iter()
            .filter_map(|(place, name)| Some((place, find(name)?)))
            .collect()
    }

    /// The variables by which scripts find them, given the path under which they find a path.
    pub fn environment(&self, seen: impl Fn(&Path) -> String) -> Vec<(&'static str, String)> {
        let mut variables = Vec::new();
        if self.has_shell {
            variables.extend(["SHELL", "CONFIG_SHELL"].map(|name| (name, SHELL.to_owned())));
        }
        if let Some(library) = &self.perl_library {
            variables.push(("PERL", "perl".to_owned()));
            variables.push(("PERL5LIB", seen(library)));
            // The order of a hash's keys is another in each run otherwise.
            variables.push(("PERL_HASH_SEED", "0".to_owned()));
        }
        variables
    }
}
