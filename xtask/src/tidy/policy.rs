//! The tables that tidy enforces. A change here is a change of the architecture: say why in `docs/adr/`.

/// What one workspace package may depend on.
pub(super) struct Package {
    /// The package's name.
    pub(super) name: &'static str,
    /// The workspace packages it may name; a dev-dependency may also name whatever these reach.
    pub(super) arrows: &'static [&'static str],
    /// For a pure package, the outside crates it may use; `None` leaves them free.
    pub(super) pure: Option<&'static [&'static str]>,
}

const fn pure(name: &'static str, arrows: &'static [&'static str], outside: &'static [&'static str]) -> Package {
    Package { name, arrows, pure: Some(outside) }
}

const fn free(name: &'static str, arrows: &'static [&'static str]) -> Package {
    Package { name, arrows, pure: None }
}

const RECORD: &str = "tallyproof-record";
const LOG: &str = "tallyproof-log";
const COUNT: &str = "tallyproof-count";
const STATION: &str = "tallyproof-station";
const CENTRE: &str = "tallyproof-centre";
const WITNESS: &str = "tallyproof-witness";
const EVIDENCE: &str = "tallyproof-evidence";
const SITE: &str = "tallyproof-site";
const DRILL: &str = "tallyproof-drill";
const STORE: &str = "tallyproof-store";

/// Every package of the workspace. None of the outside crates of a pure package opens a socket or a file.
pub(super) const PACKAGES: &[Package] = &[
    pure(
        RECORD,
        &[],
        &[
            "csv",
            "ed25519-dalek",
            "hex",
            "hkdf",
            "jiff",
            "minicbor",
            "rayon",
            "serde",
            "sha2",
            "siphasher",
            "thiserror",
            "toml",
        ],
    ),
    pure(LOG, &[], &["base64", "ed25519-dalek", "ml-dsa", "sha2", "thiserror"]),
    pure(COUNT, &[RECORD, LOG], &["ed25519-dalek", "hex", "rayon", "serde", "serde_json", "sha2", "thiserror", "toml"]),
    pure(STATION, &[RECORD, LOG], &["ed25519-dalek", "rand_chacha", "thiserror"]),
    pure(CENTRE, &[RECORD, LOG, COUNT], &["ed25519-dalek", "sha2", "thiserror"]),
    pure(WITNESS, &[RECORD, LOG, COUNT], &["rayon", "thiserror"]),
    pure(
        EVIDENCE,
        &[RECORD, COUNT],
        &[
            "chardetng",
            "csv",
            "encoding_rs",
            "flate2",
            "lzma-rust2",
            "ruzstd",
            "serde",
            "sha2",
            "strsim",
            "thiserror",
            "toml",
            "zip",
        ],
    ),
    pure(
        SITE,
        &[RECORD, LOG, COUNT, EVIDENCE],
        &["askama", "fluent-bundle", "jiff", "krilla", "notosans", "skrifa", "thiserror", "unic-langid"],
    ),
    pure(
        DRILL,
        &[RECORD, LOG, COUNT, STATION, CENTRE, WITNESS, EVIDENCE],
        &["ed25519-dalek", "rand_chacha", "sha2", "strsim", "thiserror", "toml"],
    ),
    free(STORE, &[CENTRE]),
    free("tallyproof-cli", &[RECORD, LOG, COUNT, STATION, CENTRE, WITNESS, EVIDENCE, SITE, DRILL, STORE]),
    // Test code alone: it decodes whatever the product decodes, the journal's file among it.
    free("tallyproof-fuzz-targets", &[RECORD, LOG, COUNT, STATION, CENTRE, WITNESS, EVIDENCE, SITE, DRILL, STORE]),
    free("xtask", &[]),
];

/// The entry for `name`, if the package is known.
pub(super) fn package(name: &str) -> Option<&'static Package> {
    PACKAGES.iter().find(|package| package.name == name)
}

/// Paths that a pure package may not name, each with the reason.
pub(super) const FORBIDDEN_PATHS: &[(&str, &str)] = &[
    ("std::fs", "a pure crate opens no file: take bytes and return bytes"),
    ("std::net", "a pure crate opens no socket: return the datagram as an action"),
    ("std::os", "a pure crate knows no operating system"),
    ("std::env", "a pure crate reads no environment: take the setting as an argument"),
    ("std::process", "a pure crate neither starts nor ends a process"),
    ("std::io::stdin", "a pure crate reads no terminal: take bytes"),
    ("std::io::stdout", "a pure crate prints nothing: return the text"),
    ("std::io::stderr", "a pure crate prints nothing: return the error"),
    ("std::thread::sleep", "a pure crate never waits: return when to be called again"),
    ("std::thread::spawn", "a pure crate owns no thread"),
    ("std::time::UNIX_EPOCH", "a pure crate reads no clock: take `now` as an argument"),
    ("SystemTime", "a pure crate reads no clock: take `now` as an argument"),
    ("Instant::now", "a pure crate reads no clock: take `now` as an argument"),
    ("Timestamp::now", "a pure crate reads no clock: take `now` as an argument"),
    ("Zoned::now", "a pure crate reads no clock: take `now` as an argument"),
    ("TimeZone::system", "a pure crate reads no machine's time zone: take it as an argument"),
    ("tokio", "a pure crate knows no runtime"),
    ("rand::rng", "a pure crate draws no randomness: take a seed"),
    ("rand::random", "a pure crate draws no randomness: take a seed"),
    ("rand::thread_rng", "a pure crate draws no randomness: take a seed"),
    ("getrandom", "a pure crate draws no randomness: take a seed"),
    ("OsRng", "a pure crate draws no randomness: take a seed"),
    ("SysRng", "a pure crate draws no randomness: take a seed"),
];

/// Macros that a pure package may not call.
pub(super) const FORBIDDEN_MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

/// The only folder that may ever hold `unsafe`: sockets. It does so in one file, the injector of benches.
pub(super) const UNSAFE_HOME: &str = "crates/cli/src/sockets/";

/// No file of code or prose may be longer, in lines.
pub(super) const LONGEST_FILE: usize = 1_500;

/// Folders whose files are data: neither their length nor their words are checked.
pub(super) const DATA_FOLDERS: &[&str] = &["data/", "fixtures/", "fuzz/corpus/", "vectors/", "docs/schema/"];

/// Names that say nothing about what a module does.
pub(super) const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "misc"];
