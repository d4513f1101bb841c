//! The lines that are written: blank lines between blocks, and the prefixes of the quotes and items they stand in.

/// Separator of two blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// A new line.
    Line,
    /// A blank line.
    Blank,
}

/// Container of lines.
#[derive(Debug)]
enum Container {
    Quote,
    /// Indented below its marker, which the first line carries.
    Indent {
        marker: Option<String>,
        width: usize,
    },
}

/// More than any page needs; the prefix of a line stays short.
const MAX_CONTAINERS: usize = 40;

/// Mark of a definition.
const DEFINITION: &str = ": ";

/// The output so far; every line ends with a line feed.
#[derive(Debug)]
pub(super) struct Lines {
    out: String,
    containers: Vec<Container>,
    gap: Gap,
    /// Containers that both the last line and the next stand in: a blank line between them has their prefixes.
    shared: usize,
    most: usize,
}

impl Lines {
    /// At most about `most` bytes.
    pub fn new(most: usize) -> Self {
        Self { out: String::new(), containers: Vec::new(), gap: Gap::Line, shared: 0, most }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Asks for at least this gap before the next line. An item's own beginning is no place for one.
    pub fn want(&mut self, gap: Gap) {
        if !matches!(self.containers.last(), Some(Container::Indent { marker: Some(_), .. })) {
            self.gap = self.gap.max(gap);
        }
    }

    /// Makes the next line follow at once: items stand close together.
    pub fn close_up(&mut self) {
        self.gap = Gap::Line;
    }

    /// Lines are quoted from here on. `false` when they are nested too deep for that.
    pub fn quote(&mut self) -> bool {
        self.push(Container::Quote)
    }

    /// Lines are indented from here on, the first one with `marker`. `false` when they are nested too deep for that.
    pub fn item(&mut self, marker: String) -> bool {
        let width = marker.len();
        self.push(Container::Indent { marker: Some(marker), width })
    }

    /// Begins a definition, marked as one if it begins with text.
    pub fn definition(&mut self) -> bool {
        self.item(DEFINITION.into())
    }

    /// Announces a block that is no text. A definition that it would begin loses its mark and its indentation: where
    /// definitions are not supported, a fence after the mark would open nothing, and its end would open a block to the
    /// end of the page.
    pub fn no_text(&mut self) {
        if let Some(Container::Indent { marker, width }) = self.containers.last_mut()
            && marker.as_deref() == Some(DEFINITION)
        {
            (*marker, *width) = (None, 0);
            self.gap = Gap::Blank;
        }
    }

    /// Lines are indented from here on.
    pub fn indent(&mut self, width: usize) -> bool {
        self.push(Container::Indent { marker: None, width })
    }

    fn push(&mut self, container: Container) -> bool {
        self.no_text();
        let room = self.containers.len() < MAX_CONTAINERS;
        if room {
            self.containers.push(container);
        }
        room
    }

    /// Ends the innermost quote or item; whether anything was written in it.
    pub fn pop(&mut self) -> bool {
        let ended = self.containers.pop();
        self.shared = self.shared.min(self.containers.len());
        !matches!(ended, Some(Container::Indent { marker: Some(_), .. }))
    }

    /// Writes a block of one or more lines.
    pub fn block<'a>(&mut self, lines: impl IntoIterator<Item = &'a str>) {
        for line in lines {
            if self.out.len() > self.most {
                return;
            }
            self.line(line);
        }
    }

    fn line(&mut self, line: &str) {
        if self.gap == Gap::Blank && !self.out.is_empty() {
            let start = self.out.len();
            for container in self.containers.iter().take(self.shared) {
                prefix(&mut self.out, container);
            }
            trim_end(&mut self.out, start);
            self.out.push('\n');
        }
        let start = self.out.len();
        for container in &mut self.containers {
            match container {
                Container::Indent { marker: marker @ Some(_), .. } => {
                    self.out.push_str(&marker.take().unwrap_or_default());
                }
                container => prefix(&mut self.out, container),
            }
        }
        if line.is_empty() {
            trim_end(&mut self.out, start);
        }
        self.out.push_str(line);
        self.out.push('\n');
        self.gap = Gap::Line;
        self.shared = self.containers.len();
    }

    /// The text, without blank lines at its end.
    pub fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

fn prefix(out: &mut String, container: &Container) {
    match container {
        Container::Quote => out.push_str("> "),
        Container::Indent { width, .. } => out.extend(std::iter::repeat_n(' ', *width)),
    }
}

fn trim_end(out: &mut String, start: usize) {
    let end = start + out[start..].trim_end_matches(' ').len();
    out.truncate(end);
}
