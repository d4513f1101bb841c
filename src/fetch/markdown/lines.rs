//! Output lines: blank lines between blocks, and the prefixes of quotes and list items.

use super::WrittenText;
use crate::fetch::paths::LineSource;
use dom_query::NodeId;

/// Separator before the next block, in ascending order of size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// A new line.
    Line,
    /// A blank line.
    Blank,
}

/// Quote, list item, definition or indentation that contains lines.
#[derive(Debug)]
enum Container {
    Quote,
    /// Indents lines by `width`; if there is a marker, the first line has the marker instead.
    Indent {
        marker: Option<String>,
        width: usize,
    },
}

/// Maximum number of nested containers, which keeps the prefix of a line short. No sound page needs more.
const MAX_CONTAINERS: usize = 40;

/// Marker of a definition in a definition list.
const DEFINITION: &str = ": ";

/// The output so far; each line ends with a line feed.
#[derive(Debug)]
pub(super) struct Lines {
    out: String,
    containers: Vec<Container>,
    gap: Gap,
    /// Number of outer containers that contain both the last line and the next line. A blank line between the two has
    /// the prefixes of these containers.
    shared: usize,
    most: usize,
    /// Node of the next line's text.
    source: Option<NodeId>,
    sources: Vec<LineSource>,
}

impl Lines {
    /// Creates an empty output that accepts about `most` bytes.
    pub fn new(most: usize) -> Self {
        Self {
            out: String::new(),
            containers: Vec::new(),
            gap: Gap::Line,
            shared: 0,
            most,
            source: None,
            sources: Vec::new(),
        }
    }

    /// Sets the node that the next lines are from.
    pub fn set_source(&mut self, node: NodeId) {
        self.source = Some(node);
    }

    /// Returns the length of the output, in bytes.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Requests at least this gap before the next line. The request is ignored at the beginning of an item.
    pub fn request_gap(&mut self, gap: Gap) {
        if !matches!(self.containers.last(), Some(Container::Indent { marker: Some(_), .. })) {
            self.gap = self.gap.max(gap);
        }
    }

    /// Cancels the gap: items of a list follow each other without blank lines.
    pub fn close_up(&mut self) {
        self.gap = Gap::Line;
    }

    /// Begins a quote. Returns false when containers are nested too deep.
    pub fn quote(&mut self) -> bool {
        self.push(Container::Quote)
    }

    /// Begins an item with `marker` before its first line. Returns false when containers are nested too deep.
    pub fn item(&mut self, marker: String) -> bool {
        let width = marker.len();
        self.push(Container::Indent { marker: Some(marker), width })
    }

    /// Begins a definition. Returns false when containers are nested too deep. The marker is written only if the
    /// definition begins with text; see [`begin_non_text`](Self::begin_non_text).
    pub fn definition(&mut self) -> bool {
        self.item(DEFINITION.into())
    }

    /// Prepares for a block that is not a paragraph. A definition that would begin with such a block loses its marker
    /// and indentation: where definition lists are not supported, a fence after the marker would open nothing, and the
    /// closing fence would open a code block to the end of the page.
    pub fn begin_non_text(&mut self) {
        if let Some(Container::Indent { marker, width }) = self.containers.last_mut()
            && marker.as_deref() == Some(DEFINITION)
        {
            (*marker, *width) = (None, 0);
            self.gap = Gap::Blank;
        }
    }

    /// Begins an indentation. Returns false when containers are nested too deep.
    pub fn indent(&mut self, width: usize) -> bool {
        self.push(Container::Indent { marker: None, width })
    }

    fn push(&mut self, container: Container) -> bool {
        self.begin_non_text();
        let fits = self.containers.len() < MAX_CONTAINERS;
        if fits {
            self.containers.push(container);
        }
        fits
    }

    /// Ends the innermost container. Returns false if the container is an item that wrote nothing.
    pub fn pop(&mut self) -> bool {
        let ended = self.containers.pop();
        self.shared = self.shared.min(self.containers.len());
        !matches!(ended, Some(Container::Indent { marker: Some(_), .. }))
    }

    /// Writes the lines of a block; writes no more lines once the output is full.
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
        if let Some(node) = self.source {
            self.sources.push(LineSource { offset: start, node });
        }
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

    /// Returns the output without blank lines at its end.
    pub fn finish(mut self) -> WrittenText {
        self.out.truncate(self.out.trim_end().len());
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        WrittenText { text: self.out, lines: self.sources }
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
