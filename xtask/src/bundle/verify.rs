//! A file → verified members in a temporary folder, or one error that says what is wrong.
//!
//! Nothing is taken on trust: the file must have exactly the members that its manifest lists, in their
//! order, each with its size and hash; downloads must have the digest that they are named by, crates
//! the checksum of Cargo.lock, entries what their record lists. Nothing is changed before all of that
//! is known.

mod crates;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, ensure};

use super::manifest::{FORMAT, Manifest, Member, NAME};
use super::pack::{BLOCK_BYTES, copy_hashed, header};
use crate::digest::{Digest, parse_hex};
use crate::exit::{Exit, Failure};
use crate::layout::{Store, TempFolder, tree_listing};
use crate::report::Progress;
use crate::rust::Rust;
use crate::store::license_problems;
use crate::unpack::{Limits, Part, unpack_file};

/// The largest manifest that is read.
const MANIFEST_BYTES: u64 = 64 << 20;

/// What a member is, told by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For people.
    Readme,
    /// Cargo's configuration for the first command.
    Config,
    /// `<name>-<version>.crate`.
    Crate(String),
    /// The line of the index of that crate.
    Line(String),
    /// A file of the index: its path in the registry.
    Index(String),
    /// A git repository or another registry that crates come from: its id.
    Origin(String),
    /// A file of such a crate: its path below cargo's folder.
    Vendored(String),
    /// A download and its file's name.
    Download(Digest, String),
    /// Who served a download.
    Server(Digest),
    /// A file of the standard library: its path in the Rust installation.
    Std(String),
    /// An entry: its id.
    Entry(String),
}

/// All members, verified.
pub struct Verified {
    /// What the bundle says of itself.
    pub manifest: Manifest,
    /// What each member is, and where its bytes are.
    pub members: Vec<(Kind, PathBuf)>,
    /// The unpacked entries: id and folder.
    pub entries: Vec<(String, PathBuf)>,
    _temp: TempFolder,
}

/// Verifies a file.
pub fn verify(store: &Store, file: &Path, rust: &Rust, workspace: &Path) -> Result<Verified> {
    let _progress = Progress::spinner("Verifying", file.display());
    let opened = File::open(file).map_err(|error| {
        Failure::new(Exit::Usage, format!("cannot open {}: {error}", file.display()))
    })?;
    let temp = store.temp("unbundle")?;
    let refuse = |error: anyhow::Error| match Failure::find(&error) {
        Some(_) => error,
        None => {
            let message = format!("{} is not taken in: {error:#}", file.display());
            Failure::new(Exit::VerificationFailed, message)
                .help("nothing was changed; copy the file again, or make it anew with `cargo xtask bundle`")
                .into()
        }
    };
    let (manifest, members) = extract(opened, rust, temp.path()).map_err(refuse)?;
    check_downloads(&members).map_err(refuse)?;
    crates::check(&members, &manifest, workspace).map_err(refuse)?;
    let entries = check_entries(&members, &manifest, temp.path()).map_err(refuse)?;
    Ok(Verified { manifest, members, entries, _temp: temp })
}

/// Reads the file from its first to its last byte.
fn extract(file: File, rust: &Rust, temp: &Path) -> Result<(Manifest, Vec<(Kind, PathBuf)>)> {
    let file_bytes = file.metadata()?.len();
    let gaps = file.try_clone()?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, file));
    let mut entries = archive.entries()?.raw(true);
    let first = entries.next().context("it is empty")?.context("it is not a bundle")?;
    ensure!(is_member(&first, NAME, false), "it is not a bundle: its first member is not {NAME}");
    let manifest_bytes = first.size();
    ensure!(manifest_bytes <= MANIFEST_BYTES, "its {NAME} is too large");
    let mut text = Vec::new();
    first.take(MANIFEST_BYTES).read_to_end(&mut text)?;
    let manifest = read_manifest(&text, rust)?;
    let mut seen = BTreeSet::new();
    let mut end = BLOCK_BYTES + manifest_bytes;
    let mut total = 2 * BLOCK_BYTES + BLOCK_BYTES + manifest_bytes.next_multiple_of(BLOCK_BYTES);
    let mut kinds = Vec::new();
    for member in &manifest.members {
        ensure!(seen.insert(&member.path), "its manifest lists {} twice", member.path);
        kinds.push(kind(&member.path, &manifest)?);
        let padded = member.size_bytes.checked_next_multiple_of(BLOCK_BYTES);
        let sum = padded.and_then(|bytes| total.checked_add(bytes)?.checked_add(BLOCK_BYTES));
        total = sum.context("its manifest lists impossible sizes")?;
    }
    ensure!(total == file_bytes, "it has {file_bytes} bytes, and by its manifest {total}");
    let mut members = Vec::new();
    for (number, (member, kind)) in manifest.members.iter().zip(kinds).enumerate() {
        let place = temp.join(number.to_string());
        let entry = entries.next().with_context(|| format!("it has no {}", member.path))??;
        let start = entry.raw_header_position();
        require_zeros(&gaps, end, start).with_context(|| format!("before {}", member.path))?;
        end = entry.raw_file_position() + member.size_bytes;
        extract_member(entry, member, &place)?;
        members.push((kind, place));
    }
    require_zeros(&gaps, end, file_bytes).context("at its end")?;
    Ok((manifest, members))
}

