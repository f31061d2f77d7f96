//! What was measured of each target, and the table that is made of it.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xtask::report::human_bytes;
use xtask::target::{Std, Target};

/// What one target's programs were, and did.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Measured {
    /// Bytes of each program.
    pub hello: u64,
    pub hello_sqlite: u64,
    pub certwatch: u64,
    /// Seconds that `dist` of these took, with what the store had; of no worth on another day.
    #[serde(skip)]
    pub seconds: f64,
    /// Version of the emulator.
    pub emulator: String,
    /// Names of the probes that were right.
    pub probes: Vec<String>,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hello, hello_sqlite, certwatch, seconds, emulator, probes } = self;
        let [hello, sqlite, certwatch] =
            [hello, hello_sqlite, certwatch].map(|it| human_bytes(*it));
        write!(
            f,
            "hello {hello}, hello-sqlite {sqlite}, certwatch {certwatch}, {seconds:.0} s, QEMU \
             {emulator}, {}",
            probes.join(" ")
        )
    }
}

/// All that is known, by triple.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Results(BTreeMap<String, Measured>);

impl Results {
    fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/results.toml")
    }

    pub fn read() -> Self {
        toml::from_str(&fs::read_to_string(Self::path()).unwrap()).unwrap()
    }

    pub fn set(&mut self, triple: &str, measured: Measured) {
        self.0.insert(triple.to_owned(), measured);
    }

    pub fn write(&self) {
        let note = "# Written by `MUSLIN_BLESS=1 cargo xtask test --all -- every_target`.\n\n";
        fs::write(Self::path(), format!("{note}{}", toml::to_string(self).unwrap())).unwrap();
    }

    /// A row for each target, measured or not.
    pub fn table(&self, targets: &[Target]) -> String {
        let mut text =
            "| target | baseline | `std` | used on | hello | hello-sqlite | certwatch |\n\
                        |---|---|---|---|---|---|---|\n"
                .to_owned();
        for target in targets {
            let std = match target.std {
                Std::Rustup => "rustup",
                Std::Source | Std::Small => "source",
            };
            let cpu = target.emulator.cpu.split(',').next().unwrap_or_default();
            let [used, sizes] = match self.0.get(&target.triple) {
                Some(it) => [
                    format!("{} {}, `{cpu}`", target.emulator.program, it.emulator),
                    [it.hello, it.hello_sqlite, it.certwatch].map(human_bytes).join(" | "),
                ],
                None => ["not yet".to_owned(), "| |".to_owned()],
            };
            let flags = target.cflags.join(" ");
            text += &format!("| {} | `{flags}` | {std} | {used} | {sizes} |\n", target.triple);
        }
        text
    }
}
