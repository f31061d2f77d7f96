//! What tells one build of a program from the next: `build-id`, `timestamp`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memchr::memmem;

use super::Outcome;
use super::elf::Image;

/// Shown of a build id.
const ID_SHOWN_BYTES: usize = 20;

/// A time of day before a file was written, and no earlier, is taken for that of its build.
const BUILD_MAX: Duration = Duration::from_secs(36 * 60 * 60);

/// So far before a time one of these words stands, if it is that of a build.
const WORDS_BEFORE_BYTES: usize = 32;
const WORDS: [&str; 4] = ["built", "build", "compiled", "compile"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// When the file was written, and which times of builds are always the same.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// When it was written, if that is known.
    pub written: Option<SystemTime>,
    /// Seconds since 1970: what compilers take for the present.
    pub fixed: Vec<i64>,
}

/// `build-id`: none.
pub fn build_id(image: &Image) -> Outcome {
    let Some(id) = &image.build_id else { return Outcome::Passed("none".to_owned()) };
    let shown: String = id.iter().take(ID_SHOWN_BYTES).map(|byte| format!("{byte:02x}")).collect();
    Outcome::Failed(format!(
        "{shown}: a hash over paths and debug information, too, that are not in the program"
    ))
}

/// `timestamp`: no time of the build in any of the forms that compilers and build scripts write.
pub fn timestamp(data: &[u8], times: &Times) -> Outcome {
    let fixed: Vec<Date> = times.fixed.iter().map(|second| Date::of(*second)).collect();
    let mut is_fixed = false;
    for century in [" 19", " 20"] {
        for at in memmem::find_iter(data, century) {
            let Some((text, date)) = date_of_c(data, at) else { continue };
            if !fixed.contains(&date) {
                return failed(&text);
            }
            is_fixed = true;
        }
    }
    if let Some(written) = times.written.and_then(seconds) {
        for at in memmem::find_iter(data, "20") {
            let Some((text, second)) = iso_time(data, at) else { continue };
            let age = written.checked_sub(second);
            if age.is_some_and(|age| (0..=BUILD_MAX.as_secs() as i64).contains(&age)) {
                return failed(&text);
            }
        }
    }
    Outcome::Passed(
        if is_fixed { "only that of SOURCE_DATE_EPOCH" } else { "none found" }.to_owned(),
    )
}

fn failed(text: &str) -> Outcome {
    Outcome::Failed(format!("\"{text}\" reads like the time of a build"))
}

fn seconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    /// From 1 on.
    month: i64,
    day: i64,
}

impl Date {
    /// The day of a second, in UTC.
    fn of(second: i64) -> Self {
        // Count from 1 March of year 0, so that the odd day is a year's last: 400 years have 146 097
        // days, and five months 153.
        let days = second.div_euclid(86_400) + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (number, day) = ((month + 2) % 12 + 1, day - (153 * month + 2) / 5 + 1);
        Self { year: era * 400 + year + i64::from(number <= 2), month: number, day }
    }

    /// Seconds from 1970 to its begin.
    fn second(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
        let day = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        (era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468) * 86_400
    }
}

fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn is_number_at(data: &[u8], at: usize) -> bool {
    data.get(at).is_some_and(u8::is_ascii_digit)
}

/// `Jun  9 2026` as the C preprocessor writes it, or `Jun  9 12:00:00 2026`, with or without a zone, as
/// asctime(3) and date(1) do; `at` is where the space before the year is.
fn date_of_c(data: &[u8], at: usize) -> Option<(String, Date)> {
    let end = at + 5;
    let year = number(data.get(at + 1..end)?).filter(|_| !is_number_at(data, end))?;
    let day_at = |begin: usize| -> Option<Date> {
        let month = MONTHS.iter().position(|it| data[begin..].starts_with(it.as_bytes()))?;
        let day = number(data.get(begin + 4..begin + 6)?).filter(|day| (1..=31).contains(day))?;
        (data[begin + 3] == b' ').then_some(Date { year, month: month as i64 + 1, day })
    };
    let text = |begin: usize| String::from_utf8_lossy(&data[begin..end]).into_owned();
    if let Some((begin, date)) = at.checked_sub(6).and_then(|it| Some((it, day_at(it)?))) {
        return Some((text(begin), date));
    }
    // Texts in this form are in many programs as examples: those of builds say so.
    for behind in [0, 4, 5] {
        let Some(begin) = at.checked_sub(15 + behind) else { continue };
        let is_clock = data[begin + 9] == b':' && data[begin + 12] == b':';
        let before = &data[begin.saturating_sub(WORDS_BEFORE_BYTES)..begin];
        let before = String::from_utf8_lossy(before).to_lowercase();
        let before = before.rsplit('\0').next().unwrap_or_default();
        if let Some(date) = day_at(begin).filter(|_| is_clock)
            && WORDS.iter().any(|word| before.contains(word))
        {
            return Some((text(begin), date));
        }
    }
    None
}

/// `2026-06-09T12:00:00`, with a space or a T; `at` is where it begins.
fn iso_time(data: &[u8], at: usize) -> Option<(String, i64)> {
    let text = data.get(at..at + 19)?;
    let is_form =
        [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')].iter().all(|(i, c)| text[*i] == *c);
    if !is_form || !matches!(text[10], b'T' | b' ') || is_number_at(data, at + 19) {
        return None;
    }
    let part = |from: usize, to: usize| number(&text[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let is_real = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24;
    let begin = Date { year, month, day }.second();
    is_real.then(|| {
        let text = String::from_utf8_lossy(text).into_owned();
        (text, begin + hour * 3600 + minute * 60 + second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_752_494_400;

    fn said(text: &str) -> Outcome {
        let written = Some(UNIX_EPOCH + Duration::from_secs(NOON as u64 + 60));
        timestamp(text.as_bytes(), &Times { written, fixed: vec![946_684_800] })
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (second, year, month, day) in [
            (0, 1970, 1, 1),
            (NOON, 2025, 7, 14),
            (951_782_400, 2000, 2, 29),
            (946_684_799, 1999, 12, 31),
            (4_107_542_400, 2100, 3, 1),
        ] {
            let date = Date { year, month, day };
            assert_eq!(Date::of(second), date);
            assert_eq!(date.second(), second.div_euclid(86_400) * 86_400);
        }
    }

    #[test]
    fn times_of_a_build_are_found() {
        for text in [
            "x\0Jul 14 2025\0",
            "Feb  9 2021 05:23:41",
            "built on: Mon Jul 14 12:00:00 2025 UTC",
            "Compiled Mon Jul 14 12:00:00 UTC 2025",
            "stamp 2025-07-14T12:00:00.123Z",
            "2025-07-13 04:00:00",
        ] {
            assert!(matches!(said(text), Outcome::Failed(_)), "{text}");
        }
    }

    #[test]
    fn other_times_are_not() {
        for text in [
            "",
            " 20",
            "Jan  1 2000",
            "built on: Sat Jan  1 00:00:00 2000 UTC",
            "From %s Mon Sep 17 00:00:00 2001",
            "3.54.0 2024-06-01 12:00:00 abc",
            "2025-07-14T12:10:00",
            "OpenSSL 3.6.3 9 Jun 2026",
            "Jul 14 20255",
            "Jul 44 2025",
            "2025-07-14T12:00:000",
        ] {
            assert!(matches!(said(text), Outcome::Passed(_)), "{text}: {:?}", said(text));
        }
        assert_eq!(said("Jan  1 2000").detail(), "only that of SOURCE_DATE_EPOCH");
    }
}
