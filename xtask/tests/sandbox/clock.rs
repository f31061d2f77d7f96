//! The clock, which nobody can hide: the tools show another date when `verify` asks for it, so that what
//! is made of a date is found. (`tests/verify` shows that the date is then named as the cause.)

use std::fs;

use crate::{Machine, Workshop};

const SCRIPT: &str = "date +%Y > usr/include/report.h\n";

#[test]
fn the_year_in_an_output_is_another_with_another_clock() {
    let Some(workshop) = Workshop::new("clock", Machine::Whole) else { return };
    workshop.scripted("dated", SCRIPT);
    let year = |offset: Option<&str>| {
        let mut command = workshop.command(&["sysroot", "dated", "--toolchain", "zig"]);
        let store = workshop.scratch.at(offset.unwrap_or("now"));
        let entries = store.join("entries-v1");
        crate::link_entries(&workshop.scratch.store().join("entries-v1"), &entries);
        command.env("MUSLIN_STORE", &store);
        command.envs(offset.map(|offset| ("MUSLIN_CLOCK_OFFSET", offset)));
        crate::scratch::Run::of(&mut command).ok();
        let made = crate::scratch::names(&entries);
        let entry = made.iter().find(|name| name.starts_with("dated-")).unwrap();
        let text = fs::read_to_string(entries.join(entry).join("outputs/include/report.h"));
        text.unwrap().trim().parse::<u32>().unwrap()
    };
    // Ten years of 365.25 days.
    assert_eq!(year(Some("315576000")), year(None) + 10);
}
