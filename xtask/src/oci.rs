//! Container images as files: an image layout of the Open Container Initiative in one tar, written and
//! read. What an image holds is not its business.
//!
//! Names and fields are those of the OCI image specification 1.1.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::archive::Archive;
use crate::digest::Digest;
use crate::layout::write_whole;

/// The media type of an index: the same image for several CPUs.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Of a manifest: one image.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Of how it starts.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Of a part of its files.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What tools take for the name of an image that a layout holds.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// More than any index, manifest or configuration has.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// What names a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    pub media_type: String,
    /// `sha256:…`.
    pub digest: String,
    /// Its size in bytes.
    pub size: u64,
    /// What an image runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What an image runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The CPU, in the words of Go.
    pub architecture: String,
    /// `linux`.
    pub os: String,
    /// Which kind of that CPU: `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Of `arm/v7`.
    pub fn linux(cpu: &str) -> Self {
        let (architecture, variant) = match cpu.split_once('/') {
            Some((cpu, variant)) => (cpu, Some(variant.to_owned())),
            None => (cpu, None),
        };
        Self { architecture: architecture.to_owned(), os: "linux".to_owned(), variant }
    }
}

/// An index or a manifest, as far as it says what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// 2.
    pub schema_version: u32,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Of an index: the manifests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<Descriptor>,
    /// Of a manifest: how it starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Descriptor>,
    /// Of a manifest: its files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Descriptor>,
    /// What else is said of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Document {
    /// An empty one of a media type.
    pub fn new(media_type: &str) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(media_type.to_owned()),
            manifests: Vec::new(),
            config: None,
            layers: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }

    /// All that it names.
    pub fn children(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(&self.layers).chain(&self.manifests)
    }
}

/// Where a blob's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    /// Here.
    Bytes(Vec<u8>),
    /// In a file, so many bytes from there on.
    File(PathBuf, u64),
}

/// Bytes with their name.
#[derive(Clone, Debug)]
pub struct Blob {
    /// Its name.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub content: Content,
}

impl Blob {
    /// Something written as JSON.
    pub fn json(media_type: &str, value: &impl Serialize) -> Result<Self> {
        let bytes = serde_json::to_vec(value)?;
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::sha256_of(&bytes).to_string(),
            size: bytes.len() as u64,
            platform: None,
            annotations: BTreeMap::new(),
        };
        Ok(Self { descriptor, content: Content::Bytes(bytes) })
    }

    /// Its bytes, to read.
    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        Ok(match &self.content {
            Content::Bytes(bytes) => Box::new(std::io::Cursor::new(bytes.clone())),
            Content::File(path, offset) => {
                let cannot = || format!("cannot read {}", path.display());
                let mut file = File::open(path).with_context(cannot)?;
                file.seek(SeekFrom::Start(*offset)).with_context(cannot)?;
                Box::new(BufReader::new(file.take(self.descriptor.size)))
            }
        })
    }

    /// What it says, if it is JSON.
    pub fn document<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        let Descriptor { digest, size, .. } = &self.descriptor;
        if *size > DOCUMENT_BYTES_MAX {
            bail!("the blob {digest} is too long for what it is said to be");
        }
        let mut bytes = Vec::new();
        self.open()?.read_to_end(&mut bytes)?;
        if Digest::sha256_of(&bytes).to_string() != *digest {
            bail!("the blob {digest} has other bytes than its name says");
        }
        serde_json::from_slice(&bytes).with_context(|| format!("cannot make sense of {digest}"))
    }
}

/// An image layout: blobs by digest, and which of them is the image.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The blobs.
    pub blobs: BTreeMap<String, Blob>,
    /// The manifest, or the index of several.
    pub top: Descriptor,
}

impl Layout {
    /// Blobs with a top one among them, which gets a name, such as `hello:1.0.0`.
    pub fn new(blobs: impl IntoIterator<Item = Blob>, top: Descriptor, name: &str) -> Self {
        let named = blobs.into_iter().map(|blob| (blob.descriptor.digest.clone(), blob));
        let mut top = top;
        top.annotations.insert(REF_NAME.to_owned(), name.to_owned());
        Self { blobs: named.collect(), top }
    }

