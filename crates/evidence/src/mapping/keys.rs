//! The one table of mapping keys: what [`super::read`] accepts, what the guide's reference says.

use std::fmt::Write as _;

use crate::report::CODES;

/// The keys of one table of the mapping.
pub(super) struct SectionKeys {
    /// As in TOML without brackets; empty for the top.
    pub(super) path: &'static str,
    /// How it is written in a mapping.
    pub(super) header: &'static str,
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    /// Value where the key is absent; `required` where it has to be there.
    pub(super) default: &'static str,
    pub(super) about: &'static str,
}

impl SectionKeys {
    pub(super) fn has(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    pub(super) fn about(&self, name: &str) -> &'static str {
        self.keys.iter().find(|key| key.name == name).map_or("", |key| key.about)
    }

    pub(super) fn title(&self) -> &'static str {
        if self.header.is_empty() { "the mapping" } else { self.header }
    }
}

const fn key(name: &'static str, kind: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, kind, default, about }
}

const TOP: &[Key] = &[
    key("election", "table", "required", "identity of the election"),
    key("input", "table", "a comma-separated table with one header row", "how the file is written"),
    key("keep", "list of tables", "every row", "rows to keep: a row has to pass all of them"),
    key("skip", "list of tables", "none", "rows to leave out: a row that passes any of them is left out"),
    key("numbers", "table", "plain digits", "how numbers are written, and what means \"no figure\""),
    key("station", "table", "required", "which columns make a polling station"),
    key("root", "table", "the election", "the area that holds all others"),
    key("area", "list of tables", "none", "levels of the area tree, from the top down"),
    key("contests", "table", "one contest", "the column that says which contest a row belongs to"),
    key("contest", "list of tables", "one contest, named as the election", "the contests"),
    key("line", "list of tables", "none", "ballot lines, one by one; for all contests without lines of their own"),
    key("lines", "table", "none", "many ballot lines at once, named by their headers"),
    key("long", "table", "a wide table", "a table with one row per station and candidate"),
    key("figures", "table", "none", "columns with figures beside the ballot lines; for all contests without their own"),
    key(
        "rules",
        "table of tables",
        "see [Rules](#rules)",
        "`[rules.CODE]`: severity and thresholds, copied to election.toml",
    ),
];

const ELECTION: &[Key] = &[
    key("id", "id", "required", "stable id"),
    key("name", "text", "required", "display name"),
    key("date", "date as text", "required", "day of the poll, `2026-07-01`"),
    key("phase", "`drill` or `official`", "drill", "published figures are replayed as a drill"),
    key("polls_close", "text", "not stated", "RFC 3339 instant"),
    key("source", "text", "not stated", "where the figures come from, with licence"),
];

const INPUT: &[Key] = &[
    key(
        "delimiter",
        "one of `,` `;` `tab` `\\|` `auto`",
        "auto",
        "what separates fields; `auto` takes the most frequent one in the header line",
    ),
    key("quote", "one character, or `none`", "`\"`", "what encloses a field that holds delimiters"),
    key(
        "encoding",
        "WHATWG name, or `auto`",
        "auto",
        "`auto`: byte-order mark, else UTF-8 if valid, else a guess, which the report names",
    ),
    key("skip_lines", "number", "0", "lines before the header, empty ones included"),
    key("header_rows", "number", "1 (0 for fixed width)", "rows of the header; 0: columns have positions only"),
    key("header_separator", "text", "one space", "joins the cells of several header rows; empty cells are left out"),
    key(
        "header_fill",
        "true or false",
        "false",
        "an empty cell of a header row (all but the last row) repeats the cell to its left, as in merged cells",
    ),
    key("comment", "text", "none", "lines that begin with it are not rows"),
    key("fields", "number", "as in the first row", "number of fields of a row, where there is no header"),
    key(
        "transpose",
        "true or false",
        "false",
        "stations stand in columns: turn the table first; `header_rows` then counts columns",
    ),
    key("member", "glob", "every table in it", "which members of a `.zip` to read"),
    key("max_bytes", "number", "2147483648", "the most that all inputs together may unpack to"),
    key("column", "list of tables", "delimited fields", "columns of fixed width"),
];

const FIXED: &[Key] = &[
    key("name", "text", "required", "name to use in this mapping"),
    key("start", "number", "required", "first character, from 1"),
    key("len", "number", "required", "number of characters"),
];

const CONDITION: &[Key] = &[
    key("column", "column", "required", "cell to look at, white space around it ignored"),
    key("equals", "text or list", "", "the cell is one of these"),
    key("not", "text or list", "", "the cell is none of these"),
    key("glob", "text or list", "", "the cell matches one of these; `*` any text, `?` one character"),
    key("empty", "true or false", "", "the cell is (not) empty"),
];

