//! The command line: what may be said, and what becomes of it.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::commands::{self, CheckOptions, Verdict};
use crate::target::Target;

const FAILURE: u8 = 1;
const USAGE: u8 = 2;
const EXPIRING: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  0  all is well
  1  failure: an error, or a host whose check failed
  2  the command line is wrong
  3  every chain is valid, but something expires within the limit

The database is --db FILE, else CERTWATCH_DB, else certwatch/certwatch.db in the
XDG data directory (XDG_DATA_HOME, by default ~/.local/share).";

const CHECK_HELP: &str = "\
Outcomes:
  ok             the chain is valid beyond the limit
  expiring       the chain is valid, but a certificate in it ends within the limit
Outcomes that are failures:
  expired        a certificate in the chain has ended
  not-yet-valid  a certificate in the chain begins later
  wrong-host     the certificate is for other names
  self-signed    the host's certificate is signed by itself
  untrusted      no known CA stands behind the chain
  invalid        the chain breaks another rule
  tls-error      the handshake failed
  not-tls        what answers does not speak TLS
  timeout        there was no complete answer in time
  unreachable    no connection could be made
  unresolved     the name has no address

The checks of remembered hosts are kept (see 'certwatch history').

CA certificates are taken from --ca-file, else SSL_CERT_FILE, else the folders in
SSL_CERT_DIR, else the first of the usual places that has any (--verbose tells).

--json prints an array with an object for each host: host, port, remembered, checked,
outcome, message, not_after, days_left, issuer, problems [kind, message], address,
protocol, ca, certificates [subject, issuer, serial, names, not_before, not_after,
sent, used]. Times are RFC 3339 in UTC; what is not known is null. A certificate that is
not sent by the peer is a CA certificate that completes the chain; one that is not used
was sent without need, and its end does not count.

Exit codes: 0 all ok; 1 a failure; 2 usage; 3 no failure, but something is expiring.";

/// Remembers hosts, reads their TLS certificate chains, and says which expire soon.
#[derive(Parser)]
#[command(name = "certwatch", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    /// The database file
    #[arg(long, global = true, value_name = "FILE")]
    db: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Remember hosts
    Add {
        /// A name or address; the port is 443 unless given. IPv6 with a port: [::1]:443
        #[arg(required = true, value_name = "HOST[:PORT]")]
        targets: Vec<Target>,
    },
    /// Forget hosts and their history
    Remove {
        /// The hosts, as 'certwatch list' shows them
        #[arg(required = true, value_name = "HOST[:PORT]")]
        targets: Vec<Target>,
    },
    /// Show the remembered hosts, each with its latest check
    List {
        /// Print a JSON array: host, port, added, last_check [time, outcome, not_after, issuer]
        #[arg(long)]
        json: bool,
    },
    /// Connect to hosts and tell how their certificates stand
    #[command(after_help = CHECK_HELP)]
    Check(CheckArgs),
    /// Show the checks of a remembered host, latest first
    History {
        /// The host
        #[arg(value_name = "HOST[:PORT]")]
        target: Target,
        /// Print a JSON array: time, outcome, not_after, issuer
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct CheckArgs {
    /// The hosts, remembered or not; all remembered ones if none is named
    #[arg(value_name = "HOST[:PORT]")]
    targets: Vec<Target>,
    /// Warn of certificates that end within so many days
    #[arg(long, value_name = "DAYS", default_value_t = 30,
          value_parser = clap::value_parser!(u32).range(0..=36500))]
    within: u32,
    /// A PEM file of the CA certificates to trust
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,
    /// The time limit for each host, from the look-up of its name to the end of the handshake
    #[arg(long, value_name = "SECS", default_value_t = 10,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// How many hosts to check at once
    #[arg(long, value_name = "N", default_value_t = 8,
          value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
    /// Print JSON (see below), which holds all that --verbose adds
    #[arg(long)]
    json: bool,
    /// Tell which CA certificates are used, and print the chains
    #[arg(long, short)]
    verbose: bool,
}

/// Runs certwatch with the process's arguments.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to its end is no failure.
            let _ = error.print();
            return if error.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    match dispatch(cli) {
        Ok(Verdict::Well) => ExitCode::SUCCESS,
        Ok(Verdict::Failed) => FAILURE.into(),
        Ok(Verdict::Expiring) => EXPIRING.into(),
        Err(error) => {
            // Unlike `eprintln!`, this survives a closed standard error.
            let _ = writeln!(io::stderr(), "certwatch: {error:#}");
            FAILURE.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Verdict> {
    let db = cli.db.as_deref();
    match cli.command {
        Command::Add { targets } => commands::add(db, &targets),
        Command::Remove { targets } => commands::remove(db, &targets),
        Command::List { json } => commands::list(db, json),
        Command::History { target, json } => commands::history(db, &target, json),
        Command::Check(args) => commands::check(db, &args.into()),
    }
}

impl From<CheckArgs> for CheckOptions {
    fn from(args: CheckArgs) -> Self {
        Self {
            targets: args.targets,
            within: args.within,
            ca_file: args.ca_file,
            timeout: Duration::from_secs(args.timeout),
            jobs: args.jobs.into(),
            json: args.json,
            verbose: args.verbose,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_outcome_is_documented() {
        for outcome in Outcome::ALL {
            let line = format!("\n  {outcome:<14} ");
            assert!(CHECK_HELP.contains(&line), "{outcome} is not in the help");
        }
    }
}
