//! Makes a filter of system calls through the crate `libseccomp`, for this CPU and for others, and puts
//! this program under it.

use std::io::{Read, Seek, Write};

use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext};
use libseccomp::{ScmpSyscall, ScmpVersion};

const EPERM: i32 = 1;
const EXDEV: i32 = 18;

fn main() {
    let version = ScmpVersion::current().unwrap();
    let version = format!("{}.{}.{}", version.major, version.minor, version.micro);
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());

    for (arch, number) in
        [(ScmpArch::X8664, 87), (ScmpArch::Arm, 10), (ScmpArch::Mips, 4010), (ScmpArch::S390X, 10)]
    {
        let call = ScmpSyscall::from_name_by_arch("unlink", arch).unwrap();
        assert_eq!(i32::from(call), number, "{arch:?}");
        assert_eq!(call.get_name_by_arch(arch).unwrap(), "unlink");
    }
    assert!(ScmpSyscall::from_name("no_such_call").is_err());

    let mut filter = ScmpFilterContext::new(ScmpAction::Allow).unwrap();
    for call in ["mkdir", "mkdirat"].map(ScmpSyscall::from_name) {
        // A CPU may have but one of the two: the library knows both.
        filter.add_rule(ScmpAction::Errno(EXDEV), call.unwrap()).unwrap();
    }
    let standard_error = ScmpArgCompare::new(0, ScmpCompareOp::Equal, 2);
    let write = ScmpSyscall::from_name("write").unwrap();
    filter.add_rule_conditional(ScmpAction::Errno(EPERM), write, &[standard_error]).unwrap();

    // A file of the program's own, in which the filter can be read again.
    let mut file = std::fs::File::create_new("/tmp/filter").unwrap();
    filter.export_bpf(&file).unwrap();
    let bytes = file.metadata().unwrap().len();
    assert!(bytes > 0 && bytes % 8 == 0, "{bytes}: a BPF instruction has 8 bytes");
    drop(file);
    file = std::fs::File::options().read(true).write(true).open("/tmp/filter").unwrap();
    file.set_len(0).unwrap();
    filter.export_pfc(&file).unwrap();
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert!(text.contains(&format!("action ERRNO({EXDEV})")), "{text}");

    std::fs::create_dir("/tmp/before").unwrap();
    filter.load().unwrap();
    let refused = std::fs::create_dir("/tmp/after").unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(EXDEV));
    let refused = std::io::stderr().write(b"seen\n").unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(EPERM));
    std::io::stdout().write_all(b"said\n").unwrap();
}