const NUMBERS: &[Key] = &[
    key(
        "decimal",
        "one character",
        "`.`",
        "`12.0` is 12; a fraction other than zero is an error, and so is `1.000` unless `thousands` is set",
    ),
    key("thousands", "one character", "none", "between groups of three digits; a space stands for all kinds of spaces"),
    key(
        "missing",
        "list",
        "empty, `*` `---` `-` `x` `n/a` `N/A` `NA` `null` `NULL` `nan` `NaN`",
        "cells that mean \"no figure\"; replaces the default list. Missing is never zero",
    ),
];

const STATION: &[Key] = &[
    key("key", "column, list of columns, or key table", "required", "identifies a station; becomes its id"),
    key("name", "column, list of columns, or key table", "the id", "display name; joined with a space"),
    key(
        "registered",
        "column or list",
        "unknown",
        "voters on the roll, for the register; several columns are added up",
    ),
    key(
        "special",
        "condition table",
        "none",
        "stations without a roll of their own (postal, in transit): the roll does not bound their votes",
    ),
];

const KEY_TABLE: &[Key] = &[
    key("columns", "column or list", "required", "columns, in order"),
    key("separator", "text", "`-` (names: a space)", "stands between the parts"),
    key(
        "pad",
        "number or list",
        "no padding",
        "pads parts with zeros on the left to this width; one for all, or one per column",
    ),
    key("trim", "true or false", "true", "removes white space around each part"),
    key("strip_suffix", "text", "none", "removed from the end of each part, before padding: `.0`"),
];

const ROOT: &[Key] = &[
    key("id", "id", "the election's id", "id of the root area"),
    key("name", "text", "the election's name", "its display name"),
    key("kind", "text", "empty", "`country`, `state`, …"),
];

const AREA: &[Key] = &[
    key("column", "column", "required", "name of the area; an empty cell skips the level"),
    key("code", "column", "the name", "code of the area, used in ids in place of the name"),
    key("name", "text with `{}`", "`{}`", "display name; `{}` stands for the cell: `District {}`"),
    key("kind", "text", "empty", "`district`, `municipality`, …"),
];

const CONTESTS: &[Key] = &[key(
    "key",
    "column, list of columns, or key table",
    "required",
    "says which contest a row belongs to. Without `[[contest]]` every value is a contest; with it, rows of other contests are filtered",
)];

const CONTEST: &[Key] = &[
    key("id", "id", "required", "stable id"),
    key("name", "text", "the id", "display name"),
    key("area", "area id", "the root", "stations below it vote in the contest"),
    key("match", "text or list", "the id", "values of the contest key that mean this contest"),
    key("line", "list of tables", "the mapping's", "as `[[line]]`, for this contest"),
    key("lines", "table", "the mapping's", "as `[lines]`, for this contest"),
    key("figures", "table", "the mapping's", "as `[figures]`, for this contest"),
];

const LINE: &[Key] = &[
    key("column", "column", "", "wide: the column with its votes"),
    key("add", "list of columns", "", "wide: columns that are added up"),
    key("match", "text or list", "", "long: values of the line key (spellings are summed)"),
    key("id", "id", "the column or value", "id of the ballot line"),
    key("name", "text", "the id", "display name of the ballot line"),
    key("candidate", "id", "the line's id", "candidate that the line counts for; several lines may name one"),
    key("candidate_name", "text", "the line's name or the candidate's id", "display name of the candidate"),
    key("party", "id", "none", "party of the line"),
    key("party_name", "text", "the party's id", "display name of the party"),
];

const LINES: &[Key] = &[
    key("columns", "list of columns", "none", "each is a ballot line"),
    key("from", "column", "none", "first of a range of columns, each a ballot line"),
    key("to", "column", "none", "last of the range"),
    key("except", "text or list", "none", "globs: headers of the range that are no ballot lines (`*%*`)"),
];

const LONG: &[Key] = &[
    key("candidate", "column", "required", "names the candidate"),
    key("votes", "column", "required", "the votes"),
    key(
        "line",
        "column, list of columns, or key table",
        "the candidate",
        "identifies the ballot line, where a candidate stands on several (`[\"candidate\", \"party\"]`)",
    ),
    key("party", "column", "none", "party of the line"),
    key("mode", "column", "none", "rows of one line that differ in this column are added up"),
    key("keep_modes", "text or list", "all", "only these modes are summed, the others filtered"),
    key("skip_modes", "text or list", "none", "these modes are filtered (`TOTAL`)"),
    key("figures", "table", "none", "candidate values that are figures and no candidates"),
    key("ignore", "text or list", "none", "globs: candidate values that are neither"),
    key(
        "absent_is_zero",
        "true or false",
        "false",
        "the publisher leaves out rows with no votes. Otherwise a station without a row for a line has no record",
    ),
    key("sum_repeated", "true or false", "false", "repeated rows are parts to be summed, not copies"),
];

const FIGURE_KINDS: [(&str, &str); 5] = [
    ("blank", "blank ballots"),
    ("null", "null (invalid, spoiled) ballots"),
    ("voters", "voters admitted (turnout)"),
    ("registered", "voters on the roll, as the record states them (the register's: `[station]`)"),
    ("total", "votes cast in total, as the record states them"),
];

