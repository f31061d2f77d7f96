//! What it means that a program did not start, or how it ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::io::Errno;

use super::super::Outcome;
use super::super::elf::Image;
use super::{Stage, Way};
use crate::emulator::Fit;

/// Why a root could not be had, in words: the kernel's own are misleading here.
pub(super) fn explain_setup(way: Way, stage: Stage, errno: Errno) -> String {
    let why = match (way, stage, errno) {
        (Way::UserNamespace, Stage::Unshare, Errno::NOSPC) => {
            "user namespaces are switched off (sysctl user.max_user_namespaces is 0)"
        }
        (Way::UserNamespace, Stage::Unshare, Errno::PERM | Errno::ACCESS) => {
            "user namespaces are not allowed here (in a container or a chroot, or by sysctl \
             kernel.unprivileged_userns_clone)"
        }
        (Way::UserNamespace, Stage::Unshare, Errno::INVAL | Errno::NOSYS) => {
            "this kernel has no user namespaces"
        }
        (Way::UserNamespace, _, Errno::PERM | Errno::ACCESS) => {
            "user namespaces are restricted (on Ubuntu by sysctl \
             kernel.apparmor_restrict_unprivileged_userns)"
        }
        (Way::Chroot, Stage::EnterRoot, Errno::PERM) => "chroot needs root",
        (Way::Chroot, Stage::DropRights, _) => "the rights of root cannot be dropped",
        (way, stage, errno) => return format!("{way:?} failed at {stage:?}: {errno}"),
    };
    why.to_owned()
}

pub(super) fn judge_exec(errno: Errno, image: &Image) -> Outcome {
    let why = match errno {
        Errno::NOENT => match &image.interpreter {
            Some(name) => return failed(format!("it needs its interpreter {name}")),
            None => "the kernel finds no such program (ENOENT)",
        },
        Errno::NOEXEC if Fit::of(image.machine) == Fit::Perhaps => {
            return Outcome::Skipped("this kernel does not run 32-bit programs".to_owned());
        }
        Errno::NOEXEC => "the kernel does not take it for a program (ENOEXEC)",
        // Its mode lets anyone run it, so this says nothing about the program.
        Errno::ACCESS | Errno::PERM => {
            return Outcome::Skipped(format!(
                "programs in the temporary folder may not be run (is it mounted `noexec`?): {errno}"
            ));
        }
        Errno::INVAL => "its program headers make no sense to the kernel (EINVAL)",
        Errno::NOMEM => "it asks for memory that cannot be had (ENOMEM)",
        other => return failed(other.to_string()),
    };
    failed(why.to_owned())
}

fn failed(why: String) -> Outcome {
    Outcome::Failed(format!("it did not start: {why}"))
}

pub(super) fn judge_end(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Passed(format!("exit code {code}")),
        (None, Some(signal)) => Outcome::Failed(format!("it died by {}", signal_name(signal))),
        (None, None) => Outcome::Failed(format!("it ended in an unknown way: {status}")),
    }
}

fn signal_name(signal: i32) -> String {
    use signal_hook::consts as known;
    let name = match signal {
        known::SIGSEGV => "SIGSEGV (it touched memory that is not there)",
        known::SIGILL => "SIGILL (an instruction that this CPU does not have, or a trap)",
        known::SIGABRT => "SIGABRT (it gave up by itself)",
        known::SIGBUS => "SIGBUS",
        known::SIGFPE => "SIGFPE (such as a division by zero)",
        known::SIGSYS => "SIGSYS (a system call that is forbidden)",
        known::SIGTRAP => "SIGTRAP",
        known::SIGKILL => "SIGKILL (out of memory, or a segment that cannot be mapped)",
        known::SIGPIPE => "SIGPIPE",
        known::SIGTERM => "SIGTERM",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_not_blamed_for_forbidden_namespaces() {
        let text = explain_setup(Way::UserNamespace, Stage::Unshare, Errno::NOSPC);
        assert!(text.contains("max_user_namespaces") && !text.contains("space left"), "{text}");
        let text = explain_setup(Way::UserNamespace, Stage::MapIds, Errno::PERM);
        assert!(text.contains("apparmor"), "{text}");
    }
}
