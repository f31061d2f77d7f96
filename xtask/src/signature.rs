//! Signatures of files by OpenSSH's `ssh-keygen`: with a key in a file, in an agent or on a token, as
//! git signs commits. Nothing of this is our own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::exit::{Exit, Failure};
use crate::process;

/// What a signature is for, so that one for something else does not count.
pub const NAMESPACE: &str = "muslin-provenance";

/// The program.
const PROGRAM: &str = "ssh-keygen";

/// Where the signature of a file is.
pub fn place(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Signs a file; returns where the signature is. The key may be a public one, whose other half an agent
/// has.
pub fn sign(file: &Path, key: &Path) -> Result<PathBuf> {
    if !key.is_file() {
        let message = format!("there is no key {}", key.display());
        return Err(Failure::new(Exit::Usage, message)
            .help("`ssh-keygen -t ed25519 -f KEY` makes one; a public key does if ssh-agent has the other half")
            .into());
    }
    let signature = place(file);
    // It would ask whether to write over it.
    let _ = fs::remove_file(&signature);
    let mut command = program()?;
    command.args(["-q", "-Y", "sign", "-n", NAMESPACE, "-f"]).arg(key).arg(file);
    process::capture_ok(&mut command)
        .with_context(|| format!("cannot sign {} with {}", file.display(), key.display()))?;
    Ok(signature)
}

/// Who has signed a file, of those whom a list of keys names (ssh-keygen(1), ALLOWED SIGNERS). Fails
/// with exit code 4 if nobody of them has.
pub fn verify(file: &Path, signers: &Path) -> Result<String> {
    let signature = place(file);
    for (path, what) in [(signers, "list of signers"), (&signature, "signature")] {
        if !path.is_file() {
            let message = format!("there is no {what} {}", path.display());
            return Err(Failure::new(Exit::VerificationFailed, message).into());
        }
    }
    let find = process::capture(
        program()?.args(["-Y", "find-principals", "-s"]).arg(&signature).arg("-f").arg(signers),
    )?;
    let Some(who) = find.stdout.lines().next().filter(|_| find.status.success()) else {
        return Err(refusal(file, "no key of the list has signed it"));
    };
    let mut command = program()?;
    command.args(["-Y", "verify", "-n", NAMESPACE, "-I", who, "-f"]).arg(signers);
    command.arg("-s").arg(&signature);
    let verified = process::capture_fed(&mut command, File::open(file)?)?;
    if !verified.status.success() {
        let said = verified.stderr.trim();
        return Err(refusal(file, &format!("the signature is not of these bytes ({said})")));
    }
    Ok(who.to_owned())
}

fn program() -> Result<std::process::Command> {
    match process::find_program(PROGRAM) {
        Some(path) => Ok(process::command(path)),
        None => Err(Failure::new(Exit::Failed, format!("there is no {PROGRAM}"))
            .help("signatures are OpenSSH's: `apt install openssh-client`, `dnf install openssh`")
            .into()),
    }
}

fn refusal(file: &Path, why: &str) -> anyhow::Error {
    let message = format!("{}: {why}", file.display());
    Failure::new(Exit::VerificationFailed, message).into()
}
