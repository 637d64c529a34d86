//! The tables of a script: what `read` accepts, what the guide says.

use crate::section::keys::{self, Table, key};

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

/// The reference of `docs/guide/drills.md` (Markdown): every key of every table.
pub fn reference() -> String {
    keys::reference(&[
        ("Top level", &TOP),
        ("`reporting`", &REPORTING),
        ("`[[path]]`", &PATH),
        ("`[[fault]]`", &FAULT),
        ("`[[flood]]`", &FLOOD),
    ])
}
