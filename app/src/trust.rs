//! The CA certificates that chains are checked against, and where they are found.

use std::collections::HashSet;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use openssl::hash::MessageDigest;
use openssl::x509::X509;
use openssl::x509::store::{X509Store, X509StoreBuilder};

/// Where systems keep their CA certificates: bundles first, then folders of single files.
pub const USUAL_PLACES: [&str; 8] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs",
    "/etc/pki/tls/certs",
];

/// The CA certificates, and the place they are from.
pub struct Trust {
    /// The file or folder.
    pub place: PathBuf,
    /// Why that place was looked at.
    pub origin: Origin,
    /// How many certificates are in it.
    pub count: usize,
    store: X509Store,
}

/// Why a place was looked at for CA certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--ca-file` named it.
    Flag,
    /// The environment variable `SSL_CERT_FILE` named it.
    FileVariable,
    /// The environment variable `SSL_CERT_DIR` named it.
    DirVariable,
    /// It is one of the usual places.
    Usual,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "--ca-file",
            Self::FileVariable => "SSL_CERT_FILE",
            Self::DirVariable => "SSL_CERT_DIR",
            Self::Usual => "the usual places",
        })
    }
}

impl Trust {
    /// Finds the CA certificates. What the user named (`flag` is `--ca-file`) must hold some; the usual
    /// places are only looked at when nothing is named.
    pub fn find(flag: Option<&Path>) -> Result<Self> {
        Self::search(flag, |name| env::var_os(name), &USUAL_PLACES.map(Path::new))
    }

    /// The certificates in the form that OpenSSL wants.
    pub fn into_store(self) -> X509Store {
        self.store
    }

    fn search(
        flag: Option<&Path>,
        var: impl Fn(&str) -> Option<OsString>,
        usual: &[&Path],
    ) -> Result<Self> {
        let var = |name| var(name).filter(|value| !value.is_empty());
        if let Some(file) = flag {
            return Self::named(file, Origin::Flag);
        }
        if let Some(file) = var("SSL_CERT_FILE") {
            return Self::named(Path::new(&file), Origin::FileVariable);
        }
        if let Some(folders) = var("SSL_CERT_DIR") {
            // Like OpenSSL, several folders with ':' between; the first that holds any is taken.
            let folders: Vec<_> = env::split_paths(&folders).collect();
            let folders: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
            return Self::first_of(&folders, Origin::DirVariable);
        }
        Self::first_of(usual, Origin::Usual)
    }

    fn named(file: &Path, origin: Origin) -> Result<Self> {
        let certificates = read_file(file).with_context(|| {
            format!("cannot take CA certificates from {} ({origin})", file.display())
        })?;
        Self::new(file, origin, certificates)
    }

    fn first_of(places: &[&Path], origin: Origin) -> Result<Self> {
        let mut looked = String::new();
        for place in places {
            let found = if place.is_dir() { read_folder(place) } else { read_file(place) };
            match found {
                Ok(certificates) => return Self::new(place, origin, certificates),
                Err(error) => looked += &format!("\n  {}: {}", place.display(), reason(&error)),
            }
        }
        bail!(
            "no CA certificates found, so no chain can be verified. Looked in ({origin}):{looked}\n\
             Name a file of PEM certificates with --ca-file or SSL_CERT_FILE, \
             or install your system's package of them (often called ca-certificates)."
        )
    }

    fn new(place: &Path, origin: Origin, certificates: Vec<X509>) -> Result<Self> {
        let mut builder = X509StoreBuilder::new()?;
        let mut seen = HashSet::new();
        for certificate in certificates {
            if seen.insert(certificate.digest(MessageDigest::sha256())?.to_vec()) {
                builder.add_cert(certificate)?;
            }
        }
        let store = builder.build();
        Ok(Self { place: place.to_path_buf(), origin, count: seen.len(), store })
    }
}

/// The innermost cause, in words that say most: "not there" is what nearly every usual place is.
fn reason(error: &anyhow::Error) -> String {
    match error.root_cause().downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::NotFound) => "not there".into(),
        _ => format!("{error:#}"),
    }
}

fn read_file(file: &Path) -> Result<Vec<X509>> {
    let text = fs::read(file)?;
    let certificates =
        X509::stack_from_pem(&text).map_err(|_| anyhow!("a certificate in it is damaged"))?;
    if certificates.is_empty() {
        bail!("there is no PEM certificate in it");
    }
    Ok(certificates)
}

