//! The one table of a script's keys and codes: what `read` accepts, what the documents say.

use std::fmt::Write as _;

/// The keys of one table of the script.
pub(super) struct Table {
    /// How it is written.
    pub(super) header: &'static str,
    about: &'static str,
    keys: &'static [Key],
}

struct Key {
    name: &'static str,
    value: &'static str,
    /// What holds where the key is absent; `required` where it has to be there.
    default: &'static str,
    about: &'static str,
}

impl Table {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }

    pub(super) fn about(&self, name: &str) -> &'static str {
        self.keys.iter().find(|key| key.name == name).map_or("", |key| key.about)
    }
}

const fn key(name: &'static str, value: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, value, default, about }
}

pub(super) static TOP: Table = Table {
    header: "the script",
    about: "All times count from the start of the drill. A time is a whole number with its unit: `250ms`, `5s`, `2m`.",
    keys: &[
        key("format", "1", "required", "the format of this file"),
        key("name", "text", "required", "names the drill and its files: letters, digits, `-`, `_`, `.`; at most 64"),
        key("title", "text", "the name", "what the report is headed with"),
        key("seed", "number", "1", "everything that is drawn follows from it"),
        key("stations", "number", "this or `election`", "stations of a synthetic election, at most 1000000"),
        key("election", "path", "this or `stations`", "an election package with `results.csv`, relative to the script"),
        key("reporting", "table", "required", "when the stations seal and begin to send"),
        key("patience", "time", "60s", "how long the drill waits after the last station began, at most `10m`"),
        key("receipted", "0 to 1", "1", "share of the records that have to be receipted for the drill to have passed"),
        key("path", "list of tables", "required", "ways from the stations to the centre, 1 to 8"),
        key("fault", "list of tables", "none", "what breaks, at most 64"),
        key("flood", "list of tables", "none", "who attacks, at most 32"),
    ],
};

pub(super) static REPORTING: Table = Table {
    header: "reporting",
    about: "The stations begin evenly over this span, in an order drawn from the seed.",
    keys: &[
        key("at", "time", "required", "the close of the polls: the first station begins"),
        key("over", "time", "required", "how long until the last station begins"),
    ],
};

pub(super) static PATH: Table = Table {
    header: "[[path]]",
    about: "A station sends on all its paths side by side. `loss`, `delay` and `duplicate` hold in each direction.",
    keys: &[
        key("name", "text", "required", "unique; letters, digits, `-`, `_`, `.`"),
        key(
            "kind",
            "`udp`, `http`, `relay`",
            "required",
            "datagrams to the centre, HTTP to it, or datagrams to a relay",
        ),
        key("loss", "0 to below 1", "0", "chance that a datagram is lost"),
        key("delay", "time", "0ms", "how long a datagram takes, at most `1m`"),
        key("duplicate", "0 to below 1", "0", "chance that a datagram arrives twice"),
        key("after", "time", "0ms", "head start of the other paths: a receipt by then spares this one"),
        key("share", "above 0 to 1", "1", "chance that a station has this path; one path at least is everybody's"),
        key(
            "conduct",
            "`honest`, `alter`, `duplicate`, `withhold`",
            "honest",
            "relays only: what it does with the records that it is given",
        ),
    ],
};

pub(super) static FAULT: Table = Table {
    header: "[[fault]]",
    about: "Either `kill_centre`, or `for`, `path` and one of `cut`, `loss`, `delay`. Where faults overlap, the worst counts.",
    keys: &[
        key("at", "time", "required", "when it begins"),
        key("for", "time", "required for a path", "how long it lasts"),
        key("path", "text", "", "name of the path that is worse"),
        key("cut", "true", "", "nothing arrives"),
        key("loss", "0 to below 1", "", "as in `[[path]]`"),
        key("delay", "time", "", "as in `[[path]]`"),
        key("kill_centre", "true", "", "`kill -9`; the centre is restarted at once on the same ports"),
    ],
};

pub(super) static FLOOD: Table = Table {
    header: "[[flood]]",
    about: "Hostile traffic to the centre. All floods together send at most 200 million datagrams and requests and hold at \
            most 4096 connections.",
    keys: &[
        key("kind", "see [Kinds of floods](#kinds-of-floods)", "required", "what is sent"),
        key("at", "time", "required", "when it begins"),
        key("for", "time", "required", "how long it lasts; everything has ended after `10m`"),
        key(
            "rate",
            "number",
            "required",
            "datagrams or requests a second, at most 2000000; for `slowloris` and `body-drip` the connections held open",
        ),
    ],
};

static TABLES: [&Table; 5] = [&TOP, &REPORTING, &PATH, &FAULT, &FLOOD];

/// The text is not TOML.
pub(super) const SYNTAX: &str = "DS-01";
/// A key that the table does not have.
pub(super) const UNKNOWN_KEY: &str = "DS-02";
/// A key that has to be there.
pub(super) const KEY_MISSING: &str = "DS-03";
/// A value of the wrong type.
pub(super) const WRONG_TYPE: &str = "DS-04";
/// Another format.
pub(super) const FORMAT: &str = "DS-05";
/// A number, share or time beyond its bounds.
pub(super) const OUT_OF_BOUNDS: &str = "DS-06";
/// Not a name or title.
pub(super) const BAD_TEXT: &str = "DS-07";
/// Not one of the words that may stand here.
pub(super) const BAD_WORD: &str = "DS-08";
/// Not a time.
pub(super) const BAD_TIME: &str = "DS-09";
/// A name that stands twice, or names nothing.
pub(super) const BAD_NAME: &str = "DS-10";
/// Keys that do not go together.
pub(super) const KEYS_TOGETHER: &str = "DS-11";
/// More of something than a script may have.
pub(super) const TOO_MUCH: &str = "DS-12";

/// The code of each mistake in a script, with its meaning (`docs/spec/checks.md`).
pub const CODES: &[(&str, &str)] = &[
    (SYNTAX, "The script breaks the rules of TOML."),
    (UNKNOWN_KEY, "A key is not one that the table may have."),
    (KEY_MISSING, "A key is missing."),
    (WRONG_TYPE, "A value has the wrong type."),
    (FORMAT, "The script is of another format than 1."),
    (OUT_OF_BOUNDS, "A number, share or time lies outside its bounds."),
    (BAD_TEXT, "A name or title is empty, too long, or holds characters that it may not hold."),
    (BAD_WORD, "A word is not one of those that may stand here."),
    (BAD_TIME, "A time is not a whole number with its unit `ms`, `s` or `m`."),
    (BAD_NAME, "A path's name stands twice, or a fault names a path that does not exist."),
    (KEYS_TOGETHER, "Keys do not go together, or one of several that are needed is missing."),
    (TOO_MUCH, "The script as a whole is too long, or has too many paths, faults, floods or hostile messages."),
];

/// The reference of `docs/guide/drills.md` (Markdown): every key of every table.
pub fn reference() -> String {
    let mut out = String::new();
    for table in TABLES {
        let title =
            if std::ptr::eq(table, &raw const TOP) { "Top level".to_owned() } else { format!("`{}`", table.header) };
        let _ = write!(
            out,
            "### {title}\n\n{}\n\n| key | value | default | what |\n| --- | --- | --- | --- |\n",
            table.about
        );
        for Key { name, value, default, about } in table.keys {
            let _ = writeln!(out, "| `{name}` | {value} | {default} | {about} |");
        }
        out.push('\n');
    }
    out
}
