//! The files of an image: what every program may look for, and the programs with their own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Order;
use super::config::User;
use crate::archive::{Archive, Owner};
use crate::digest::Digest;
use crate::exit::{Exit, Failure};
use crate::layout::files_below;

/// Where programs are.
pub const PROGRAMS: &str = "usr/bin";

/// What the bundle of certificates is called in its package, and where all look for it: Debian's name,
/// and OpenSSL's own in its `OPENSSLDIR`.
const CERTIFICATES: [&str; 3] =
    ["etc/ssl/certs/cacert.pem", "etc/ssl/certs/ca-certificates.crt", "etc/ssl/cert.pem"];

/// Something in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Folder { mode: u32, owner: Owner },
    Text(String),
    File { from: PathBuf, is_program: bool, sha256: Digest },
    Link(PathBuf),
}

/// Files and folders by their path from `/` on.
#[derive(Debug, Default)]
pub struct Root(BTreeMap<PathBuf, Node>);

impl Root {
    /// What does not change with the programs: users, a folder for temporary files, and pinned data.
    pub fn base(order: &Order<'_>, user: &User) -> Result<Self> {
        let mut root = Self::default();
        root.add(Path::new("etc/passwd"), Node::Text(user.passwd()));
        root.add(Path::new("etc/group"), Node::Text(user.group()));
        root.add(Path::new("tmp"), Node::Folder { mode: 0o1777, owner: Owner::ROOT });
        for outputs in &order.data {
            for path in files_below(outputs)? {
                root.add_data(outputs, &path)?;
            }
        }
        let wishes = &order.project.wanted.image;
        for folder in wishes.workdir.iter().chain(&wishes.volumes) {
            let path = inside(order, folder, "is no path from `/` on")?;
            root.add(&path, Node::Folder { mode: 0o755, owner: user.owner() });
        }
        Ok(root)
    }

    /// The programs, and what the manifest names.
    pub fn app(order: &Order<'_>) -> Result<Self> {
        let mut root = Self::default();
        for (name, program) in &order.programs {
            let from = program.path().to_owned();
            let node = Node::File { from, is_program: true, sha256: program.sha256() };
            root.add(&Path::new(PROGRAMS).join(name), node);
        }
        for (place, from) in &order.project.wanted.image.files {
            let place = inside(order, place, "is no path from `/` on")?;
            let path = Path::new(from);
            if !path.components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(bad(order, from, "is no path below its folder").into());
            }
            let from = order.project.folder().join(path);
            if from.is_dir() {
                for file in files_below(&from)? {
                    root.add_file(&place.join(&file), &from.join(&file))?;
                }
            } else if from.exists() {
                root.add_file(&place, &from)?;
            } else {
                return Err(bad(order, &path.to_string_lossy(), "is not there").into());
            }
        }
        Ok(root)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add_data(&mut self, outputs: &Path, path: &Path) -> Result<()> {
        let from = outputs.join(path);
        if path.extension().is_some_and(|it| it == "py") {
            // Python finds the data of its packages by such files.
            return Ok(());
        }
        let [packed, place, link] = CERTIFICATES.map(Path::new);
        if path != packed {
            return self.add_file(path, &from);
        }
        self.add_file(place, &from)?;
        self.add(link, Node::Link(PathBuf::from("certs/ca-certificates.crt")));
        Ok(())
    }

    /// Adds a file, or what a link leads to.
    fn add_file(&mut self, to: &Path, from: &Path) -> Result<()> {
        let cannot = || format!("cannot read {}", from.display());
        let mode = fs::metadata(from).with_context(cannot)?.permissions().mode();
        let file = File::open(from).with_context(cannot)?;
        let sha256 = Digest::sha256_of_all(file).with_context(cannot)?;
        let is_program = mode & 0o111 != 0;
        self.add(to, Node::File { from: from.to_owned(), is_program, sha256 });
        Ok(())
    }

    /// Adds something, and the folders that it is in.
    fn add(&mut self, path: &Path, node: Node) {
        for folder in path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            let plain = Node::Folder { mode: 0o755, owner: Owner::ROOT };
            self.0.entry(folder.to_owned()).or_insert(plain);
        }
        self.0.insert(path.to_owned(), node);
    }

    /// All that tells one from another.
    pub fn pre_image(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, (path, node)| {
            let path = path.display();
            let _ = match node {
                Node::Folder { mode, owner } => {
                    writeln!(text, "{path} folder {mode:o} {} {}", owner.user, owner.group)
                }
                Node::Text(said) => writeln!(text, "{path} text {said:?}"),
                Node::File { is_program, sha256, .. } => {
                    writeln!(text, "{path} file {is_program} {sha256}")
                }
                Node::Link(to) => writeln!(text, "{path} link {}", to.display()),
            };
            text
        })
    }

    /// Writes it as a tar.
    pub fn write<W: Write>(&self, out: W) -> Result<W> {
        let mut archive = Archive::new(out);
        for (path, node) in &self.0 {
            match node {
                Node::Folder { mode, owner } => archive.folder(path, *mode, *owner)?,
                Node::Text(text) => {
                    archive.file(path, false, text.len() as u64, text.as_bytes())?;
                }
                Node::File { from, is_program, .. } => {
                    let cannot = || format!("cannot read {}", from.display());
                    let file = File::open(from).with_context(cannot)?;
                    let size = file.metadata().with_context(cannot)?.len();
                    archive.file(path, *is_program, size, BufReader::new(file))?;
                }
                Node::Link(to) => archive.link(path, to)?,
            }
        }
        archive.finish()
    }
}

/// The path from `/` on of a place in the image.
fn inside(order: &Order<'_>, place: &str, why: &str) -> Result<PathBuf> {
    let path = Path::new(place);
    let mut parts = path.components();
    let is_absolute = parts.next() == Some(Component::RootDir);
    match is_absolute && parts.all(|part| matches!(part, Component::Normal(_))) {
        true => Ok(path.strip_prefix("/").unwrap_or(path).to_owned()),
        false => Err(bad(order, place, why).into()),
    }
}

fn bad(order: &Order<'_>, word: &str, why: &str) -> Failure {
    let place = order.project.manifest.display();
    let message = format!("`[package.metadata.muslin.image]` in {place}: `{word}` {why}");
    Failure::new(Exit::Usage, message).help(
        "places in the image begin with `/`; what is to be there is a path from Cargo.toml on",
    )
}
