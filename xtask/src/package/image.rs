//! Checked programs → an OCI image with nothing in it but them and what the app's manifest asks for.

mod config;
mod root;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::{Compression as Level, GzBuilder};

use super::PackedFile;
use super::tarball::UNKNOWN_SYSTEM;
use crate::check::Checked;
use crate::digest::{Digest, Hasher};
use crate::exit::{Exit, Failure};
use crate::layout::TempFolder;
use crate::links::CERTIFICATES;
use crate::oci::{self, Blob, Content, Descriptor, Document, Layout, Platform};
use crate::rust::Memory;
use crate::session::Project;
use crate::target::Target;

use root::Root;

/// Bump when the same contents are packed into other bytes.
const FORMAT: &str = "image 1";

/// What programs look for certificates by, unless told otherwise: OpenSSL as well as those crates that
/// read the machine's.
const LOOKS_FOR_CERTIFICATES: &[u8] = b"SSL_CERT_FILE";

/// What an image is made of.
pub struct Order<'a> {
    /// What it is called.
    pub name: &'a str,
    /// The package.
    pub project: &'a Project,
    /// What it runs on.
    pub target: &'a Target,
    /// Its programs, by name.
    pub programs: Vec<(&'a str, &'a Checked)>,
    /// Folders of pinned files, laid out as in the image.
    pub data: Vec<&'a Path>,
}

/// The images of a package's programs: one for each, or one for those that the manifest names. Data is
/// given by the name of its recipe.
pub fn orders<'a>(
    project: &'a Project,
    target: &'a Target,
    programs: &[(&'a str, &'a Checked)],
    data: &'a [(String, PathBuf)],
) -> Result<Vec<Order<'a>>> {
    let wishes = &project.wanted.image;
    require_programs(project)?;
    let together: Vec<_> = programs
        .iter()
        .filter(|(name, _)| wishes.programs.iter().any(|wish| wish == name))
        .copied()
        .collect();
    let parts: Vec<(&str, Vec<_>)> = match wishes.programs.is_empty() {
        true => programs.iter().map(|program| (program.0, vec![*program])).collect(),
        false => vec![(project.package.name.as_str(), together)],
    };
    let mut orders = Vec::new();
    for (name, programs) in parts.into_iter().filter(|(_, programs)| !programs.is_empty()) {
        let mut wanted = Vec::new();
        for (recipe, folder) in data {
            let is_open = recipe == CERTIFICATES && wishes.certificates.is_none();
            if !is_open || looks_for_certificates(&programs)? {
                wanted.push(folder.as_path());
            }
        }
        orders.push(Order { name, project, target, programs, data: wanted });
    }
    Ok(orders)
}

/// Fails if the manifest puts a program into the image that the package has not.
fn require_programs(project: &Project) -> Result<()> {
    let targets = project.package.targets.iter();
    let bins: Vec<&str> = targets
        .filter(|it| it.kind.iter().any(|kind| kind == "bin"))
        .map(|it| it.name.as_str())
        .collect();
    let unknown = |name: &&String| !bins.contains(&name.as_str());
    let Some(name) = project.wanted.image.programs.iter().find(unknown) else { return Ok(()) };
    let place = project.manifest.display();
    let message = format!("`image.programs` in {place}: there is no program `{name}`");
    Err(Failure::new(Exit::Usage, message).help(format!("programs: {}", bins.join(", "))).into())
}

