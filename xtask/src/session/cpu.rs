//! The target that a command line means, with the CPU that it names, and what rustc says of it.

use anyhow::Result;
use xshell::cmd;

use super::{Access, Session};
use crate::cli::Platform;
use crate::exit::{Exit, Failure};
use crate::links;
use crate::process;
use crate::rust::{Memory, Rust};
use crate::target::Target;

impl Session {
    /// The target of this triple, for the CPU that is asked for.
    pub fn target_of(&self, platform: &Platform, triple: &str) -> Result<Target> {
        let target = self.target(triple)?;
        let Some(cpu) = platform.target_cpu.as_deref() else { return Ok(target) };
        if cpu == "native" {
            let message = "`native` is the CPU of whichever machine builds: the result would be another on \
                           each, and run only there";
            return Err(Failure::new(Exit::Usage, message)
                .help("name the CPU, such as `--target-cpu x86-64-v3`")
                .into());
        }
        let rust = Rust::of_package(&self.workspace, &self.workspace, Some(&self.memory()))?;
        let ask = |words: &[&str]| self.ask_rustc(&rust, words);
        let known = cpus(&ask(&["--print=target-cpus", "--target", triple])?);
        if !known.iter().any(|name| name == cpu) {
            let message = format!("rustc knows no CPU `{cpu}` of {triple}");
            return Err(links::unknown(message, cpu, known.iter()).into());
        }
        let flag = format!("-Ctarget-cpu={cpu}");
        let said = ask(&["--print=cfg", "--target", triple, &flag])?;
        Ok(target.with_cpu(cpu, features(&said)))
    }

    /// Sees to it that rustc links programs of a target statically: for some it does so only if the row
    /// says so, and would look for a linker and a libc of that CPU on this machine.
    pub(super) fn require_static(&self, rust: &Rust, target: &Target) -> Result<()> {
        let flags = target.rustflags.iter().map(String::as_str);
        let words: Vec<_> =
            ["--print=cfg", "--target", &target.triple].into_iter().chain(flags).collect();
        if features(&self.ask_rustc(rust, &words)?).iter().any(|name| name == "crt-static") {
            return Ok(());
        }
        let triple = &target.triple;
        let message =
            format!("rustc links programs for {triple} dynamically unless it is told not to");
        Err(Failure::new(Exit::Usage, message)
            .help(format!(
                "in recipes/targets.toml, `rustflags` of [{triple}] lacks \"-Ctarget-feature=+crt-static\""
            ))
            .into())
    }

    /// What rustc answers, or has answered before; of a CPU's features also those that no stable code
    /// can ask for.
    fn ask_rustc(&self, rust: &Rust, words: &[&str]) -> Result<String> {
        let rustc = rust.sysroot().join("bin/rustc");
        let question = format!("all of {} of {}", words.join(" "), rust.version);
        let files = std::slice::from_ref(&rustc);
        self.memory().recall(
            &question,
            files,
            |_| true,
            || {
                let shell = process::shell()?;
                let command = cmd!(shell, "{rustc} {words...}").env("RUSTC_BOOTSTRAP", "1");
                process::capture_ok(&mut command.into())
            },
        )
    }

    /// What Rust's programs were asked before.
    pub fn memory(&self) -> Memory {
        Memory::new(&self.store, self.access == Access::Write)
    }
}

/// The names in what `rustc --print=target-cpus` says: each at the beginning of a line that is
/// indented.
fn cpus(said: &str) -> Vec<String> {
    let lines = said.lines().filter(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "native").map(str::to_owned).collect()
}

/// The features in what `rustc --print=cfg` says.
fn features(said: &str) -> Vec<String> {
    let values = said.lines().filter_map(|line| line.strip_prefix("target_feature="));
    values.map(|value| value.trim_matches('"').to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_says_is_read() {
        let said = "Available CPUs for this target:\n    native          - Select the CPU of the current \
                    host (currently x).\n    x86-64-v2\n    i386  - This is the default.\n\nmore\n";
        assert_eq!(cpus(said), ["x86-64-v2", "i386"]);
        let said = "panic=\"unwind\"\ntarget_feature=\"avx2\"\ntarget_feature=\"sse4.1\"\nunix\n";
        assert_eq!(features(said), ["avx2", "sse4.1"]);
    }
}
