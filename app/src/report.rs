//! What a check found, as a verdict, as text and as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::clock::{DAY, Timestamp};
use crate::outcome::Outcome;
use crate::output::clean;
use crate::store::Check;
use crate::target::Target;
use crate::tls::Probe;
use crate::tls::chain::{Certificate, Problem};

/// The verdict on one host. Its fields are the JSON of `certwatch check --json`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The host, without its port.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the host is in the database, so that this check is in its history.
    pub remembered: bool,
    /// When it was checked.
    pub checked: Timestamp,
    /// The verdict.
    pub outcome: Outcome,
    /// The verdict in words.
    pub message: String,
    /// The earliest end among the chain's certificates.
    pub not_after: Option<Timestamp>,
    /// Whole days until then.
    pub days_left: Option<i64>,
    /// Who issued the host's own certificate.
    pub issuer: Option<String>,
    /// All that is wrong with the chain.
    pub problems: Vec<Problem>,
    /// The address that answered.
    pub address: Option<String>,
    /// The TLS version.
    pub protocol: Option<String>,
    /// The file or folder of the CA certificates that were used.
    pub ca: String,
    /// The chain, the host's own certificate first.
    pub certificates: Vec<Certificate>,
    #[serde(skip)]
    target: Target,
}

/// What all checks of one run have in common.
pub struct Terms {
    /// When they are made.
    pub now: Timestamp,
    /// A certificate that ends within so many days is worth a warning.
    pub within: u32,
    /// The file or folder of the CA certificates.
    pub ca: String,
}

impl Report {
    /// Judges what `probe` found at `target`.
    pub fn new(target: &Target, remembered: bool, probe: Probe, terms: &Terms) -> Self {
        // A certificate that no chain needs may end without anybody noticing.
        let first_to_end = probe.chain.iter().filter(|c| c.used).min_by_key(|c| c.not_after);
        let not_after = first_to_end.map(|c| c.not_after);
        let soon = terms.now.unix() + i64::from(terms.within) * DAY;
        let expiring = not_after.is_some_and(|end| end.unix() <= soon);

        let (outcome, message) = if let Some(failure) = probe.failure {
            (failure.outcome, failure.message)
        } else if let Some(worst) = worst(&probe.problems) {
            (worst.kind, worst.message.clone())
        } else if let Some(end) = first_to_end {
            let outcome = if expiring { Outcome::Expiring } else { Outcome::Ok };
            (outcome, time_left(end, &probe.chain, terms.now))
        } else {
            (Outcome::TlsError, "the peer presented no certificate".into())
        };
        Self {
            host: target.host.to_string(),
            port: target.port,
            remembered,
            checked: terms.now,
            outcome,
            message,
            not_after,
            days_left: not_after.map(|end| end.days_from(terms.now)),
            issuer: probe.chain.first().map(|c| c.issuer.clone()),
            problems: probe.problems,
            address: probe.address.map(|a| a.to_string()),
            protocol: probe.protocol,
            ca: terms.ca.clone(),
            certificates: probe.chain,
            target: target.clone(),
        }
    }

    /// The host and port that this is about.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// What the history keeps of it.
    pub fn to_check(&self) -> Check {
        Check {
            time: self.checked,
            outcome: self.outcome.word().into(),
            not_after: self.not_after,
            issuer: self.issuer.clone(),
        }
    }
}

fn worst(problems: &[Problem]) -> Option<&Problem> {
    // `max_by_key` would take the last of equals; the first is nearer to the host's own certificate.
    problems.iter().rev().max_by_key(|p| p.kind)
}

fn time_left(end: &Certificate, chain: &[Certificate], now: Timestamp) -> String {
    let days = match end.not_after.days_from(now) {
        0 => "less than a day left".into(),
        1 => "1 day left".into(),
        days => format!("{days} days left"),
    };
    let own = chain.first().is_some_and(|c| c.not_after == end.not_after);
    if own { days } else { format!("{days} for {}", end.subject) }
}

/// Writes one line a host, and one more for each further problem; with `verbose`, the chains too.
pub fn write_text(out: &mut dyn Write, reports: &[Report], verbose: bool) -> io::Result<()> {
    let width = reports.iter().map(|r| r.target.to_string().len()).max().unwrap_or(0);
    for report in reports {
        let end = report.not_after.map_or_else(|| "-".into(), Timestamp::date);
        let (outcome, message) = (report.outcome, clean(&report.message));
        writeln!(out, "{outcome:<13} {:<width$} {end:<10} {message}", report.target.to_string())?;
        for problem in report.problems.iter().filter(|p| p.message != report.message) {
            writeln!(out, "    {}: {}", problem.kind, clean(&problem.message))?;
        }
        if verbose {
            write_chain(out, report)?;
        }
    }
    Ok(())
}

