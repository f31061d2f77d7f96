//! An account as one web page: a treemap, tables, and nothing from anywhere else.
//!
//! Every name that comes from a file is escaped, and the page itself forbids the browser to load
//! anything. Boxes have two sets of coordinates, for wide and for narrow windows.

use std::fmt::Write as _;

use super::account::{Account, Item, Row};
use super::share::Kind;
use super::treemap::{Rect, layout};
use crate::report::human_bytes;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// For which size of the map the boxes are laid out, in CSS's pixels: windows, and phones.
const WIDE: Rect = Rect { x: 0.0, y: 0.0, width: 1180.0, height: 690.0 };
const NARROW: Rect = Rect { x: 0.0, y: 0.0, width: 337.0, height: 608.0 };

/// The height of a box's title there.
const TITLE: f64 = 21.0;

/// A box that is smaller has no others in it.
const INNER_MIN: (f64, f64) = (60.0, 46.0);

/// What is less than this part of the whole has no box of its own.
const SHARE_MIN: f64 = 0.002;

/// Of a box in another: its smallest area, and how many there are at most; and so many lines in a list.
const AREA_MIN: f64 = 140.0;
const ITEMS_MAX: usize = 300;
const LINES_MAX: usize = 40;

/// The page.
pub fn text(account: &Account) -> String {
    let name = account.path.file_name().unwrap_or_default().to_string_lossy();
    let name = escaped(&name);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <title>What is in {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>What is in {name}</h1>\n<p>{} ({} bytes), {}.</p>\n",
        human_bytes(account.size_bytes),
        account.size_bytes,
        escaped(account.source.words()),
    );
    legend(&mut page, account);
    page.push_str(
        "<p id=\"info\" aria-live=\"polite\">Point at a box, tap it, or tab to it: it says what \
         it is. Arrow keys go on from there.</p>\n",
    );
    map(&mut page, account);
    tables(&mut page, account);
    let _ = write!(page, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

fn legend(page: &mut String, account: &Account) {
    page.push_str("<ul class=\"legend\">\n");
    for kind in Kind::ALL {
        let bytes: u64 =
            account.owners.iter().filter(|row| row.owner.kind == kind).map(|row| row.bytes).sum();
        if bytes > 0 {
            let _ = writeln!(
                page,
                "<li class=\"{}\"><span class=\"swatch\"></span>{} <small>{}</small></li>",
                class(kind),
                kind.words(),
                human_bytes(bytes)
            );
        }
    }
    page.push_str("</ul>\n");
}

/// The name of a kind's colour.
fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Package => "package",
        Kind::Crate => "crate",
        Kind::CLibrary => "c-library",
        Kind::StandardLibrary => "standard-library",
        Kind::Runtime => "runtime",
        Kind::Linker => "linker",
        Kind::File => "file",
        Kind::Unknown => "unknown",
    }
}

fn map(page: &mut String, account: &Account) {
    let _ =
        writeln!(page, "<div id=\"map\" role=\"group\" aria-label=\"Treemap; a table follows\">");
    let is_large = |row: &&Row| row.bytes as f64 >= account.size_bytes as f64 * SHARE_MIN;
    let large: Vec<&Row> = account.owners.iter().filter(is_large).collect();
    let rest: u64 = account.size_bytes - large.iter().map(|row| row.bytes).sum::<u64>();
    let weights: Vec<u64> = large.iter().map(|row| row.bytes).chain([rest]).collect();
    let (wide, narrow) = (layout(&weights, WIDE), layout(&weights, NARROW));
    for (place, row) in large.iter().enumerate() {
        outer(page, account, row, (wide[place], narrow[place]));
    }
    if rest > 0 {
        let count = account.owners.len() - large.len();
        let detail = format!("{count} more, with {}: see the table", human_bytes(rest));
        let rects = (wide[large.len()], narrow[large.len()]);
        let style = style(rects, (WIDE, NARROW));
        let _ = writeln!(
            page,
            "<div class=\"box file wide-flat narrow-flat\" role=\"group\" tabindex=\"0\" {} {style}><b>{count} more</b></div>",
            says(&detail)
        );
    }
    page.push_str("</div>\n");
}

