//! What `[build.compile]` means: C, C++ and assembly files, made into archives without configure and
//! without make. Never more than data: how a compiler is called is the builder's matter.

use std::collections::BTreeMap;

use super::template::Template;
use crate::target::Target;

/// Files, compiled one by one: into the static libraries of `outputs.libs`, or for a tool into its
/// [`Product`](super::Product).
#[derive(Clone, Debug, Default)]
pub struct Compile {
    /// Files relative to the source tree; they go into the first library.
    pub sources: Vec<String>,
    /// Folders for `-I`, relative to the source tree.
    pub include: Vec<String>,
    /// `-D` macros; an empty text (`true` in the manifest) defines the macro without a value.
    pub defines: BTreeMap<String, String>,
    /// Flags after the builder's own.
    pub flags: Vec<String>,
    /// More files, each group with settings of its own beside those above.
    pub groups: Vec<Group>,
    /// Files that are made in the source tree before anything is compiled, by their place.
    pub files: BTreeMap<String, MadeFile>,
    /// By place below `include/`, the header or folder of the source tree that is installed there.
    pub headers: BTreeMap<String, String>,
    /// What `.pc` files say beside the usual, by name.
    pub pkgconfig: BTreeMap<String, PkgConfig>,
}

/// Files with settings of their own. A file may stand in several groups: it is compiled for each.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The library that the objects go into; `None` for the first.
    pub lib: Option<String>,
    /// Triples or CPUs that the group is for; empty for all.
    pub targets: Vec<String>,
    /// Files relative to the source tree.
    pub sources: Vec<String>,
    /// Folders that come before those of the whole build.
    pub include: Vec<String>,
    /// Macros that come over those of the whole build.
    pub defines: BTreeMap<String, String>,
    /// Flags that come after those of the whole build.
    pub flags: Vec<String>,
}

impl Group {
    /// Whether the group is for this target.
    pub fn is_for(&self, target: &Target) -> bool {
        let is_it = |name: &String| *name == target.triple || name == target.cpu();
        self.targets.is_empty() || self.targets.iter().any(is_it)
    }
}

/// A file that is made in the source tree: what a configure script would have written there.
#[derive(Clone, Debug)]
pub struct MadeFile {
    /// What is in it.
    pub content: Content,
    /// Whether it takes the place of a file of the tree; if not, there must be none.
    pub replace: bool,
}

/// What is in a file that is made.
#[derive(Clone, Debug)]
pub enum Content {
    /// This text.
    Text(String),
    /// The bytes of a file of the source tree.
    From {
        /// That file.
        path: String,
        /// Words in it, and what stands in their place.
        values: BTreeMap<String, Template>,
    },
}

/// What a `.pc` file says beside names, folders and libraries.
#[derive(Clone, Debug, Default)]
pub struct PkgConfig {
    /// The version, where the file has another one than the library.
    pub version: Option<String>,
    /// The libraries to link; empty for all of the recipe.
    pub libs: Vec<String>,
    /// More of `Cflags`.
    pub cflags: Vec<String>,
    /// `Requires`: other `.pc` files whose headers are needed too.
    pub requires: Vec<String>,
    /// `Requires.private`: other `.pc` files that a static link needs.
    pub requires_private: Vec<String>,
    /// `Libs.private`: more flags that a static link needs.
    pub libs_private: Vec<String>,
}

/// Whether a file is compiled as C++, by its name.
pub fn is_cxx(file: &str) -> bool {
    [".cc", ".cpp", ".cxx"].iter().any(|ending| file.ends_with(ending))
}
