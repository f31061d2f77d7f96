//! What the app's author asks for in the packages that `dist` makes: `[package.metadata.muslin.archive]`
//! and `….image]`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::metadata::Metadata;

/// Crates that look for the machine's certificates.
const READ_CERTIFICATES: [&str; 4] =
    ["openssl-probe", "openssl-sys", "rustls-native-certs", "rustls-platform-verifier"];

/// What goes into archives beside the programs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveWishes {
    /// Files and folders of the package, by their paths from its Cargo.toml on.
    pub include: Vec<String>,
    /// Whether what users look for (README, licence…) goes in without being named.
    pub auto: bool,
}

impl Default for ArchiveWishes {
    fn default() -> Self {
        Self { include: Vec::new(), auto: true }
    }
}

/// Whether something pinned goes into an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provided {
    /// It does.
    Bundle,
    /// It does not.
    None,
}

/// What an image holds beside the programs, and how it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct ImageWishes {
    /// Programs that are in one image, named after the package; if not said, each has its own.
    pub programs: Vec<String>,
    /// Certificates of public authorities; if not said, only for programs that look for them.
    pub certificates: Option<Provided>,
    /// Rules of time zones; if not said, none.
    pub time_zones: Option<Provided>,
    /// Files and folders of the package, by their place in the image.
    pub files: BTreeMap<String, String>,
    /// What is started; if not said, the package's program.
    pub entrypoint: Vec<String>,
    /// Its arguments where whoever starts it names none.
    pub command: Vec<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Ports that it listens on: `8080`, `53/udp`.
    pub ports: Vec<Port>,
    /// More labels, or others than those made of Cargo.toml.
    pub labels: BTreeMap<String, String>,
    /// Who it runs as: `UID`, `UID:GID`, or a name; if not said, nobody special.
    pub user: Option<String>,
    /// The folder in which it starts.
    pub workdir: Option<String>,
    /// Folders that it keeps data in.
    pub volumes: Vec<String>,
    /// The signal that asks it to stop.
    pub stop_signal: Option<String>,
}

/// A port, as number or with its protocol.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Port {
    /// Of TCP.
    Number(u16),
    /// `53/udp`.
    Text(String),
}

/// The recipe of the certificates.
pub const CERTIFICATES: &str = "ca-certificates";

/// The recipe of the time zones.
const TIME_ZONES: &str = "tzdata";

impl ImageWishes {
    /// The recipes of what the image of these crates' program is to hold.
    pub(super) fn data(&self, metadata: &Metadata) -> Vec<String> {
        let reads = |name: &str| READ_CERTIFICATES.contains(&name);
        let looks = metadata.linked_packages().any(|linked| reads(&linked.package.name));
        let certificates = match self.certificates {
            Some(said) => said == Provided::Bundle,
            None => looks,
        };
        let zones = self.time_zones == Some(Provided::Bundle);
        let wanted = [(certificates, CERTIFICATES), (zones, TIME_ZONES)];
        wanted.iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, it)| (*it).to_owned()).collect()
    }
}