/// The box of an owner, with boxes of its items in it where there is room.
fn outer(page: &mut String, account: &Account, row: &Row, rects: (Rect, Rect)) {
    let detail = format!(
        "{}: {}, {:.1} % ({})",
        row.owner.name,
        human_bytes(row.bytes),
        account.percent(row.bytes),
        row.owner.kind.words()
    );
    let has_room = |rect: Rect| rect.width >= INNER_MIN.0 && rect.height >= INNER_MIN.1;
    let (is_wide, is_narrow) = (has_room(rects.0), has_room(rects.1));
    let _ = writeln!(
        page,
        "<div class=\"box {}{}{}\" role=\"group\" tabindex=\"0\" {} {}><b>{} {}</b>",
        class(row.owner.kind),
        if is_wide { "" } else { " wide-flat" },
        if is_narrow { "" } else { " narrow-flat" },
        says(&detail),
        style(rects, (WIDE, NARROW)),
        escaped(&row.owner.name),
        human_bytes(row.bytes)
    );
    if is_wide || is_narrow {
        page.push_str("<div class=\"inner\">\n");
        inner(page, account, row, rects);
        page.push_str("</div>\n");
    }
    page.push_str("</div>\n");
}

fn inner(page: &mut String, account: &Account, row: &Row, rects: (Rect, Rect)) {
    let inside = |rect: Rect| Rect {
        x: 0.0,
        y: 0.0,
        width: (rect.width - 4.0).max(0.0),
        height: (rect.height - TITLE - 3.0).max(0.0),
    };
    let frames = (inside(rects.0), inside(rects.1));
    let area = frames.0.width * frames.0.height / row.bytes.max(1) as f64;
    let is_large = |item: &&Item| item.bytes as f64 * area >= AREA_MIN;
    let count = row.items.iter().take_while(is_large).count().clamp(1, ITEMS_MAX);
    let shown = &row.items[..count.min(row.items.len())];
    let rest: u64 = row.items[shown.len()..].iter().map(|item| item.bytes).sum();
    // The rest may be the largest box: it stands where its size puts it.
    let mut boxes: Vec<(u64, Option<&Item>)> =
        shown.iter().map(|item| (item.bytes, Some(item))).collect();
    if rest > 0 {
        boxes.push((rest, None));
    }
    boxes.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
    let weights: Vec<u64> = boxes.iter().map(|(bytes, _)| *bytes).collect();
    let (wide, narrow) = (layout(&weights, frames.0), layout(&weights, frames.1));
    for (place, (bytes, item)) in boxes.into_iter().enumerate() {
        let more = row.items.len() - shown.len();
        let label = item.map_or_else(|| format!("{more} more"), |item| item.label.clone());
        let size = human_bytes(bytes);
        let share = account.percent(bytes);
        let place_of = item.map(|item| {
            let object = item.object.iter().map(|object| format!(", {object}"));
            format!(" ({}{})", item.section, object.collect::<String>())
        });
        let detail = format!(
            "{}: {label}, {size}, {share:.2} %{}",
            row.owner.name,
            place_of.unwrap_or_default()
        );
        let rects = (wide[place], narrow[place]);
        // A name that no letter of fits in is no use.
        let is_readable = |rect: Rect| rect.width > 34.0 && rect.height > 16.0;
        let text = match is_readable(rects.0) || is_readable(rects.1) {
            true => format!("<span>{}</span>", escaped(&label)),
            false => String::new(),
        };
        let style = style(rects, frames);
        let _ = writeln!(
            page,
            "<div class=\"item\" tabindex=\"-1\" {} {style}>{text}</div>",
            says(&detail)
        );
    }
}

/// What a box says under the pointer, to the keyboard and to who hears it.
fn says(detail: &str) -> String {
    format!("title=\"{}\"", escaped(detail))
}

/// Coordinates in percent of what is around it: of wide windows, and in capitals of narrow ones.
fn style(rects: (Rect, Rect), frames: (Rect, Rect)) -> String {
    let part = |part: f64, whole: f64| if whole > 0.0 { 100.0 * part / whole } else { 0.0 };
    let four = |rect: Rect, frame: Rect| {
        [
            part(rect.x, frame.width),
            part(rect.y, frame.height),
            part(rect.width, frame.width),
            part(rect.height, frame.height),
        ]
    };
    let [x, y, w, h] = four(rects.0, frames.0);
    let [narrow_x, narrow_y, narrow_w, narrow_h] = four(rects.1, frames.1);
    format!(
        "style=\"--x:{x:.2}%;--y:{y:.2}%;--w:{w:.2}%;--h:{h:.2}%;\
         --X:{narrow_x:.2}%;--Y:{narrow_y:.2}%;--W:{narrow_w:.2}%;--H:{narrow_h:.2}%\""
    )
}

