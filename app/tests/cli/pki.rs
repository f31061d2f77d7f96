//! A CA for the tests: roots, intermediates and leaves, with whatever dates a test wants.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef, X509VerifyResult};

pub const YEAR: i64 = 365;

/// A certificate with its key and, after it, those above it that a server sends along.
#[derive(Clone)]
pub struct Identity {
    pub key: PKey<Private>,
    pub chain: Vec<X509>,
}

/// What a leaf is for and its days, counted from today.
pub struct Leaf<'a> {
    pub cn: &'a str,
    pub names: &'a [&'a str],
    pub from: i64,
    pub to: i64,
}

/// A leaf for 127.0.0.1 and `localhost` that ends in `to` days.
pub fn local(to: i64) -> Leaf<'static> {
    Leaf { cn: "leaf", names: &["127.0.0.1", "localhost"], from: -YEAR, to }
}

/// A self-signed CA, valid for ten years.
pub fn root(name: &str) -> Identity {
    made(|| {
        let key = key()?;
        let subject = subject(name)?;
        let certificate = ca(&subject, -YEAR, 10 * YEAR, &key, &subject, &key)?;
        Ok(Identity { key, chain: vec![certificate] })
    })
}

/// A self-signed certificate that is no CA.
pub fn self_signed(leaf: &Leaf<'_>) -> Identity {
    made(|| {
        let key = key()?;
        let subject = subject(leaf.cn)?;
        let certificate = signed_leaf(leaf, &subject, &key, &subject, &key)?;
        Ok(Identity { key, chain: vec![certificate] })
    })
}

impl Identity {
    /// A CA under this one that ends in `to` days.
    pub fn intermediate(&self, name: &str, to: i64) -> Identity {
        made(|| {
            let key = key()?;
            let subject = subject(name)?;
            let certificate = ca(&subject, -YEAR, to, &key, self.name(), &self.key)?;
            Ok(Identity { key, chain: self.below(certificate) })
        })
    }

    /// A server's certificate under this CA.
    pub fn leaf(&self, leaf: &Leaf<'_>) -> Identity {
        made(|| {
            let key = key()?;
            let subject = subject(leaf.cn)?;
            let certificate = signed_leaf(leaf, &subject, &key, self.name(), &self.key)?;
            Ok(Identity { key, chain: self.below(certificate) })
        })
    }

    /// Writes this certificate to a PEM file in `folder`.
    pub fn write_pem(&self, folder: &Path, file: &str) -> PathBuf {
        let path = folder.join(file);
        let pem = made(|| self.chain[0].to_pem());
        fs::write(&path, pem).expect("write the PEM file");
        path
    }

    fn name(&self) -> &X509NameRef {
        self.chain[0].subject_name()
    }

    /// What a server with `certificate`, issued here, sends: all but the root.
    fn below(&self, certificate: X509) -> Vec<X509> {
        let is_root = self.chain[0].issued(&self.chain[0]) == X509VerifyResult::OK;
        let above = if is_root { &[] } else { &self.chain[..] };
        [&[certificate], above].concat()
    }
}

fn made<T>(make: impl FnOnce() -> Result<T, ErrorStack>) -> T {
    make().expect("OpenSSL makes what a test needs")
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn subject(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509Name::builder()?;
    builder.append_entry_by_text("O", "certwatch tests")?;
    builder.append_entry_by_text("CN", name)?;
    Ok(builder.build())
}

fn in_days(days: i64) -> Result<Asn1Time, ErrorStack> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    // An hour more, so that whole days are still left when the test looks.
    Asn1Time::from_unix(now.as_secs() as i64 + days * 86_400 + 3600)
}

fn begin(
    subject: &X509NameRef,
    from: i64,
    to: i64,
    key: &PKey<Private>,
    issuer: &X509NameRef,
) -> Result<X509Builder, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(100, MsbOption::ONE, false)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_not_before(&*in_days(from)?)?;
    builder.set_not_after(&*in_days(to)?)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}

fn ca(
    subject: &X509NameRef,
    from: i64,
    to: i64,
    key: &PKey<Private>,
    issuer: &X509NameRef,
    issuer_key: &PKey<Private>,
) -> Result<X509, ErrorStack> {
    let mut builder = begin(subject, from, to, key, issuer)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
    builder.sign(issuer_key, MessageDigest::sha256())?;
    Ok(builder.build())
}

fn signed_leaf(
    leaf: &Leaf<'_>,
    subject: &X509NameRef,
    key: &PKey<Private>,
    issuer: &X509NameRef,
    issuer_key: &PKey<Private>,
) -> Result<X509, ErrorStack> {
    let mut names = SubjectAlternativeName::new();
    for name in leaf.names {
        if name.parse::<std::net::IpAddr>().is_ok() {
            names.ip(name)
        } else {
            names.dns(name)
        };
    }
    let mut builder = begin(subject, leaf.from, leaf.to, key, issuer)?;
    let names = names.build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(issuer_key, MessageDigest::sha256())?;
    Ok(builder.build())
}