fn looks_for_certificates(programs: &[(&str, &Checked)]) -> Result<bool> {
    for (_, program) in programs {
        let path = program.path();
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        if memchr::memmem::find(&bytes, LOOKS_FOR_CERTIFICATES).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Packs an image into a folder, unless it is there as it would be made.
pub fn make(
    order: &Order<'_>,
    cpu: &str,
    folder: &Path,
    scratch: &dyn Fn() -> Result<TempFolder>,
    memory: &Memory,
) -> Result<PackedFile> {
    let Order { name, project, target, .. } = order;
    let package = &project.package;
    let path = folder.join(format!("{name}-{}-{}.oci.tar", package.version, target.name()));
    let user = config::User::of(project)?;
    let layers = [Root::base(order, &user)?, Root::app(order)?];
    let platform = Platform::linux(cpu);
    let config = config::of(order, &platform, &user)?;
    let parts = layers.each_ref().map(Root::pre_image).concat();
    let question = format!("{FORMAT}\n{}\n{config}\n{parts}", file_name(&path));
    PackedFile::recall(path, &question, memory, |path| {
        let scratch = scratch()?;
        let image = assemble(&layers, config, platform, scratch.path())?;
        let name = format!("{}:{}", image_name(name), tag(&package.version));
        Layout::new(image.blobs, image.manifest, &name).write_to(path)
    })
}

/// Packs images of one program for several CPUs into one, unless it is there as it would be made.
pub fn join(images: &[PackedFile], path: &Path, memory: &Memory) -> Result<PackedFile> {
    let sums: Vec<String> = images.iter().map(|image| image.sha256.hex()).collect();
    let question = format!("{FORMAT}\n{}\n{}", file_name(path), sums.join("\n"));
    PackedFile::recall(path.to_owned(), &question, memory, |path| {
        let mut index = Document::new(oci::INDEX);
        let (mut blobs, mut name) = (Vec::new(), String::new());
        for image in images {
            let layout = Layout::read(&image.path)?;
            layout.name().clone_into(&mut name);
            let mut manifest = layout.top.clone();
            manifest.annotations.clear();
            index.manifests.push(manifest);
            blobs.extend(layout.blobs.into_values());
        }
        let index = Blob::json(oci::INDEX, &index)?;
        let top = index.descriptor.clone();
        Layout::new(blobs.into_iter().chain([index]), top, &name).write_to(path)
    })
}

/// What an image consists of.
struct Image {
    blobs: Vec<Blob>,
    manifest: Descriptor,
}

fn assemble(
    layers: &[Root],
    mut config: serde_json::Value,
    platform: Platform,
    scratch: &Path,
) -> Result<Image> {
    let (mut blobs, mut diff_ids) = (Vec::new(), Vec::new());
    for (index, layer) in layers.iter().filter(|layer| !layer.is_empty()).enumerate() {
        let (blob, diff_id) = pack_layer(layer, &scratch.join(index.to_string()))?;
        blobs.push(blob);
        diff_ids.push(diff_id.to_string());
    }
    config["rootfs"] = serde_json::json!({ "type": "layers", "diff_ids": diff_ids });
    let mut manifest = Document::new(oci::MANIFEST);
    manifest.layers = blobs.iter().map(|blob| blob.descriptor.clone()).collect();
    let config = Blob::json(oci::CONFIG, &config)?;
    manifest.config = Some(config.descriptor.clone());
    let manifest = Blob::json(oci::MANIFEST, &manifest)?;
    let mut named = manifest.descriptor.clone();
    named.platform = Some(platform);
    blobs.extend([config, manifest]);
    Ok(Image { blobs, manifest: named })
}

/// Packs files; returns also the digest of the tar as it is unpacked.
fn pack_layer(layer: &Root, to: &Path) -> Result<(Blob, Digest)> {
    let cannot = || format!("cannot write {}", to.display());
    let file = BufWriter::new(File::create(to).with_context(cannot)?);
    let packed = Hashing { inner: file, hasher: Hasher::sha256() };
    let header = GzBuilder::new().mtime(0).operating_system(UNKNOWN_SYSTEM);
    let gzip = header.write(packed, Level::best());
    let plain = Hashing { inner: gzip, hasher: Hasher::sha256() };
    let Hashing { inner: gzip, hasher: plain } = layer.write(plain)?;
    let Hashing { inner: mut file, hasher: packed } = gzip.finish().with_context(cannot)?;
    file.flush().with_context(cannot)?;
    let descriptor = Descriptor {
        media_type: oci::LAYER.to_owned(),
        digest: packed.finish().to_string(),
        size: fs::metadata(to)?.len(),
        platform: None,
        annotations: BTreeMap::new(),
    };
    Ok((Blob { descriptor, content: Content::File(to.to_owned(), 0) }, plain.finish()))
}

/// Hashes what it passes on.
struct Hashing<W: Write> {
    inner: W,
    hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.write_all(&bytes[..written])?;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A package's name as that of an image: no capital letters, and nothing but letters and digits at
/// either end.
fn image_name(package: &str) -> String {
    package.to_lowercase().trim_matches(['-', '_']).to_owned()
}

/// A version as a tag, which has no plus sign.
fn tag(version: &str) -> String {
    version.replace('+', "-")
}