fn tables(page: &mut String, account: &Account) {
    page.push_str("<h2>By owner</h2>\n");
    let rows = account.owners.iter().map(|row| {
        let swatch = format!("<span class=\"swatch {}\"></span>", class(row.owner.kind));
        let name = escaped(&row.owner.name);
        (format!("{swatch}{name}<small>{}</small>", row.owner.kind.words()), row.bytes)
    });
    table(page, account, "What", &rows.collect::<Vec<_>>());
    page.push_str("<h2>By section</h2>\n");
    let rows = account.sections.iter().map(|(name, bytes)| (escaped(name), *bytes));
    table(page, account, "Section", &rows.collect::<Vec<_>>());
    page.push_str("<h2>The largest of each owner</h2>\n");
    for row in account.owners.iter().filter(|row| row.items.len() > 1) {
        let _ = writeln!(
            page,
            "<details><summary><span class=\"swatch {}\"></span>{} <small>{} in {} parts</small></summary>",
            class(row.owner.kind),
            escaped(&row.owner.name),
            human_bytes(row.bytes),
            row.items.len()
        );
        let shown = &row.items[..row.items.len().min(LINES_MAX)];
        let line = |item: &Item| {
            let object = item.object.iter().map(|object| format!(" {}", escaped(object)));
            let place = format!("{}{}", escaped(&item.section), object.collect::<String>());
            (format!("{}<small>{place}</small>", escaped(&item.label)), item.bytes)
        };
        let mut lines: Vec<_> = shown.iter().map(line).collect();
        let rest: u64 = row.items[shown.len()..].iter().map(|item| item.bytes).sum();
        if rest > 0 {
            lines.push((format!("{} more", row.items.len() - shown.len()), rest));
        }
        table(page, account, "Name", &lines);
        page.push_str("</details>\n");
    }
}

/// A table of cells that are HTML already.
fn table(page: &mut String, account: &Account, title: &str, rows: &[(String, u64)]) {
    let _ = writeln!(
        page,
        "<table>\n<thead><tr><th>{title}</th><th class=\"number\">Size</th>\
         <th class=\"number\">Share</th></tr></thead>\n<tbody>"
    );
    let line = |(cell, bytes): &(String, u64)| {
        let (size, share) = (human_bytes(*bytes), account.percent(*bytes));
        format!(
            "<tr><td>{cell}</td><td class=\"number\">{size}</td>\
             <td class=\"number\">{share:.1} %</td></tr>\n"
        )
    };
    page.extend(rows.iter().map(line));
    let sum = rows.iter().map(|(_, bytes)| bytes).sum();
    let _ =
        writeln!(page, "</tbody>\n<tfoot>{}</tfoot>\n</table>", line(&("Total".to_owned(), sum)));
}

/// Text as HTML has it, also in quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No control character is for people, and some turn texts around.
            c if c.is_control()
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::cover::Part;
    use super::super::evidence::Source;
    use super::super::share::Owner;
    use super::*;

    const BAD: &str = "<img src=x onerror=alert(1)>\"'&\u{202e}";

    fn account() -> Account {
        let part = |bytes, kind, name: &str, label: &str| Part {
            bytes,
            section: ".text".to_owned(),
            owner: Owner::new(kind, name),
            label: label.to_owned(),
            object: Some(BAD.to_owned()),
        };
        let mut parts: Vec<Part> = (0..400)
            .map(|number| part(1000 - number, Kind::CLibrary, "sqlite 3", &format!("f{number}")))
            .collect();
        parts.push(part(50_000, Kind::Crate, BAD, BAD));
        parts.push(part(3, Kind::File, "padding", "padding"));
        Account::of(format!("/tmp/folder/{BAD}").into(), 7, Source::Symbols, parts)
    }

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = text(&account());
        for word in ["http:", "https:", "//cdn", "src=", "<link", "@import", "url(", "href="] {
            assert!(!page.replace("img src=x", "").contains(word), "{word}");
        }
        assert!(page.contains("default-src 'none'"));
        for word in ["prefers-color-scheme: dark", "width=device-width", "max-width: 37.5rem"] {
            assert!(page.contains(word), "{word}");
        }
        assert!(!page.contains("/tmp/folder"), "of the file only its name is for others");
    }

    #[test]
    fn names_from_files_are_text() {
        let page = text(&account());
        assert!(!page.contains("<img") && !page.contains('\u{202e}'));
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;\u{fffd}"));
        // Each attribute ends where it should: there are as many quotes as it takes.
        for line in page.lines().filter(|line| line.starts_with("<div")) {
            assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        }
    }

    #[test]
    fn what_is_too_small_for_a_box_is_counted() {
        let page = text(&account());
        assert!(page.contains("title=\"1 more, with 3 B: see the table\""));
        assert!(page.contains(">f0</span>"));
        let more = 400 - ITEMS_MAX;
        assert!(page.contains(&format!(">{more} more</span>")));
        assert!(page.contains("<td>Total</td>"));
    }
}