    /// The name that it was given.
    pub fn name(&self) -> &str {
        self.top.annotations.get(REF_NAME).map(String::as_str).unwrap_or_default()
    }

    /// The blob that a descriptor names.
    pub fn blob(&self, descriptor: &Descriptor) -> Result<&Blob> {
        let found = self.blobs.get(&descriptor.digest);
        found.with_context(|| format!("the image has no blob {}", descriptor.digest))
    }

    /// Writes it, whole or not at all.
    pub fn write_to(&self, file: &Path) -> Result<()> {
        write_whole(file, |temp| self.write(temp))
    }

    /// Writes it. For Docker before 25, which does not know this layout, an image for one CPU is named
    /// in the way of `docker save`, too.
    fn write(&self, file: &Path) -> Result<()> {
        let out = File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
        let mut tar = Archive::new(BufWriter::new(out));
        let layout = br#"{"imageLayoutVersion":"1.0.0"}"#;
        tar.file(Path::new("oci-layout"), false, layout.len() as u64, &layout[..])?;
        let mut index = Document::new(INDEX);
        index.manifests.push(self.top.clone());
        let index = serde_json::to_vec(&index)?;
        tar.file(Path::new("index.json"), false, index.len() as u64, &index[..])?;
        if self.top.media_type == MANIFEST {
            let manifest: Document = self.blob(&self.top)?.document()?;
            let path = |descriptor: &Descriptor| path_of(&descriptor.digest);
            let text = serde_json::to_vec(&serde_json::json!([{
                "Config": manifest.config.as_ref().map(path),
                "RepoTags": [self.name()],
                "Layers": manifest.layers.iter().map(path).collect::<Vec<_>>(),
            }]))?;
            tar.file(Path::new("manifest.json"), false, text.len() as u64, &text[..])?;
        }
        for blob in self.blobs.values() {
            let Descriptor { digest, size, .. } = &blob.descriptor;
            tar.file(Path::new(&path_of(digest)), false, *size, blob.open()?)?;
        }
        let mut out = tar.finish()?;
        out.flush().with_context(|| format!("cannot write {}", file.display()))
    }

    /// Reads one. The blobs stay in the file.
    pub fn read(file: &Path) -> Result<Self> {
        let cannot = || format!("{} is no image", file.display());
        let mut tar = tar::Archive::new(File::open(file).with_context(cannot)?);
        let (mut blobs, mut top) = (BTreeMap::new(), None);
        for entry in tar.entries_with_seek().with_context(cannot)? {
            let mut entry = entry.with_context(cannot)?;
            let path = entry.path().with_context(cannot)?.into_owned();
            if path == Path::new("index.json") && entry.size() <= DOCUMENT_BYTES_MAX {
                let index: Document = serde_json::from_reader(&mut entry).with_context(cannot)?;
                let [only] = <[Descriptor; 1]>::try_from(index.manifests)
                    .map_err(|found| anyhow::anyhow!("it holds {} images", found.len()))
                    .with_context(cannot)?;
                top = Some(only);
            } else if let Some(digest) = digest_of(&path) {
                let descriptor = Descriptor {
                    media_type: String::new(),
                    digest: digest.clone(),
                    size: entry.size(),
                    platform: None,
                    annotations: BTreeMap::new(),
                };
                let content = Content::File(file.to_owned(), entry.raw_file_position());
                blobs.insert(digest, Blob { descriptor, content });
            }
        }
        let top = top.context("it has no index.json").with_context(cannot)?;
        Ok(Self { blobs, top })
    }
}

fn path_of(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

fn digest_of(path: &Path) -> Option<String> {
    let (kind, hex) = path.to_str()?.strip_prefix("blobs/")?.split_once('/')?;
    (!hex.is_empty()).then(|| format!("{kind}:{hex}"))
}
