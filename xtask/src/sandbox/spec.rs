//! What the parent tells the child that enters the sandbox, and what the child answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// How programs are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    /// Namespaces, in a user namespace: for anyone.
    User,
    /// Namespaces without a user namespace: for root, also in a chroot.
    Root,
    /// Landlock and a system call filter: the paths are the machine's own, most of them forbidden.
    Landlock,
    /// Not at all: only the environment is clean.
    Off,
}

impl Way {
    /// Whether programs have a file system view of their own, with paths of its own.
    pub fn has_view(self) -> bool {
        matches!(self, Self::User | Self::Root)
    }

    /// The word for it in manifests.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "namespaces",
            Self::Root => "namespaces of root",
            Self::Landlock => "landlock",
            Self::Off => "off",
        }
    }

    /// What it means, for people.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::User => "namespaces",
            Self::Root => "root's namespaces, without a user namespace",
            Self::Landlock => {
                "Landlock and the clean environment; programs and libraries of this machine stay readable"
            }
            Self::Off => "only the clean environment",
        }
    }
}

/// What a program may do with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// Read and execute.
    Read,
    /// Write, too.
    Write,
}

/// A file or folder of the machine that is in the view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// How it is called.
    pub outside: PathBuf,
    /// Where it is, without symbolic links: inside, those would lead elsewhere.
    pub(super) real: PathBuf,
    /// Where the program finds it.
    pub inside: PathBuf,
    /// What may be done with it.
    pub access: Access,
}

/// All that a program sees, beside `/dev` with the harmless devices, an empty `/tmp` and `/proc` of
/// its own processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub(super) places: Vec<Place>,
    pub(super) links: Vec<(PathBuf, PathBuf)>,
    pub(super) files: Vec<PathBuf>,
    pub(super) keep: Vec<i32>,
    pub(super) terminal: bool,
    /// Folders and where they are without symbolic links: many places lie side by side.
    #[serde(skip)]
    resolved: BTreeMap<PathBuf, PathBuf>,
}

impl View {
    /// Shows a file or folder; what is shown later may lie inside what was shown before.
    pub fn show(&mut self, outside: &Path, inside: &Path, access: Access) {
        let real = self.resolve(outside).unwrap_or_else(|| outside.to_owned());
        let (outside, inside) = (outside.to_owned(), inside.to_owned());
        self.places.push(Place { outside, real, inside, access });
    }

    fn resolve(&mut self, path: &Path) -> Option<PathBuf> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return path.canonicalize().ok();
        };
        if path.is_symlink() {
            return path.canonicalize().ok();
        }
        if !self.resolved.contains_key(parent) {
            self.resolved.insert(parent.to_owned(), parent.canonicalize().ok()?);
        }
        Some(self.resolved.get(parent)?.join(name))
    }

    /// Shows something under the path that it has.
    pub fn show_here(&mut self, path: &Path, access: Access) {
        self.show(path, path, access);
    }

    /// Has a file there, with something in it: for who only looks whether it is there. Without a view
    /// of its own the program sees the machine's, which must be shown.
    pub fn pretend(&mut self, inside: &Path) {
        self.files.push(inside.to_owned());
    }

    /// Makes a symbolic link.
    pub fn link(&mut self, inside: impl Into<PathBuf>, target: impl Into<PathBuf>) {
        self.links.push((inside.into(), target.into()));
    }

    /// Lets the program inherit these open files: a jobserver's.
    pub fn keep_open(&mut self, descriptors: impl IntoIterator<Item = i32>) {
        self.keep.extend(descriptors);
    }

    /// Lets the program have the terminal and its input: for a shell.
    pub fn keep_terminal(&mut self) {
        self.terminal = true;
    }

    /// Everything shown.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The same with each place after the one that it lies in, whatever the order in which they were
    /// shown, and without those that show nothing new.
    pub(super) fn in_order(mut self) -> Self {
        let mut by_path: BTreeMap<PathBuf, Place> = BTreeMap::new();
        for place in self.places {
            by_path.insert(place.inside.clone(), place);
        }
        let is_new = |place: &Place| {
            let above = place.inside.ancestors().skip(1).find_map(|path| by_path.get(path));
            above.is_none_or(|above| {
                let rest = place.inside.strip_prefix(&above.inside).unwrap_or(Path::new(""));
                above.access != place.access || above.real.join(rest) != place.real
            })
        };
        self.places = by_path.values().filter(|place| is_new(place)).cloned().collect();
        self
    }

    /// The path inside of a path outside, by the deepest place that holds it.
    pub fn seen(&self, outside: &Path) -> PathBuf {
        let holding = self.places.iter().filter_map(|place| {
            let rest = outside.strip_prefix(&place.outside).ok()?;
            Some((place.outside.components().count(), place, rest))
        });
        match holding.max_by_key(|(depth, _, _)| *depth) {
            Some((_, place, rest)) if rest.as_os_str().is_empty() => place.inside.clone(),
            Some((_, place, rest)) => place.inside.join(rest),
            None => outside.to_owned(),
        }
    }
}

