//! Why one place did not serve, and the one error when none did. Never decides what is tried next.

use std::collections::BTreeSet;

use crate::exit::{Exit, Failure};

/// What kept a place from serving: decides the exit code and the advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// It does not have the file.
    Absent,
    /// It served other bytes than those pinned.
    Mismatch,
    /// Nobody answers there.
    Unreachable,
    /// Its certificate is not trusted.
    Certificate,
    /// It answered with an error, or broke off again and again.
    Server,
    /// It sends people to where we do not follow.
    Redirect,
    /// It sends more than we take.
    TooLarge,
    /// Cargo could not get the crate.
    Cargo,
    /// pip could not get the wheel.
    Pip,
    /// There is no pip.
    NoPip,
    /// apt has no usable mirror.
    NoApt,
    /// rustup could not install the component.
    Rustup,
}

/// A place that did not serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Which one, as people call it.
    pub place: String,
    /// In half a sentence.
    pub reason: String,
    /// Of what kind.
    pub cause: Cause,
}

impl Refusal {
    pub(super) fn new(place: &str, cause: Cause, reason: impl Into<String>) -> Self {
        Self { place: place.to_owned(), reason: reason.into(), cause }
    }
}

/// The error when every origin failed: one line each, and what to do.
pub(super) fn all_failed(what: &str, digest_hexes: &[String], refusals: &[Refusal]) -> Failure {
    let causes: BTreeSet<Cause> = refusals.iter().map(|refusal| refusal.cause).collect();
    let exit =
        if causes.contains(&Cause::Mismatch) { Exit::VerificationFailed } else { Exit::Failed };
    let mut message = format!("cannot fetch {what}: every origin failed");
    for Refusal { place, reason, .. } in refusals {
        message.push_str(&format!("\n  {place}: {}", one_line(reason)));
    }
    let mut failure = Failure::new(exit, message);
    failure.help.extend(causes.iter().filter_map(|cause| advice(*cause)).map(str::to_owned));
    if let Some(hex) = digest_hexes.first() {
        failure = failure.help(format!(
            "with the file from elsewhere: `cp FILE DIR/{hex}`, then `--mirror DIR` \
             (or MUSLIN_MIRROR); a server with such files works too"
        ));
    }
    failure
}

fn advice(cause: Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Absent | Cause::Server | Cause::Redirect | Cause::TooLarge => return None,
        Cause::Mismatch => {
            "never change a digest to what was found before you know why it differs; \
             the quarantined file is kept for a look"
        }
        Cause::Unreachable => {
            "behind a firewall, set `https_proxy` and `http_proxy`, or name a mirror"
        }
        Cause::Certificate => {
            "if a proxy opens encrypted connections, SSL_CERT_FILE names the file with its certificate"
        }
        Cause::Cargo => {
            "cargo is asked with your own configuration: `cargo fetch` must work here first"
        }
        Cause::Pip => {
            "pip is asked with your own configuration: `pip config list` shows its index and proxy"
        }
        Cause::NoPip => "Python's pip would open one more origin: install `python3-pip`",
        Cause::Rustup => {
            "rustup installs it beside a Rust of that release: `rustup component add rust-src --toolchain RELEASE`"
        }
        Cause::NoApt => "Debian's mirrors are read from apt's `sources.list` and `sources.list.d`",
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mismatch_among_the_failures_decides_the_exit_code() {
        let absent = Refusal::new("url https://a.test/x", Cause::Absent, "does not have it (404)");
        let other = Refusal::new("crate x 1.0.0", Cause::Mismatch, "other\nbytes");
        let one = all_failed("x 1", &["ab".into()], std::slice::from_ref(&absent));
        assert_eq!((one.exit, one.help.len()), (Exit::Failed, 1));
        let both = all_failed("x 1", &["ab".into()], &[absent, other]);
        assert_eq!(both.exit, Exit::VerificationFailed);
        assert_eq!(
            both.message,
            "cannot fetch x 1: every origin failed\n  url https://a.test/x: does not have it (404)\
             \n  crate x 1.0.0: other bytes"
        );
    }
}
