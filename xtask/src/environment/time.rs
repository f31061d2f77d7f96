//! Times of 64 bits on targets with 32: C has them, and the crate `libc` if it is new enough to know how
//! it is told.

use crate::links::Metadata;
use crate::report;
use crate::target::Target;

/// What tells it, in a target's row.
const FLAG: &str = "--cfg=libc_unstable_time64";

/// The first version that listens (its changelog).
const SINCE: [u64; 3] = [0, 2, 190];

/// Says which versions of it are linked that do not listen.
pub fn warn_of_old_libc(metadata: &Metadata, target: &Target) {
    if !target.rustflags.iter().any(|flag| flag == FLAG) {
        return;
    }
    let linked = metadata.linked_packages().map(|reached| reached.package);
    for package in linked.filter(|it| it.name == "libc" && is_old(&it.version)) {
        let (version, triple) = (&package.version, &target.triple);
        let [.., least] = SINCE;
        report::warning(format!(
            "the crate libc {version} has times of 32 bits on {triple}, where C has 64: what passes one to \
             C passes too little; `cargo update --package libc` (0.2.{least} or newer)"
        ));
    }
}

fn is_old(version: &str) -> bool {
    let numbers = version.split(['.', '-', '+']).map_while(|part| part.parse().ok());
    numbers.collect::<Vec<u64>>().as_slice() < &SINCE[..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, old) in [
            ("0.2.99", true),
            ("0.2.189", true),
            ("0.2.190", false),
            ("0.2.1000", false),
            ("0.3.0", false),
            ("1.0.0-alpha.1", false),
        ] {
            assert_eq!(is_old(version), old, "{version}");
        }
    }
}
