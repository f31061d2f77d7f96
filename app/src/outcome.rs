//! The one word that says how a check of a host went.

use std::fmt;

use serde::{Serialize, Serializer};

/// How a check went. The order is that of weight: where several apply, the greatest is the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// The chain is valid and stays so beyond the limit.
    Ok,
    /// The chain is valid, but a certificate in it ends within the limit.
    Expiring,
    /// The chain breaks another rule.
    Invalid,
    /// No known CA stands behind the chain.
    Untrusted,
    /// The host's certificate is signed by itself and not a known CA.
    SelfSigned,
    /// The certificate is for other names.
    WrongHost,
    /// A certificate in the chain begins later.
    NotYetValid,
    /// A certificate in the chain has ended.
    Expired,
    /// The handshake failed.
    TlsError,
    /// What answers speaks something else.
    NotTls,
    /// There was no complete answer in time.
    Timeout,
    /// No connection could be made.
    Unreachable,
    /// The name has no address.
    Unresolved,
}

impl Outcome {
    /// Every outcome, from the lightest.
    pub const ALL: [Self; 13] = [
        Self::Ok,
        Self::Expiring,
        Self::Invalid,
        Self::Untrusted,
        Self::SelfSigned,
        Self::WrongHost,
        Self::NotYetValid,
        Self::Expired,
        Self::TlsError,
        Self::NotTls,
        Self::Timeout,
        Self::Unreachable,
        Self::Unresolved,
    ];

    /// The word, as printed, stored, and documented in `certwatch check --help`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Expiring => "expiring",
            Self::Invalid => "invalid",
            Self::Untrusted => "untrusted",
            Self::SelfSigned => "self-signed",
            Self::WrongHost => "wrong-host",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::TlsError => "tls-error",
            Self::NotTls => "not-tls",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unresolved => "unresolved",
        }
    }

    /// Whether a check that went so makes `certwatch check` fail.
    pub fn is_failure(self) -> bool {
        self > Self::Expiring
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_each_outcome_once_in_order_of_weight() {
        assert!(Outcome::ALL.is_sorted_by(|a, b| a < b));
        assert_eq!(Outcome::ALL.last(), Some(&Outcome::Unresolved));
    }

    #[test]
    fn only_ok_and_expiring_are_no_failures() {
        let fine: Vec<_> = Outcome::ALL.into_iter().filter(|o| !o.is_failure()).collect();
        assert_eq!(fine, [Outcome::Ok, Outcome::Expiring]);
    }
}
