//! Where no namespaces can be had: Landlock forbids this process and its children all files that are
//! not in the view, and a filter of system calls forbids the network.
//!
//! Programs keep the machine's own paths, and scripts its shell: so its programs and libraries stay
//! readable, but not its headers, its settings or anyone's home.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreated, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
    path_beneath_rules,
};
use rustix::io::Errno;

use super::filter;
use super::spec::{Access, Stage, Trouble, View};

/// What the newest of the kernels that this was written for can forbid; older ones forbid less.
const NEWEST: ABI = ABI::V6;

/// Where a machine has its programs and the libraries that they load. Not `/usr/include`, not
/// `/usr/local`, not `/usr/share`.
const PROGRAMS: [&str; 9] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
];

/// Single files without which a program does not start, or knows no harm.
const FILES: [&str; 8] = [
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/proc",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/sys/devices/system/cpu",
];

/// Restricts this process and all that it starts.
pub(super) fn restrict(view: &View) -> Result<(), Trouble> {
    let status = ruleset(view).and_then(RulesetCreated::restrict_self);
    match status.map_err(|error| Trouble::other(Stage::Landlock, error))?.ruleset {
        RulesetStatus::NotEnforced => {
            return Err(Trouble::new(Stage::Landlock, Errno::NOSYS, "no Landlock"));
        }
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => {}
    }
    // Also no local ones: Landlock does not keep anyone from those of the machine's services.
    filter::forbid_sockets_but(&[]).map_err(|error| Trouble::other(Stage::Filter, error))
}

fn ruleset(view: &View) -> Result<RulesetCreated, RulesetError> {
    let read = AccessFs::from_read(NEWEST);
    let all = AccessFs::from_all(NEWEST);
    let places = |access: Access| -> Vec<PathBuf> {
        let wanted = view.places().iter().filter(move |place| place.access == access);
        wanted.map(|place| place.real.clone()).collect()
    };
    let of_machine = PROGRAMS.iter().chain(&FILES).map(Path::new);
    Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(of_machine, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::from_file(NEWEST)))?
        .add_rules(path_beneath_rules(places(Access::Read), read))?
        .add_rules(path_beneath_rules(places(Access::Write), all))
}