const PSEUDO: &[Key] = &[
    key("blank", "text or list", "none", FIGURE_KINDS[0].1),
    key("null", "text or list", "none", FIGURE_KINDS[1].1),
    key("voters", "text or list", "none", FIGURE_KINDS[2].1),
    key(
        "registered",
        "text or list",
        "none",
        "voters on the roll: goes to the record and, unless `[station]` has it, to the register",
    ),
    key("total", "text or list", "none", FIGURE_KINDS[4].1),
];

const FIGURES: &[Key] = &[
    key("blank", "column or list", "none", FIGURE_KINDS[0].1),
    key("null", "column or list", "none", FIGURE_KINDS[1].1),
    key("voters", "column or list", "none", FIGURE_KINDS[2].1),
    key("registered", "column or list", "none", FIGURE_KINDS[3].1),
    key("total", "column or list", "none", FIGURE_KINDS[4].1),
    key("optional", "text or list", "none", "figures that a row may leave empty and still have a record"),
];

static SECTIONS: &[SectionKeys] = &[
    SectionKeys { path: "", header: "", about: "Tables of a mapping.", keys: TOP },
    SectionKeys { path: "election", header: "[election]", about: "Copied to `election.toml`.", keys: ELECTION },
    SectionKeys {
        path: "input",
        header: "[input]",
        about: "How the files are written. `.xz`, `.gz`, `.zst` and `.zip` are recognised by their content.",
        keys: INPUT,
    },
    SectionKeys { path: "input.column", header: "[[input.column]]", about: "One column of fixed width.", keys: FIXED },
    SectionKeys {
        path: "condition",
        header: "[[keep]], [[skip]], station.special",
        about: "A condition: a column and exactly one test.",
        keys: CONDITION,
    },
    SectionKeys { path: "numbers", header: "[numbers]", about: "How numbers are written.", keys: NUMBERS },
    SectionKeys { path: "station", header: "[station]", about: "The register.", keys: STATION },
    SectionKeys { path: "key", header: "key table", about: "Wherever a key is made of columns.", keys: KEY_TABLE },
    SectionKeys { path: "root", header: "[root]", about: "The area that holds all others.", keys: ROOT },
    SectionKeys {
        path: "area",
        header: "[[area]]",
        about: "One level of the area tree; the order of the tables is from the top down. Ids are built from the path, so equal names under different parents stay apart.",
        keys: AREA,
    },
    SectionKeys { path: "contests", header: "[contests]", about: "Several contests in one file.", keys: CONTESTS },
    SectionKeys { path: "contest", header: "[[contest]]", about: "One contest.", keys: CONTEST },
    SectionKeys { path: "line", header: "[[line]], [[contest.line]]", about: "One ballot line.", keys: LINE },
    SectionKeys {
        path: "lines",
        header: "[lines], [contest.lines]",
        about: "Many ballot lines, in the order of their columns. A `[[line]]` for one of these columns gives its details.",
        keys: LINES,
    },
    SectionKeys {
        path: "long",
        header: "[long]",
        about: "A table with one row per station, contest and ballot line.",
        keys: LONG,
    },
    SectionKeys {
        path: "long.figures",
        header: "[long.figures]",
        about: "Globs on the candidate column.",
        keys: PSEUDO,
    },
    SectionKeys {
        path: "figures",
        header: "[figures], [contest.figures]",
        about: "Columns with figures beside the ballot lines; several columns are added up.",
        keys: FIGURES,
    },
];

/// The section with this path. Paths are written in this crate only; an unknown one gives the top section, whose keys
/// then fail the check in [`super::section::Section::get`].
pub(super) fn section(path: &str) -> &'static SectionKeys {
    let found = SECTIONS.iter().find(|section| section.path == path);
    debug_assert!(found.is_some(), "no key table for `{path}`");
    found.unwrap_or(&SECTIONS[0])
}

/// The reference of `docs/guide/import.md` (Markdown): every key of every table, then every code of the report.
pub fn reference() -> String {
    let mut out = String::new();
    for section in SECTIONS {
        let title = if section.header.is_empty() { "Top level".to_owned() } else { format!("`{}`", section.header) };
        let _ = write!(
            out,
            "### {title}\n\n{}\n\n| key | value | default | what |\n| --- | --- | --- | --- |\n",
            section.about
        );
        for key in section.keys {
            let _ = writeln!(out, "| `{}` | {} | {} | {} |", key.name, key.kind, key.default, key.about);
        }
        out.push('\n');
    }
    out.push_str("### Codes of the report\n\n| code | what |\n| --- | --- |\n");
    for (code, what) in CODES {
        let _ = writeln!(out, "| `{code}` | {what} |");
    }
    out
}

#[cfg(test)]
pub(super) fn sections() -> &'static [SectionKeys] {
    SECTIONS
}