fn write_chain(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if let Some(address) = &report.address {
        writeln!(out, "    {address} {}", report.protocol.as_deref().unwrap_or_default())?;
    }
    for (index, certificate) in report.certificates.iter().enumerate() {
        let remark = match (certificate.sent, certificate.used) {
            (false, _) => ", from the CA certificates",
            (true, false) => ", sent but not needed",
            (true, true) => "",
        };
        writeln!(
            out,
            "    {index} {}: {} to {}{remark}",
            clean(&certificate.subject),
            certificate.not_before.date(),
            certificate.not_after.date(),
        )?;
        writeln!(out, "      issued by {}", clean(&certificate.issuer))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Failure;

    const NOW: i64 = 1_000_000_000;

    fn certificate(subject: &str, days: i64, used: bool) -> Certificate {
        Certificate {
            subject: subject.into(),
            issuer: "CN=issuer".into(),
            serial: "01".into(),
            names: vec![],
            not_before: Timestamp::from_unix(0),
            not_after: Timestamp::from_unix(NOW + days * DAY),
            sent: true,
            used,
        }
    }

    fn report(probe: Probe) -> Report {
        let terms = Terms { now: Timestamp::from_unix(NOW), within: 30, ca: "/ca.pem".into() };
        Report::new(&"a.example".parse().expect("a target"), false, probe, &terms)
    }

    fn of_chain(chain: Vec<Certificate>) -> Report {
        report(Probe { chain, ..Probe::default() })
    }

    #[test]
    fn the_limit_itself_still_counts_as_within() {
        assert_eq!(of_chain(vec![certificate("CN=leaf", 31, true)]).outcome, Outcome::Ok);
        let expiring = of_chain(vec![certificate("CN=leaf", 30, true)]);
        assert_eq!((expiring.outcome, expiring.days_left), (Outcome::Expiring, Some(30)));
        assert_eq!(expiring.message, "30 days left");
    }

    #[test]
    fn the_first_to_end_is_named_unless_it_is_the_hosts_own() {
        let chain = vec![certificate("CN=leaf", 60, true), certificate("CN=middle", 1, true)];
        let report = of_chain(chain);
        assert_eq!(report.outcome, Outcome::Expiring);
        assert_eq!(report.message, "1 day left for CN=middle");
    }

    #[test]
    fn a_certificate_that_is_not_needed_does_not_count() {
        let chain = vec![certificate("CN=leaf", 60, true), certificate("CN=old", -9, false)];
        assert_eq!(of_chain(chain).outcome, Outcome::Ok);
    }

    #[test]
    fn the_worst_problem_is_the_verdict_and_the_others_are_listed() -> io::Result<()> {
        let problem = |kind, message: &str| Problem { kind, message: message.into() };
        let problems = vec![
            problem(Outcome::SelfSigned, "signed by itself"),
            problem(Outcome::Expired, "ended \u{1b}"),
            problem(Outcome::Expired, "ended too"),
        ];
        let chain = vec![certificate("CN=leaf", -1, true)];
        let report = report(Probe { chain, problems, ..Probe::default() });
        assert_eq!((report.outcome, report.message.as_str()), (Outcome::Expired, "ended \u{1b}"));
        let mut text = Vec::new();
        write_text(&mut text, &[report], false)?;
        assert_eq!(
            String::from_utf8_lossy(&text),
            "expired       a.example:443 2001-09-08 ended \\u{1b}\n    \
             self-signed: signed by itself\n    expired: ended too\n"
        );
        Ok(())
    }

    #[test]
    fn a_failure_precedes_problems_and_no_certificate_is_no_success() {
        let failure = Failure { outcome: Outcome::Timeout, message: "late".into() };
        let problems = vec![Problem { kind: Outcome::Expired, message: "ended".into() }];
        let failed = report(Probe { failure: Some(failure), problems, ..Probe::default() });
        assert_eq!(failed.outcome, Outcome::Timeout);
        assert_eq!(of_chain(vec![]).outcome, Outcome::TlsError);
    }
}