/// Between members, and after the last one, there is nothing.
fn require_zeros(file: &File, start: u64, end: u64) -> Result<()> {
    let length = end.checked_sub(start).filter(|length| *length <= 3 * BLOCK_BYTES);
    let mut gap = vec![0; usize::try_from(length.context("it has a gap")?)?];
    file.read_exact_at(&mut gap, start)?;
    ensure!(gap.iter().all(|byte| *byte == 0), "it has bytes that belong to no member");
    Ok(())
}

fn read_manifest(text: &[u8], rust: &Rust) -> Result<Manifest> {
    let value: serde_json::Value =
        serde_json::from_slice(text).context("its manifest cannot be read")?;
    let format = &value["format"];
    if format.as_u64() != Some(u64::from(FORMAT)) {
        let message = format!("the bundle is of format {format}, and this Muslin reads {FORMAT}");
        return Err(Failure::new(Exit::Failed, message).help("use the Muslin that made it").into());
    }
    let manifest: Manifest =
        serde_json::from_value(value).context("its manifest cannot be read")?;
    if manifest.facts.rust != rust.version {
        let short = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        let (theirs, ours) = (short(&manifest.facts.rust), short(&rust.version));
        let message = format!("the bundle is for {theirs}, and this is {ours}");
        return Err(Failure::new(Exit::Failed, message)
            .help("a standard library serves only the very rustc that it was made with: install that one, or make the bundle with this one")
            .into());
    }
    Ok(manifest)
}

/// Whether a member of the tar has the very header that `bundle` gives a file of this name.
fn is_member(entry: &tar::Entry<'_, impl std::io::Read>, path: &str, executable: bool) -> bool {
    let expected = header(path, entry.size(), executable);
    expected.is_ok_and(|expected| entry.header().as_bytes() == expected.as_bytes())
}

fn extract_member(
    entry: tar::Entry<'_, impl std::io::Read>,
    member: &Member,
    place: &Path,
) -> Result<()> {
    let path = &member.path;
    let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    ensure!(
        is_member(&entry, path, member.executable),
        "where its manifest lists {path} it has {found:?}"
    );
    ensure!(entry.size() == member.size_bytes, "{path} has not the size that its manifest lists");
    let mut out = BufWriter::new(File::create_new(place)?);
    let (size_bytes, digest) = copy_hashed(entry, &mut out)?;
    out.flush()?;
    if member.executable {
        fs::set_permissions(place, fs::Permissions::from_mode(0o755))?;
    }
    ensure!(size_bytes == member.size_bytes, "{path} is cut off");
    ensure!(
        digest.hex() == member.sha256,
        "{path} is damaged: it hashes to {}, expected {}",
        digest.hex(),
        member.sha256
    );
    Ok(())
}

/// What a member is; an error if no bundle has such a member.
fn kind(path: &str, manifest: &Manifest) -> Result<Kind> {
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..") && part.chars().all(|c| !c.is_control() && c != '\\')
    };
    ensure!(path.split('/').all(is_plain), "its manifest lists an unsafe path: {path:?}");
    let parts: Vec<&str> = path.split('/').collect();
    let digest = |hex: &str| parse_hex(if hex.len() == 128 { "sha512" } else { "sha256" }, hex);
    let found = match parts[..] {
        ["README.txt"] => Some(Kind::Readme),
        ["muslin", "config.toml"] => Some(Kind::Config),
        ["muslin", "registry", "index", ..] => {
            path.strip_prefix("muslin/registry/").map(|rest| Kind::Index(rest.to_owned()))
        }
        ["muslin", "registry", name] => match name.rsplit_once('.') {
            Some((id, "crate")) => Some(Kind::Crate(id.to_owned())),
            Some((id, "json")) => Some(Kind::Line(id.to_owned())),
            _ => None,
        },
        ["muslin", "sources", name] => {
            name.strip_suffix(".toml").map(|id| Kind::Origin(id.to_owned()))
        }
        ["muslin", "vendor", _, _, _, ..] => Some(Kind::Vendored(path.to_owned())),
        ["downloads", hex, name] => {
            digest(hex).ok().map(|digest| Kind::Download(digest, name.to_owned()))
        }
        ["downloads", origin] => {
            origin.strip_suffix(".origin").and_then(|hex| digest(hex).ok()).map(Kind::Server)
        }
        ["rust-std", "lib", "rustlib", first, ..] => {
            let triple = first.strip_prefix("manifest-rust-std-").unwrap_or(first);
            let is_ours = manifest.facts.plans.iter().any(|plan| plan.target == triple);
            let is_whole = (first == triple) == (parts.len() > 4);
            let rest = path.strip_prefix("rust-std/").unwrap_or(path);
            (is_ours && is_whole).then(|| Kind::Std(rest.to_owned()))
        }
        ["entries", name] => name.strip_suffix(".tar").map(|id| Kind::Entry(id.to_owned())),
        _ => None,
    };
    found.with_context(|| format!("its manifest lists {path:?}, which no bundle has"))
}

