//! The filter of system calls: what neither a view nor a namespace takes away.
//!
//! A network namespace leaves the sockets by which a virtual machine talks with the one that it runs
//! on (`AF_VSOCK`), and io_uring makes sockets past every filter of `socket`.

use rustix::io::Errno;
use seccompiler::{
    BackendError, BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// Kinds of sockets that a namespace of the network has to itself.
pub(super) const OF_NAMESPACE: [i32; 4] =
    [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The bit by which x86_64 marks a call of its 32-bit variant: another number for the same call.
#[cfg(target_arch = "x86_64")]
const SHORT_POINTERS: Option<i64> = Some(0x4000_0000);
#[cfg(not(target_arch = "x86_64"))]
const SHORT_POINTERS: Option<i64> = None;

/// Forbids this process and its children all sockets but those of these kinds. A pair of sockets,
/// which reaches nobody else, can still be made.
pub(super) fn forbid_sockets_but(kinds: &[i32]) -> Result<(), Error> {
    let sockets = program(libc::SYS_socket, kinds, Errno::ACCESS)?;
    let rings = program(libc::SYS_io_uring_setup, &[], Errno::NOSYS)?;
    apply_filter(&rings)?;
    apply_filter(&sockets)
}

/// Answers a call with an error, unless its first argument is one of these.
fn program(call: i64, allowed: &[i32], error: Errno) -> Result<BpfProgram, BackendError> {
    let is_not = |value: &i32| {
        let value = u64::from(value.unsigned_abs());
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
    };
    let conditions = allowed.iter().map(is_not).collect::<Result<Vec<_>, _>>()?;
    // A call without any rule is refused whatever its arguments.
    let rules = match conditions.is_empty() {
        true => vec![],
        false => vec![SeccompRule::new(conditions)?],
    };
    let numbers = [Some(call), SHORT_POINTERS.map(|bit| call | bit)];
    let calls = numbers.into_iter().flatten().map(|number| (number, rules.clone())).collect();
    let refuse = SeccompAction::Errno(error.raw_os_error().unsigned_abs());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    SeccompFilter::new(calls, SeccompAction::Allow, refuse, arch)?.try_into()
}
