//! Text for a terminal or a file: colours, signs, lines and widths, each only where it is wanted.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::Level;

use crate::list::shown;
use crate::page::Tally;
use crate::report::Options;

/// A report under construction.
pub(crate) struct Text<'a> {
    pub(crate) out: String,
    options: &'a Options,
}

/// The styles that are used, as the numbers of ANSI's "select graphic rendition".
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Bold,
    Dim,
    Good,
    Warning,
    Of(Level),
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Warning => "33",
            Self::Of(Level::Critical) => "1;31",
            Self::Of(Level::High) => "31",
            Self::Of(Level::Medium) => "33",
            Self::Of(Level::Low) => "36",
            Self::Of(Level::Unspecified) => "35",
        }
    }
}

/// A sign, and what stands for it where only ASCII may be used.
#[derive(Clone, Copy)]
pub(crate) enum Sign {
    Bad,
    Good,
    Warning,
    Unknown,
    Set,
    More,
    Less,
    Up,
    Down,
    Other,
    Same,
}

impl<'a> Text<'a> {
    pub(crate) fn new(options: &'a Options, capacity: usize) -> Self {
        Self { out: String::with_capacity(capacity), options }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// What somebody else wrote: never more than a line, and nothing that moves the cursor.
    pub(crate) fn push_shown(&mut self, text: &str) {
        self.out.push_str(&shown(text));
    }

    pub(crate) fn styled(&mut self, style: Style, text: &str) {
        if self.options.colour && !text.is_empty() {
            let _ = write!(self.out, "\x1b[{}m{}\x1b[0m", style.code(), shown(text));
        } else {
            self.push_shown(text);
        }
    }

    pub(crate) fn sign(&mut self, sign: Sign) {
        let (style, pretty, plain) = match sign {
            Sign::Bad => (Style::Of(Level::High), "✗", "x"),
            Sign::Good => (Style::Good, "✓", "v"),
            Sign::Warning => (Style::Warning, "!", "!"),
            Sign::Unknown => (Style::Warning, "?", "?"),
            Sign::Set => (Style::Dim, "-", "-"),
            Sign::More => (Style::Of(Level::High), "+", "+"),
            Sign::Less => (Style::Good, "-", "-"),
            Sign::Up => (Style::Bold, "↑", "^"),
            Sign::Down => (Style::Bold, "↓", "v"),
            Sign::Other => (Style::Bold, "~", "~"),
            Sign::Same => (Style::Dim, " ", " "),
        };
        self.styled(style, if self.options.unicode { pretty } else { plain });
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.styled(Style::Bold, &format!("## {text}"));
        self.push("\n\n");
    }

    /// `   1C     0H     0M     0L`, and `     6?` where nobody says how bad.
    pub(crate) fn cells(&mut self, tally: &Tally) {
        for (number, (level, count)) in tally.told().enumerate() {
            self.push(if number == 0 { "" } else { "  " });
            self.cell(level, count);
        }
    }

    /// One of them.
    pub(crate) fn cell(&mut self, level: Level, count: usize) {
        let letter = match level {
            Level::Critical => 'C',
            Level::High => 'H',
            Level::Medium => 'M',
            Level::Low => 'L',
            Level::Unspecified => '?',
        };
        let style = if count == 0 { Style::Dim } else { Style::Of(level) };
        self.styled(style, &format!("{count:>4}{letter}"));
    }

    /// The line between two columns.
    pub(crate) fn bar(&mut self) {
        self.push(if self.options.unicode { "│" } else { "|" });
    }

    /// From one version to another.
    pub(crate) fn arrow(&mut self) {
        self.push(if self.options.unicode { " → " } else { " -> " });
    }

    /// The line under a head: so many columns, a crossing, so many more.
    pub(crate) fn rule(&mut self, left: usize, right: Option<usize>) {
        match right {
            Some(right) => self.rules(&[left, right]),
            None => self.rules(&[left]),
        }
    }

    /// The same under any number of columns.
    pub(crate) fn rules(&mut self, columns: &[usize]) {
        let (line, cross) = if self.options.unicode { ("─", "┼") } else { ("-", "+") };
        for (number, columns) in columns.iter().enumerate() {
            self.push(if number == 0 { "" } else { cross });
            self.out.extend(std::iter::repeat_n(line, *columns));
        }
        self.push("\n");
    }

    /// No spaces at the end of the line.
    pub(crate) fn trim(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
    }

    /// `text` behind what is already in the line, broken at spaces where the terminal is narrow; the
    /// lines that follow begin with `margin`.
    pub(crate) fn wrapped(&mut self, text: &str, margin: &str) {
        let text = shown(text);
        match self.options.width {
            // Too narrow for words: the terminal breaks lines where it must.
            Some(width) if width > margin.len() + 20 => {
                let start = self.out.rfind('\n').map_or(0, |at| at + 1);
                let used = columns(self.out.get(start..).unwrap_or_default());
                self.broken(&text, margin, used, width);
            }
            _ => self.push(&text),
        }
        self.push("\n");
    }

    fn broken(&mut self, text: &str, margin: &str, mut used: usize, width: usize) {
        let mut first = true;
        for word in text.split(' ') {
            let length = word.chars().count();
            if !first && used + 1 + length > width {
                self.push("\n");
                self.push(margin);
                used = margin.chars().count();
            } else if !first {
                self.push(" ");
                used += 1;
            }
            self.push(word);
            used = used.saturating_add(length);
            first = false;
        }
    }

    /// So many spaces.
    pub(crate) fn spaces(&mut self, mut count: usize) {
        const SOME: &str = "                                ";
        while let Some(some) = SOME.get(..count.min(SOME.len())).filter(|it| !it.is_empty()) {
            self.push(some);
            count -= some.len();
        }
    }

    /// So many spaces as `text` lacks to be `width` columns wide.
    pub(crate) fn padded(&mut self, text: &str, width: usize) {
        let text = shown(text);
        self.push(&text);
        self.spaces(width.saturating_sub(text.chars().count()));
    }
}

/// Columns a line takes, colours aside.
fn columns(line: &str) -> usize {
    let mut columns = 0_usize;
    let mut coloured = false;
    for letter in line.chars() {
        match letter {
            '\x1b' => coloured = true,
            'm' if coloured => coloured = false,
            _ if coloured => {}
            _ => columns += 1,
        }
    }
    columns
}

/// Bytes for people: `19 MB`, `1.2 GB`.
pub(crate) fn size(bytes: u64) -> Cow<'static, str> {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            let (whole, tenth) = (bytes / unit, bytes % unit * 10 / unit);
            return if whole >= 10 || tenth == 0 {
                format!("{whole} {name}").into()
            } else {
                format!("{whole}.{tenth} {name}").into()
            };
        }
    }
    format!("{bytes} B").into()
}
