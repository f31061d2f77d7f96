//! The certificates of a chain, and what OpenSSL finds wrong with them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::ssl::SslRef;
use openssl::stack::StackRef;
use openssl::x509::{X509, X509NameRef, X509Ref, X509StoreContextRef};
use openssl_sys as ffi;
use serde::Serialize;

use crate::clock::{DAY, Timestamp};
use crate::outcome::Outcome;
use crate::target::Target;

/// What is told about a certificate.
#[derive(Clone, Debug, Serialize)]
pub struct Certificate {
    /// Whom it names.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Its serial number in hexadecimal.
    pub serial: String,
    /// The DNS names and IP addresses it is for.
    pub names: Vec<String>,
    /// When it begins.
    pub not_before: Timestamp,
    /// When it ends.
    pub not_after: Timestamp,
    /// Whether the peer sent it; otherwise it is one of the CA certificates.
    pub sent: bool,
    /// Whether it belongs to the chain as verified; peers may send more than is needed.
    pub used: bool,
}

/// One thing that is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing.
    pub kind: Outcome,
    /// The same in words.
    pub message: String,
}

/// What OpenSSL's verification complained about; clones share their notes.
#[derive(Clone, Default)]
pub struct Verification {
    complaints: Arc<Mutex<Vec<Complaint>>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Complaint {
    code: i32,
    words: &'static str,
    subject: String,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
}

impl Verification {
    /// Notes what the verification in `context` has just found.
    pub fn note(&self, context: &X509StoreContextRef) {
        let certificate = context.current_cert();
        let complaint = Complaint {
            code: context.error().as_raw(),
            words: context.error().error_string(),
            subject: certificate.map(|c| name(c.subject_name())).unwrap_or_default(),
            not_before: certificate.and_then(|c| moment(c.not_before()).ok()),
            not_after: certificate.and_then(|c| moment(c.not_after()).ok()),
        };
        let mut complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if !complaints.contains(&complaint) {
            complaints.push(complaint);
        }
    }

    /// The complaints about `chain`, presented by `target`, in words.
    pub fn problems(&self, target: &Target, chain: &[Certificate]) -> Vec<Problem> {
        let complaints = self.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        // "Cannot verify the first certificate" only repeats that its issuer is not known.
        let issuer_unknown =
            complaints.iter().any(|c| c.code == ffi::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
        let repeats = |c: &Complaint| {
            issuer_unknown && c.code == ffi::X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
        };
        complaints.iter().filter(|c| !repeats(c)).map(|c| c.problem(target, chain)).collect()
    }
}

impl Complaint {
    fn problem(&self, target: &Target, chain: &[Certificate]) -> Problem {
        let subject = &self.subject;
        let since =
            |moment: Option<Timestamp>| moment.map_or_else(String::new, |m| format!(" {m}"));
        let (kind, message) = match self.code {
            ffi::X509_V_ERR_CERT_HAS_EXPIRED => {
                (Outcome::Expired, format!("{subject} ended{}", since(self.not_after)))
            }
            ffi::X509_V_ERR_CERT_NOT_YET_VALID => {
                (Outcome::NotYetValid, format!("{subject} begins{}", since(self.not_before)))
            }
            ffi::X509_V_ERR_HOSTNAME_MISMATCH | ffi::X509_V_ERR_IP_ADDRESS_MISMATCH => {
                let names = chain.first().map(|c| c.names.join(", ")).unwrap_or_default();
                let names = if names.is_empty() { "no host" } else { &names };
                (Outcome::WrongHost, format!("{subject} is for {names}, not for {}", target.host))
            }
            ffi::X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT => (
                Outcome::SelfSigned,
                format!("{subject} is signed by itself and is not among the CA certificates"),
            ),
            ffi::X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN => {
                (Outcome::Untrusted, format!("{subject} is not among the CA certificates"))
            }
            ffi::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
            | ffi::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
            | ffi::X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE => (
                Outcome::Untrusted,
                format!(
                    "the issuer of {subject} was not sent and is not among the CA certificates"
                ),
            ),
            _ => (Outcome::Invalid, format!("{subject}: {}", self.words)),
        };
        Problem { kind, message }
    }
}

/// The chain of a handshake, whether or not it was completed: what the peer sent, then what the CA
/// certificates add to it.
pub fn read(ssl: &SslRef) -> Result<Vec<Certificate>> {
    let sent = ssl.peer_cert_chain().map(certificates).unwrap_or_default();
    let verified = ssl.verified_chain().map(certificates).unwrap_or_default();
    let holds = |list: &[&X509Ref], one: &X509Ref| list.iter().any(|other| **other == *one);

    let added = verified.iter().filter(|c| !holds(&sent, c));
    let mut chain = Vec::new();
    for certificate in sent.iter().chain(added) {
        let used = verified.is_empty() || holds(&verified, certificate);
        chain.push(describe(certificate, holds(&sent, certificate), used)?);
    }
    Ok(chain)
}

fn certificates(stack: &StackRef<X509>) -> Vec<&X509Ref> {
    stack.iter().collect()
}

fn describe(certificate: &X509Ref, sent: bool, used: bool) -> Result<Certificate> {
    let serial = certificate.serial_number().to_bn()?.to_hex_str()?;
    Ok(Certificate {
        subject: name(certificate.subject_name()),
        issuer: name(certificate.issuer_name()),
        serial: serial.to_lowercase(),
        names: names(certificate),
        not_before: moment(certificate.not_before())?,
        not_after: moment(certificate.not_after())?,
        sent,
        used,
    })
}

/// An ASN.1 time as a moment, which is its distance from 1970.
fn moment(time: &Asn1TimeRef) -> Result<Timestamp> {
    let distance = Asn1Time::from_unix(0)
        .and_then(|epoch| epoch.diff(time))
        .context("a certificate holds a date that is none")?;
    Ok(Timestamp::from_unix(i64::from(distance.days) * DAY + i64::from(distance.secs)))
}

/// A distinguished name, most specific part first: `CN=Test CA, O=Example`.
fn name(name: &X509NameRef) -> String {
    let part = |nid: Nid, value: String| format!("{}={value}", nid.short_name().unwrap_or("?"));
    let mut parts: Vec<_> = name
        .entries()
        .map(|entry| {
            let value = entry.data().to_string();
            part(entry.object().nid(), value.unwrap_or_else(|_| "?".into()))
        })
        .collect();
    parts.reverse();
    if parts.is_empty() { "(no name)".into() } else { parts.join(", ") }
}

/// The DNS names and addresses in the subject's alternative names.
fn names(certificate: &X509Ref) -> Vec<String> {
    let Some(names) = certificate.subject_alt_names() else { return Vec::new() };
    let address = |bytes: &[u8]| {
        let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok().map(|ip| ip.to_string())
    };
    names
        .iter()
        .filter_map(|n| n.dnsname().map(str::to_string).or_else(|| n.ipaddress().and_then(address)))
        .collect()
}