/// What the child does once it is inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Task {
    /// Say whether it got in.
    Probe,
    /// Run the program of the command line in this folder.
    Run { folder: PathBuf },
}

/// All that the child is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spec {
    pub(super) way: Way,
    pub(super) view: View,
    pub(super) task: Task,
}

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Probe {
    /// It works; the machine's own `/proc` may have to be shown, where a fresh one is forbidden.
    Works { shared_proc: bool },
    /// It does not.
    Fails(Trouble),
}

/// What the child was doing when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    Unshare,
    MapIds,
    Mount,
    EnterRoot,
    DropRights,
    Landlock,
    Filter,
    Start,
}

/// Why the child failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trouble {
    pub(super) stage: Stage,
    /// The kernel's error number; 0 if it gave none.
    pub(super) errno: i32,
    pub(super) detail: String,
}

impl Trouble {
    pub(super) fn new(stage: Stage, errno: Errno, detail: impl Into<String>) -> Self {
        Self { stage, errno: errno.raw_os_error(), detail: detail.into() }
    }

    pub(super) fn other(stage: Stage, detail: impl std::fmt::Display) -> Self {
        Self { stage, errno: 0, detail: detail.to_string() }
    }

    pub(super) fn silent(status: ExitStatus) -> Self {
        Self::other(Stage::Start, crate::process::describe_status(status))
    }

    pub(super) fn errno(&self) -> Option<Errno> {
        (1..4096).contains(&self.errno).then(|| Errno::from_raw_os_error(self.errno))
    }
}

/// Names the stage of a kernel's refusal.
pub(super) trait At<T> {
    fn at(self, stage: Stage, detail: &str) -> Result<T, Trouble>;
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, stage: Stage, detail: &str) -> Result<T, Trouble> {
        self.map_err(|errno| Trouble::new(stage, errno, detail))
    }
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, stage: Stage, detail: &str) -> Result<T, Trouble> {
        self.map_err(|error| match Errno::from_io_error(&error) {
            Some(errno) => Trouble::new(stage, errno, detail),
            None => Trouble::other(stage, format!("{detail}: {error}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_seen_by_its_deepest_place() {
        let mut view = View::default();
        view.show(Path::new("/store/tmp/x"), Path::new("/build"), Access::Write);
        view.show(Path::new("/store/tmp/x/deps"), Path::new("/deps"), Access::Read);
        let seen = |path: &str| view.seen(Path::new(path)).display().to_string();
        assert_eq!(seen("/store/tmp/x/source/a.c"), "/build/source/a.c");
        assert_eq!(seen("/store/tmp/x/deps/include"), "/deps/include");
        assert_eq!(seen("/store/tmp/x"), "/build");
        assert_eq!(seen("/elsewhere"), "/elsewhere");
    }

    #[test]
    fn places_come_after_those_they_lie_in_and_only_once() {
        let mut view = View::default();
        let (read, write) = (Access::Read, Access::Write);
        for (path, access) in
            [("/app/target", write), ("/app/src/lib", read), ("/app", read), ("/app", read)]
        {
            view.show_here(Path::new(path), access);
        }
        view.show(Path::new("/other"), Path::new("/app/lent"), read);
        let inside: Vec<_> = view.in_order().places.into_iter().map(|it| it.inside).collect();
        assert_eq!(inside, ["/app", "/app/lent", "/app/target"].map(PathBuf::from));
    }
}