fn check_downloads(members: &[(Kind, PathBuf)]) -> Result<()> {
    let mut files = BTreeMap::new();
    for (kind, place) in members {
        let Kind::Download(digest, name) = kind else { continue };
        let found = digest.of_same_kind(File::open(place)?)?;
        ensure!(
            found == *digest,
            "the download {name} is not that of its digest: it hashes to {found}"
        );
        ensure!(files.insert(*digest, name).is_none(), "it has the download {digest} twice");
    }
    for (kind, _) in members {
        let Kind::Server(digest) = kind else { continue };
        ensure!(files.contains_key(digest), "it says who served {digest}, and has it not");
    }
    Ok(())
}

/// Entries are unpacked, and must be those of the plans, as they were recorded.
fn check_entries(
    members: &[(Kind, PathBuf)],
    manifest: &Manifest,
    temp: &Path,
) -> Result<Vec<(String, PathBuf)>> {
    let steps = manifest.facts.plans.iter().flat_map(|plan| &plan.steps);
    let known: BTreeSet<String> = steps
        .filter_map(|step| {
            Some(format!("{}-{}-{}", step.name, step.version, step.fingerprint.get(..16)?))
        })
        .collect();
    let mut entries = Vec::new();
    for (kind, place) in members {
        let Kind::Entry(id) = kind else { continue };
        ensure!(known.contains(id), "it has the entry {id}, which none of its plans makes");
        let folder = temp.join(id);
        unpack_file(place, &Part::default(), &folder, &Limits::default())
            .map_err(|error| anyhow!("the entry {id}: {error:#}"))?;
        check_entry(id, &folder).with_context(|| format!("the entry {id}"))?;
        entries.push((id.clone(), folder));
    }
    Ok(entries)
}

fn check_entry(id: &str, folder: &Path) -> Result<()> {
    let known = ["fingerprint.txt", "licenses", "origin.txt", "outputs", "outputs.sha256"];
    for item in fs::read_dir(folder)? {
        let name = item?.file_name();
        ensure!(known.iter().any(|known| name == *known), "it has {name:?}, which no entry has");
    }
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("its {name} cannot be read"))
    };
    let pre_image = read("fingerprint.txt")?;
    let fingerprint = Digest::sha256_of(pre_image.as_bytes()).hex();
    ensure!(id.ends_with(&fingerprint[..16]), "its fingerprint.txt is not that of its name");
    let licenses = license_problems(&folder.join("licenses"), &pre_image)?;
    ensure!(
        licenses.is_empty(),
        "its licences are not those of its recipe: {}",
        licenses.join(", ")
    );
    ensure!(folder.join("outputs").is_dir(), "it has no outputs");
    let found = tree_listing(&folder.join("outputs"))?;
    ensure!(read("outputs.sha256")? == found, "its outputs are not those that its record lists");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::manifest::{Facts, Planned};

    #[test]
    fn only_paths_that_bundles_have_are_taken() {
        let plan = Planned { target: "t-musl".to_owned(), steps: vec![] };
        let facts = Facts {
            muslin: String::new(),
            rust: String::new(),
            package: String::new(),
            package_version: String::new(),
            plans: vec![plan],
        };
        let manifest = Manifest { format: FORMAT, facts, members: vec![] };
        let hex = "a".repeat(64);
        for good in [
            "README.txt",
            "muslin/registry/x-1.0.0.crate",
            "muslin/registry/index/3/x/xyz",
            "muslin/sources/0123456789abcdef.toml",
            "muslin/vendor/0123456789abcdef/x-1.0.0/src/lib.rs",
            &format!("downloads/{hex}/file.tar.gz"),
            &format!("downloads/{hex}.origin"),
            "rust-std/lib/rustlib/t-musl/lib/libstd.rlib",
            "rust-std/lib/rustlib/manifest-rust-std-t-musl",
            "entries/zlib-1-0123456789abcdef.tar",
        ] {
            assert!(kind(good, &manifest).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/README.txt",
            "../README.txt",
            "muslin/registry/../../x.crate",
            "muslin/registry/index/../x",
            "muslin/registry//x.crate",
            "muslin/registry/index/a\nb",
            "muslin/other",
            "muslin/sources/x/y.toml",
            "muslin/vendor/0123456789abcdef/x-1.0.0",
            "downloads/abc/file",
            "downloads/README.txt",
            "rust-std/lib/rustlib/other/lib/libstd.rlib",
            "rust-std/lib/rustlib/t-musl",
            "rust-std/lib/rustlib/manifest-rust-std-t-musl/x",
            "rust-std/bin/rustc",
            "entries/x/y.tar",
        ] {
            assert!(kind(bad, &manifest).is_err(), "{bad}");
        }
    }
}
