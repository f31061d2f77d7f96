//! Mistakes in recipes as people see them: the place, the word underlined, what is allowed.
//! Never decides what a mistake is.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::guess;

/// A range of bytes in a file.
pub type Span = Range<usize>;

/// The most mistakes shown; more only scroll the useful ones away.
const SHOWN_LIMIT: usize = 200;

/// A file below `recipes/`, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path from the checkout, such as `recipes/libraries/zlib.toml`.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl File {
    /// Its text, or the empty text if it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

/// Where in a file a mistake is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// The file as such.
    File,
    /// Bytes of its text.
    Span(Span),
    /// Line and column, both from 1, of a file that has no text to show.
    Point(usize, usize),
}

/// One mistake.
#[derive(Clone, Debug)]
pub struct Diagnostic<'f> {
    file: &'f File,
    place: Place,
    title: String,
    label: String,
    related: Vec<(&'f File, Span, String)>,
    help: Vec<String>,
    notes: Vec<String>,
}

impl<'f> Diagnostic<'f> {
    /// A mistake at a place of a file's text; the title says what is wrong.
    pub fn at(file: &'f File, span: Span, title: impl Into<String>) -> Self {
        Self::new(file, Place::Span(span), title.into())
    }

    /// A mistake of a file as a whole.
    pub fn of_file(file: &'f File, title: impl Into<String>) -> Self {
        Self::new(file, Place::File, title.into())
    }

    /// A mistake in a file that is no text.
    pub fn at_point(file: &'f File, line: usize, column: usize, title: impl Into<String>) -> Self {
        Self::new(file, Place::Point(line, column), title.into())
    }

    fn new(file: &'f File, place: Place, title: String) -> Self {
        let (label, related, help, notes) = Default::default();
        Self { file, place, title, label, related, help, notes }
    }

    /// The words beside the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Another place that belongs to this mistake.
    #[must_use]
    pub fn related(mut self, file: &'f File, span: Span, label: impl Into<String>) -> Self {
        self.related.push((file, span, label.into()));
        self
    }

    /// What to do about it. An empty text is no help and is left out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self.help.retain(|help| !help.is_empty());
        self
    }

    /// What is allowed, or why it is a mistake.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// `did you mean …?` if one of the known words is like `word`.
    #[must_use]
    pub fn guess<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match guess::guess(word, known) {
            Some(found) => self.help(format!("did you mean {}?", guess::quote(found))),
            None => self,
        }
    }

    /// What mistakes are sorted by.
    fn key(&self) -> (&'f str, usize, &str) {
        let start = match &self.place {
            Place::Span(span) => span.start,
            Place::File | Place::Point(..) => 0,
        };
        (&self.file.path, start, &self.title)
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.title.as_str()));
        match &self.place {
            Place::File => group = group.element(Origin::path(self.file.path.as_str())),
            Place::Point(line, column) => {
                let origin = Origin::path(self.file.path.as_str());
                group = group.element(origin.line(*line).char_column(*column));
            }
            Place::Span(span) => {
                let here = self.related.iter().filter(|(file, ..)| file.path == self.file.path);
                let here: Vec<_> = here.map(|(_, span, label)| (span, label.as_str())).collect();
                group = group.element(snippet(self.file, Some((span, &self.label)), &here));
            }
        }
        let is_elsewhere = |file: &File| self.place == Place::File || file.path != self.file.path;
        for (file, span, label) in self.related.iter().filter(|(file, ..)| is_elsewhere(file)) {
            group = group.element(snippet(file, None, &[(span, label.as_str())]));
        }
        group = group.elements(self.help.iter().map(|help| Level::HELP.message(help.as_str())));
        group = group.elements(self.notes.iter().map(|note| Level::NOTE.message(note.as_str())));
        renderer.render(&[group])
    }
}

/// The lines that the marks are on. Only those are handed over: rendering costs what is shown.
fn snippet<'a>(
    file: &'a File,
    primary: Option<(&Span, &'a str)>,
    context: &[(&Span, &'a str)],
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = file.text();
    let marks: Vec<_> = primary
        .iter()
        .map(|(span, label)| (AnnotationKind::Primary, one_line(text, span), *label))
        .chain(
            context
                .iter()
                .map(|(span, label)| (AnnotationKind::Context, one_line(text, span), *label)),
        )
        .collect();
    let first = marks.iter().map(|(_, span, _)| span.start).min().unwrap_or(0);
    let last = marks.iter().map(|(_, span, _)| span.end).max().unwrap_or(0);
    let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[last..].find('\n').map_or(text.len(), |newline| last + newline);
    let line = text[..start].matches('\n').count() + 1;
    let annotations = marks.into_iter().map(|(kind, span, label)| {
        let annotation = kind.span(span.start - start..span.end - start);
        annotation.label((!label.is_empty()).then_some(label))
    });
    Snippet::source(&text[start..end])
        .line_start(line)
        .path(file.path.as_str())
        .annotations(annotations)
}

/// The part of a span that is on its first line, on character boundaries.
fn one_line(text: &str, span: &Span) -> Span {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    let line = text[start..end].find(['\n', '\r']).map_or(end, |newline| start + newline);
    start..line
}

/// All mistakes as one text, in the order of files and places, with a last line that counts them.
pub fn render(diagnostics: &[Diagnostic<'_>], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let mut sorted: Vec<_> = diagnostics.iter().collect();
    sorted.sort_by(|a, b| a.key().cmp(&b.key()));
    let mut text = String::new();
    for diagnostic in sorted.iter().take(SHOWN_LIMIT) {
        text.push_str(diagnostic.render(&renderer).trim_end());
        text.push_str("\n\n");
    }
    if let hidden @ 1.. = sorted.len().saturating_sub(SHOWN_LIMIT) {
        text.push_str(&format!("… and {hidden} more\n\n"));
    }
    let mut files: Vec<_> = sorted.iter().map(|diagnostic| &diagnostic.file.path).collect();
    files.dedup();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let (mistakes, recipes) = (sorted.len(), files.len());
    text.push_str(&format!(
        "{mistakes} mistake{} in {recipes} recipe{}",
        plural(mistakes),
        plural(recipes)
    ));
    text
}
