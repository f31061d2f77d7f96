//! `cargo xtask recipe`: for people who write recipes. It says what is wrong or untried, carries a
//! recipe over to a new version, and makes a first one out of an archive.
//!
//! What it writes is text in the author's own file: edits go to the places of single values, so
//! comments and layout stay. It never decides that bytes are the right ones: it computes digests and
//! says who served what.

mod bump;
mod check;
mod diff;
mod draft;
mod edit;
mod fix;
mod inspect;
mod known;
mod license;
mod new;
mod recognise;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cli::{self, Global, RecipeCommand};
use crate::exit::{Exit, Failure};
use crate::fetch::{Fetcher, Network};
use crate::layout::{self, Store, TempFolder};
use crate::recipe::diagnostic::{self, File};
use crate::recipe::guess::{guess, quote};
use crate::recipe::{Library, LicenseFile, Patch, Recipes, Source, Tool, load, manifest};
use crate::{report, session, unpack};

impl cli::Recipe {
    /// Runs the command on the recipes of this checkout.
    pub fn run(self, global: Global) -> Result<()> {
        match self.command {
            RecipeCommand::Check(command) => command.run(global),
            RecipeCommand::Bump(command) => command.run(&global),
            RecipeCommand::New(command) => command.run(&global),
        }
    }
}

/// What the commands work with.
struct Desk {
    workspace: PathBuf,
    store: Store,
    fetcher: Fetcher,
    /// All files below `recipes/`.
    files: Vec<File>,
}

impl Desk {
    fn open(global: &Global) -> Result<Self> {
        let workspace = layout::workspace_root()?;
        let root = global.store.clone().map_or_else(Store::default_root, Ok)?;
        let store = Store::open(&root)?;
        let network = if global.offline { Network::Offline } else { Network::Online };
        let mirrors = session::mirrors(global)?;
        let fetcher = Fetcher::new(store.clone(), network, mirrors, &workspace);
        let files = load::read(&workspace.join("recipes"))?;
        Ok(Self { workspace, store, fetcher, files })
    }

    /// The recipes as the files have them now. All mistakes are one error.
    fn recipes(&self) -> Result<Recipes> {
        manifest::parse(&self.files).map_err(|mistakes| {
            let text = diagnostic::render(&mistakes, report::has_color());
            Failure::new(Exit::RecipeInvalid, format!("the recipes have mistakes\n\n{text}")).into()
        })
    }

    /// The file of this path (`recipes/…`).
    fn file_mut(&mut self, path: &str) -> Result<&mut File> {
        let found = self.files.iter_mut().find(|file| file.path == path);
        found.with_context(|| format!("there is no {path}"))
    }

    /// Puts a recipe's new text in place, whole, and shows what changed.
    fn write(&self, path: &str, old: &str, new: &str) -> Result<()> {
        report::text(diff::lines(old, new).trim_end());
        layout::write_atomically(&self.workspace.join(path), new.as_bytes())?;
        report::status("Wrote", path);
        report::event("recipe", serde_json::json!({ "path": path }));
        Ok(())
    }

    /// The source tree of one source of a recipe, unpatched; nothing if its bytes are not here and
    /// are not to be fetched.
    fn tree(&self, what: &str, source: &Source, may_fetch: bool) -> Result<Option<Tree>> {
        let archive = match self.fetcher.stored(source)? {
            Some(archive) => archive,
            None if may_fetch => self.fetcher.fetch(what, &[source])?.1,
            None => return Ok(None),
        };
        let temp = self.store.temp("recipe")?;
        let path = temp.path().join("tree");
        let part = unpack::Part {
            root: source.root.as_deref(),
            omit: &source.omit,
            inner: source.inner.as_deref(),
        };
        unpack::unpack_archive(&archive, &part, &path)?;
        Ok(Some(Tree { path, _temp: temp }))
    }
}

/// A source tree that goes when it is dropped.
struct Tree {
    path: PathBuf,
    _temp: TempFolder,
}

impl Tree {
    fn path(&self) -> &Path {
        &self.path
    }
}

/// A recipe of any kind, as far as these commands look at it.
struct Subject<'r> {
    folder: &'static str,
    name: &'r str,
    version: &'r str,
    license: &'r str,
    license_files: &'r [LicenseFile],
    sources: &'r [Source],
    patches: &'r [Patch],
    library: Option<&'r Library>,
    tool: Option<&'r Tool>,
}

impl<'r> Subject<'r> {
    /// All recipes, sorted by kind and name.
    fn all(recipes: &'r Recipes) -> Vec<Self> {
        let libraries = recipes.libraries.values().map(|it| Self {
            folder: "libraries",
            name: &it.name,
            version: &it.version,
            license: &it.license,
            license_files: &it.license_files,
            sources: &it.sources,
            patches: &it.patches,
            library: Some(it),
            tool: None,
        });
        let tools = recipes.tools.values().map(|it| Self {
            folder: "tools",
            name: &it.name,
            version: &it.version,
            license: &it.license,
            license_files: &it.license_files,
            sources: &it.sources,
            patches: &it.patches,
            library: None,
            tool: Some(it),
        });
        let toolchains = recipes.toolchains.values().map(|it| Self {
            folder: "toolchains",
            name: &it.name,
            version: &it.version,
            license: &it.license,
            license_files: &it.license_files,
            sources: &it.sources,
            patches: &[],
            library: None,
            tool: None,
        });
        libraries.chain(toolchains).chain(tools).collect()
    }

    /// Its file: `recipes/libraries/zlib.toml`.
    fn file(&self) -> String {
        format!("recipes/{}/{}.toml", self.folder, self.name)
    }

    /// For people: `zlib 1.3.2`.
    fn what(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// The paths (`recipes/…`) that names and files on the command line mean; all recipes if there are none.
fn paths(files: &[File], words: &[String]) -> Result<Vec<String>> {
    const FOLDERS: [&str; 3] = ["recipes/libraries/", "recipes/toolchains/", "recipes/tools/"];
    let is_recipe = |path: &&str| FOLDERS.iter().any(|folder| path.starts_with(folder));
    let all: Vec<&str> = files.iter().map(|file| file.path.as_str()).filter(is_recipe).collect();
    if words.is_empty() {
        return Ok(all.into_iter().map(str::to_owned).collect());
    }
    let name =
        |path: &str| path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml").to_owned();
    let find = |word: &String| {
        let is_meant = |path: &&&str| match word.ends_with(".toml") {
            true => word == **path || word.ends_with(&format!("/{path}")),
            false => name(path) == *word,
        };
        all.iter().find(is_meant).map(|path| (*path).to_owned()).ok_or_else(|| {
            let names: Vec<String> = all.iter().map(|path| name(path)).collect();
            let failure = Failure::new(Exit::Usage, format!("there is no recipe {}", quote(word)));
            match guess(&name(word), names.iter().map(String::as_str)) {
                Some(meant) => failure.help(format!("did you mean {}?", quote(meant))).into(),
                None => failure
                    .help("recipes are the files in recipes/libraries, toolchains and tools")
                    .into(),
            }
        })
    };
    words.iter().map(find).collect()
}