/// All certificates in a folder's files; files that hold none, or damaged ones, are passed over.
fn read_folder(folder: &Path) -> Result<Vec<X509>> {
    let mut certificates = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Not even opened: a pipe there would keep certwatch waiting.
        if path.is_file() {
            certificates.extend(read_file(&path).unwrap_or_default());
        }
    }
    if certificates.is_empty() {
        bail!("no file in it holds a PEM certificate");
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use openssl::asn1::Asn1Time;
    use openssl::ec::{EcGroup, EcKey};
    use openssl::error::ErrorStack;
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use std::process;

    /// Some certificate in PEM form; nothing here looks inside it.
    fn pem() -> String {
        let make = || -> Result<String, ErrorStack> {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
            let key = PKey::from_ec_key(EcKey::generate(&group)?)?;
            let mut builder = X509::builder()?;
            builder.set_not_before(Asn1Time::days_from_now(0)?.as_ref())?;
            builder.set_not_after(Asn1Time::days_from_now(1)?.as_ref())?;
            builder.set_pubkey(&key)?;
            builder.sign(&key, MessageDigest::sha256())?;
            Ok(String::from_utf8_lossy(&builder.build().to_pem()?).into_owned())
        };
        make().expect("a certificate")
    }

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("certwatch-trust-{name}-{}", process::id()));
            fs::create_dir_all(&path).expect("a temporary folder");
            Self(path)
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, text).expect("a temporary file");
            path
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn no_var(_: &str) -> Option<OsString> {
        None
    }

    fn failure(found: Result<Trust>) -> String {
        match found {
            Ok(trust) => panic!("found {}", trust.place.display()),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn the_flag_precedes_the_variables_precede_the_usual_places() {
        let (folder, pem) = (Folder::new("order"), pem());
        let [flag, file, usual] =
            ["flag.pem", "file.pem", "usual.pem"].map(|n| folder.file(n, &pem));
        let both = |name: &str| match name {
            "SSL_CERT_FILE" => Some(file.clone().into_os_string()),
            "SSL_CERT_DIR" => Some(folder.0.clone().into_os_string()),
            _ => None,
        };
        let dir = |name: &str| both(name).filter(|_| name == "SSL_CERT_DIR");
        let empty = |_: &str| Some(OsString::new());
        let places = [Path::new("/nonexistent/ca.pem"), usual.as_path()];
        let search = |flag: Option<&Path>, var: &dyn Fn(&str) -> Option<OsString>| {
            let found = Trust::search(flag, var, &places).expect("certificates");
            (found.origin, found.place, found.count)
        };
        assert_eq!(search(Some(&flag), &both), (Origin::Flag, flag.clone(), 1));
        assert_eq!(search(None, &both), (Origin::FileVariable, file.clone(), 1));
        assert_eq!(search(None, &dir), (Origin::DirVariable, folder.0.clone(), 1));
        assert_eq!(search(None, &empty), (Origin::Usual, usual.clone(), 1));
    }

    #[test]
    fn a_named_file_without_certificates_is_an_error_even_if_a_usual_place_has_some() {
        let (folder, pem) = (Folder::new("named"), pem());
        let usual = folder.file("usual.pem", &pem);
        let blank = folder.file("blank.pem", "no certificate\n");
        let cut = folder.file("cut.pem", &pem.replace("MI", "M"));
        for (file, words) in [
            (folder.0.join("missing.pem"), "No such file"),
            (blank, "no PEM certificate"),
            (cut, "damaged"),
        ] {
            let text = failure(Trust::search(Some(&file), no_var, &[&usual]));
            assert!(text.contains(words) && text.contains("--ca-file"), "{text}");
        }
    }

    #[test]
    fn when_there_are_none_it_says_where_it_looked_and_what_helps() {
        let folder = Folder::new("none");
        let blank = folder.file("blank.pem", "");
        let text =
            failure(Trust::search(None, no_var, &[Path::new("/nonexistent/ca.pem"), &blank]));
        for words in
            ["/nonexistent/ca.pem: not there", "blank.pem: there is no PEM", "SSL_CERT_FILE"]
        {
            assert!(text.contains(words), "{words:?} is not in {text}");
        }
    }
}
