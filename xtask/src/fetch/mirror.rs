//! Mirrors that the user names: servers or folders with files named by their digest.

use std::path::PathBuf;
use std::str::FromStr;

use reqwest::Url;

use super::adopt::adopt;
use super::download::download;
use super::http::shown;
use super::refusal::{Cause, Refusal};
use super::wanted::Wanted;
use super::{Attempt, Fetcher};

/// A place with files called `<sha256>`, looked into before any origin. Plain http will do: whatever
/// comes is verified by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// A server: the digest is put after the address and a slash.
    Server(Url),
    /// A folder on this machine; usable offline.
    Folder(PathBuf),
}

impl FromStr for Mirror {
    type Err = String;

    /// Parses the value of `--mirror URL|DIR`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a mirror is an http(s) address or a folder, not nothing".to_owned());
        }
        if !text.contains("://") {
            return std::path::absolute(text).map(Self::Folder).map_err(|error| error.to_string());
        }
        let url: Url = text.parse().map_err(|error| format!("`{text}` is no address: {error}"))?;
        match url.scheme() {
            "http" | "https" if url.query().is_none() => Ok(Self::Server(url)),
            "http" | "https" => Err("a mirror's address has no `?query`".to_owned()),
            "file" => url
                .to_file_path()
                .map(Self::Folder)
                .map_err(|()| format!("`{text}` is no folder of this machine")),
            scheme => Err(format!("a mirror is an http(s) address or a folder, not `{scheme}:`")),
        }
    }
}

impl Mirror {
    /// Parses several, separated by blanks; but the name of a folder that is there may have some.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        if std::path::Path::new(text).is_dir() {
            return text.parse().map(|mirror| vec![mirror]);
        }
        text.split_whitespace().map(str::parse).collect()
    }

    /// Whether it can be read without network.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Tries to get the wanted bytes here.
    pub(super) fn serve(&self, fetcher: &Fetcher, wanted: &Wanted) -> Attempt {
        let hex = wanted.digest.hex();
        match self {
            Self::Folder(folder) => {
                let place = format!("mirror {}", folder.display());
                let file = folder.join(hex);
                if !file.is_file() {
                    return Ok(Err(Refusal::new(&place, Cause::Absent, "does not have it")));
                }
                adopt(fetcher, wanted, &file, &place)
            }
            Self::Server(base) => {
                let place = format!("mirror {}", shown(base));
                let mut url = base.clone();
                url.set_path(&format!("{}/{hex}", base.path().trim_end_matches('/')));
                download(fetcher, wanted, &url, &place)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_folders_are_told_apart() {
        let parse = |text: &str| text.parse::<Mirror>();
        assert_eq!(parse("/srv/m"), Ok(Mirror::Folder("/srv/m".into())));
        assert_eq!(parse("file:///srv/m"), Ok(Mirror::Folder("/srv/m".into())));
        assert!(matches!(parse("here"), Ok(Mirror::Folder(path)) if path.is_absolute()));
        assert!(matches!(parse("http://h.test/m"), Ok(Mirror::Server(_))));
        assert!(parse("ftp://h.test/m").unwrap_err().contains("`ftp:`"));
        assert!(parse("https://h.test/m?x=1").unwrap_err().contains("query"));
        assert!(parse("").is_err());
    }

    #[test]
    fn several_are_separated_by_blanks() {
        let list = Mirror::list("http://h.test/m  /srv/m").unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[1], Mirror::Folder("/srv/m".into()));
        assert!(Mirror::list("ftp://h.test/m /srv/m").is_err());
        assert_eq!(Mirror::list(env!("CARGO_MANIFEST_DIR")).unwrap().len(), 1);
    }
}
