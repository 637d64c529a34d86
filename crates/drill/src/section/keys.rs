//! What a table of a drill's files may hold, and the codes of its mistakes: what is read, and what the documents say.

use std::fmt::Write as _;

/// The keys of one table.
pub(crate) struct Table {
    /// How it is written.
    pub(crate) header: &'static str,
    pub(crate) about: &'static str,
    pub(crate) keys: &'static [Key],
}

/// One key.
pub(crate) struct Key {
    name: &'static str,
    value: &'static str,
    /// What holds where the key is absent; `required` where it has to be there.
    default: &'static str,
    about: &'static str,
}

impl Table {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.keys.iter().map(|key| key.name)
    }

    pub(crate) fn about(&self, name: &str) -> &'static str {
        self.keys.iter().find(|key| key.name == name).map_or("", |key| key.about)
    }
}

pub(crate) const fn key(name: &'static str, value: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, value, default, about }
}

/// The text is not TOML.
pub(crate) const SYNTAX: &str = "DS-01";
/// A key that the table does not have.
pub(crate) const UNKNOWN_KEY: &str = "DS-02";
/// A key that has to be there.
pub(crate) const KEY_MISSING: &str = "DS-03";
/// A value of the wrong type.
pub(crate) const WRONG_TYPE: &str = "DS-04";
/// Another format.
pub(crate) const FORMAT: &str = "DS-05";
/// A number, share or time beyond its bounds.
pub(crate) const OUT_OF_BOUNDS: &str = "DS-06";
/// Not a name or title.
pub(crate) const BAD_TEXT: &str = "DS-07";
/// Not one of the words that may stand here.
pub(crate) const BAD_WORD: &str = "DS-08";
/// Not a time.
pub(crate) const BAD_TIME: &str = "DS-09";
/// A name that stands twice, or names nothing.
pub(crate) const BAD_NAME: &str = "DS-10";
/// Keys that do not go together.
pub(crate) const KEYS_TOGETHER: &str = "DS-11";
/// More of something than a script may have.
pub(crate) const TOO_MUCH: &str = "DS-12";

/// Something that the recipe makes stands in the package already.
pub(crate) const MADE: &str = "DS-13";

/// The code of each mistake in a script or recipe, with its meaning (`docs/spec/checks.md`).
pub const CODES: &[(&str, &str)] = &[
    (SYNTAX, "The file breaks the rules of TOML."),
    (UNKNOWN_KEY, "A key is not one that the table may have."),
    (KEY_MISSING, "A key is missing."),
    (WRONG_TYPE, "A value has the wrong type."),
    (FORMAT, "The file is of another format than 1."),
    (OUT_OF_BOUNDS, "A number, share or time lies outside its bounds."),
    (BAD_TEXT, "A name or title is empty, too long, or holds characters that it may not hold."),
    (BAD_WORD, "A word is not one of those that may stand here."),
    (BAD_TIME, "A time is not a whole number with its unit `ms`, `s` or `m`."),
    (BAD_NAME, "A path's name stands twice, or a fault names a path that does not exist."),
    (KEYS_TOGETHER, "Keys do not go together, or one of several that are needed is missing."),
    (TOO_MUCH, "A script as a whole is too long, or has too many paths, faults, floods or hostile messages."),
    (MADE, "The package has something that its recipe makes."),
];

/// A reference of tables (Markdown), each with its title.
pub(crate) fn reference(tables: &[(&str, &Table)]) -> String {
    let mut out = String::new();
    for (title, table) in tables {
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
