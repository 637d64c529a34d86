//! `tallyproof bulletin check`: whether a file is a bulletin of a bundle, and what differs if not.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tallyproof_centre::intake::is_statement;
use tallyproof_count::bulletin::{Contradiction, Form, first_difference, recompute};
use tallyproof_count::bundle::BulletinFile;
use tallyproof_count::check::Check;
use tallyproof_count::statements::IssuedBulletin;
use tallyproof_count::verify::check_checkpoint;
use tallyproof_count::{Judged, Ledger, Source, Verification, judge_statement};
use tallyproof_log::note::VerifierKey;
use tallyproof_log::tree::Tree;
use tallyproof_record::Problem;
use tallyproof_record::statement::{Act, Draft, Signed, Statement};

use crate::bulletin::Rendered;
use crate::commands::verify::read_trust;
use crate::package::ProblemRow;
use crate::statement::signatures::needed;
use crate::{Exit, Printer, Report, bundle_source, files};

const FILE_LIMIT: u64 = 1 << 29;

/// Arguments of `tallyproof bulletin check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  tallyproof bulletin check bulletin.pdf https://results.example/2026 --trust trust.toml\n  \
    tallyproof bulletin check bulletin.json bundles/example\n\n\
    FILE is a bulletin's JSON, CSV, page or PDF, the checkpoint beside it, or its statement, drafted or signed. The bundle is verified in \
    full, the bulletin is computed from its log and compared byte for byte. What differs is named: contest, area, figure, what the file \
    states and what the log gives.\n\nEnds with 0 if all holds, 1 if something does not, 2 if nothing could be checked."
)]
pub(super) struct Args {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder or URL of the bundle
    #[arg(value_name = "BUNDLE")]
    bundle: String,
    /// File with the definition hash, the log's key and a policy if you have one, from outside the bundle
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Which bulletin the file is of, where the file does not say [default: the one that it is most like]
    #[arg(long, value_name = "N")]
    number: Option<u32>,
}

/// Result of `tallyproof bulletin check`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CheckReport {
    /// Whether the file is the bulletin's, and the bundle holds.
    ok: bool,
    /// Whether the bundle is that of the trust file.
    anchored: bool,
    /// What the file is: `json`, `csv`, `html`, `pdf`, `checkpoint` or `statement`.
    kind: &'static str,
    /// The bulletin that it was compared with; null if there is none.
    number: Option<u32>,
    /// Everything that does not hold, of the file first, then of the bundle.
    problems: Vec<ProblemRow>,
    /// What does not hold yet in a log that is not finished.
    warnings: Vec<ProblemRow>,
    /// What was shown of the bundle and what was not.
    statement: String,
}

impl Report for CheckReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(out, "{problem}"))?;
        self.warnings.iter().try_for_each(|warning| writeln!(out, "warning: {warning}"))?;
        match (self.ok, self.number) {
            (true, Some(number)) => {
                writeln!(out, "the file is that of bulletin {number}, byte for byte ({})", self.kind)?;
            }
            _ => writeln!(out, "problems: {}", self.problems.len())?,
        }
        writeln!(out, "\n{}", self.statement)
    }
}

/// What a file is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Document(Form),
    Page,
    Pdf,
    Checkpoint,
    Statement,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Document(Form::Json) => "json",
            Self::Document(Form::Csv) => "csv",
            Self::Page => "html",
            Self::Pdf => "pdf",
            Self::Checkpoint => "checkpoint",
            Self::Statement => "statement",
        }
    }

    /// By the file's name, or else by how it begins.
    fn of(path: &Path, bytes: &[u8]) -> Option<Self> {
        if path.file_name().is_some_and(|name| name == BulletinFile::Checkpoint.name()) {
            return Some(Self::Checkpoint);
        }
        let named = match path.extension().and_then(|it| it.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Self::Document(Form::Json),
            Some("csv") => Self::Document(Form::Csv),
            Some("html" | "htm") => Self::Page,
            Some("pdf") => Self::Pdf,
            Some("statement" | "draft") => Self::Statement,
            _ if is_statement(bytes) || Draft::open(bytes).is_ok() => Self::Statement,
            _ if bytes.starts_with(b"%PDF") => Self::Pdf,
            _ if bytes.starts_with(b"{") => Self::Document(Form::Json),
            _ if bytes.starts_with(b"contest,") => Self::Document(Form::Csv),
            _ if bytes.starts_with(b"<") => Self::Page,
            _ => return None,
        };
        Some(named)
    }

    /// The files of a bulletin that it can be.
    fn files(self) -> &'static [BulletinFile] {
        match self {
            Self::Document(Form::Json) => &[BulletinFile::Json],
            Self::Document(Form::Csv) => &[BulletinFile::Csv],
            Self::Page => &[BulletinFile::Html],
            Self::Pdf => &[BulletinFile::Pdf, BulletinFile::PdfEs, BulletinFile::PdfPt],
            Self::Checkpoint | Self::Statement => &[],
        }
    }
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let shown = args.file.display().to_string();
    let bytes = files::read(&args.file, FILE_LIMIT)?;
    let kind = Kind::of(&args.file, &bytes).with_context(|| {
        format!("{shown} is none of a bulletin's files: .json, .csv, .html, .pdf, checkpoint or statement")
    })?;
    let trust = args.trust.as_deref().map(read_trust).transpose()?;
    let source = bundle_source::open(&args.bundle)?;
    let found = tallyproof_count::verify(source.as_ref(), trust.as_ref(), &|_, _| ())?;
    let Verification { ledger: Some(ledger), tree: Some(tree), log: Some(log), .. } = &found else {
        bail!("the bundle {} cannot be counted: {}", args.bundle, found.statement);
    };
    let world = World { source: source.as_ref(), found: &found, ledger, tree, log, place: &shown };
    let number = args.number.or_else(|| named_number(&args.file, kind, &bytes));
    let (number, problems) = match kind {
        Kind::Statement => world.check_statement(&bytes)?,
        Kind::Checkpoint => world.check_checkpoint(bytes, number),
        _ => world.check_file(kind, &bytes, number)?,
    };
    let problems: Vec<ProblemRow> = problems.iter().chain(&found.problems).map(ProblemRow::from).collect();
    let ok = problems.is_empty();
    printer.report(&CheckReport {
        ok,
        anchored: found.anchored,
        kind: kind.as_str(),
        number,
        problems,
        warnings: found.warnings.iter().map(ProblemRow::from).collect(),
        statement: found.statement.clone(),
    });
    Ok(Exit::from_holds(ok))
}

/// The number that a file states of itself, or that of its folder in a bundle.
fn named_number(path: &Path, kind: Kind, bytes: &[u8]) -> Option<u32> {
    let stated = match kind {
        Kind::Document(Form::Json) => {
            let document: Option<Value> = serde_json::from_slice(bytes).ok();
            document.and_then(|document| document.get("number")?.as_u64()?.try_into().ok())
        }
        Kind::Document(Form::Csv) => {
            let text = String::from_utf8_lossy(bytes);
            let mut lines = text.lines().take(16).filter_map(|line| line.strip_prefix(",,,bulletin,number,"));
            lines.next().and_then(|rest| rest.split(',').next()?.parse().ok())
        }
        _ => None,
    };
    stated.or_else(|| path.canonicalize().ok()?.parent()?.file_name()?.to_str()?.parse().ok())
}

/// A bundle that was verified, and the file's name.
struct World<'a> {
    source: &'a dyn Source,
    found: &'a Verification,
    ledger: &'a Ledger,
    tree: &'a Tree,
    log: &'a VerifierKey,
    place: &'a str,
}

/// How a bulletin's own file compares.
struct Candidate {
    number: u32,
    /// Leading bytes that are the same.
    same: usize,
    /// What differs; nothing if they are equal.
    what: Option<String>,
}

type Checked = (Option<u32>, Vec<Problem>);

impl World<'_> {
    fn none_in_effect(&self, check: Check, number: Option<u32>) -> Checked {
        let numbers: Vec<String> = self.ledger.bulletins().iter().map(|it| it.stated.number.to_string()).collect();
        let there_are = if numbers.is_empty() { "none".to_owned() } else { numbers.join(", ") };
        let which = number.map_or_else(String::new, |number| format!(" {number}"));
        let what = format!("the log has no such bulletin{which} in effect; it has: {there_are}");
        (None, vec![check.problem(self.place, what)])
    }

    /// Compares with the bulletin of this number, or else with every one: the one that it is most like counts.
    fn check_file(&self, kind: Kind, bytes: &[u8], number: Option<u32>) -> anyhow::Result<Checked> {
        let known = |number: &u32| self.ledger.bulletins().iter().any(|it| it.stated.number == *number);
        let number = number.filter(known);
        let wanted: Vec<IssuedBulletin> = self
            .ledger
            .bulletins()
            .iter()
            .filter(|it| number.is_none_or(|number| it.stated.number == number))
            .copied()
            .collect();
        let mut candidates: Vec<anyhow::Result<Vec<Candidate>>> = Vec::new();
        recompute(self.ledger, self.tree, &wanted, |_, document| {
            let rendered = Rendered::of(document, self.log);
            candidates.push(rendered.map(|rendered| compare(&rendered, kind, bytes)));
        });
        let candidates: Vec<Candidate> =
            candidates.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect();
        let best = candidates.into_iter().max_by_key(|it| (it.what.is_none(), it.same));
        let Some(best) = best else { return Ok(self.none_in_effect(Check::BulletinFile, number)) };
        let problem =
            |what: String| Check::BulletinFile.problem(self.place, format!("bulletin {}: {what}", best.number));
        Ok((Some(best.number), best.what.clone().map(problem).into_iter().collect()))
    }

    fn check_checkpoint(&self, bytes: Vec<u8>, number: Option<u32>) -> Checked {
        let bulletins = self.ledger.bulletins();
        let wanted = bulletins.iter().find(|it| number == Some(it.stated.number));
        // A checkpoint alone does not say which bulletin it stands beside: it has to do for the last.
        let Some(issued) = wanted.or(bulletins.last()) else {
            return self.none_in_effect(Check::BulletinCheckpoint, number);
        };
        let number = Some(issued.stated.number);
        (number, check_checkpoint(self.source, self.found, bytes, issued.stated.tree_size, self.place))
    }

    fn check_statement(&self, bytes: &[u8]) -> anyhow::Result<Checked> {
        if let Ok(draft) = Draft::open(bytes) {
            return Ok(self.check_stated(draft.statement()));
        }
        let signed = match Signed::open(bytes) {
            Ok(signed) => signed,
            Err(error) => return Ok((None, vec![Check::StatementForm.problem(self.place, error.to_string())])),
        };
        let (number, mut problems) = self.check_stated(signed.statement());
        let definition = self.ledger.definition();
        match judge_statement(definition, bytes) {
            Judged::Statement(judged) => {
                let (signers, needed) =
                    (self.ledger.keyring().signers(&judged).len(), needed(definition, signed.statement().kind())?);
                if signers < needed {
                    let what = format!("{signers} members of the authority have signed this copy, {needed} have to");
                    problems.push(Check::StatementSignature.problem(self.place, what));
                }
            }
            Judged::Invalid { code, what } => problems.push(Problem::new(code, self.place, what)),
            _ => bail!("{} is not a statement", self.place),
        }
        let logged = self.ledger.bulletins().iter().any(|it| it.id == signed.id());
        if !logged && problems.is_empty() {
            problems.push(Check::Bulletin.problem(self.place, "the log has no bulletin in effect with this identity"));
        }
        Ok((number, problems))
    }

    /// What a statement says of the log.
    fn check_stated(&self, statement: &Statement) -> Checked {
        let Act::Bulletin(stated) = statement.act else {
            return (None, vec![Check::Bulletin.problem(self.place, "it is a statement, but no bulletin")]);
        };
        let mut wrong = Vec::new();
        let definition = self.ledger.definition();
        if statement.election != *definition.hash() || statement.phase != definition.election().phase() {
            let (of, hash) = (statement.election, definition.hash());
            wrong.push(format!("it is of the definition {of} ({}), the bundle of {hash}", statement.phase));
        } else {
            let (number, size) = (stated.number, stated.tree_size);
            match crate::bulletin::given(self.ledger, self.tree, number, size, statement.made_at) {
                None => wrong.push(format!("it is of {size} entries, the log has {}", self.ledger.entries())),
                Some(given) => {
                    let contradictions = Contradiction::between(&given.stated, &stated);
                    wrong.extend(contradictions.iter().map(|what| format!("bulletin {number}: {what}")));
                }
            }
        }
        let problems = wrong.into_iter().map(|what| Check::Bulletin.problem(self.place, what));
        (Some(stated.number), problems.collect())
    }
}

fn compare(rendered: &Rendered, kind: Kind, bytes: &[u8]) -> Vec<Candidate> {
    let files = kind.files().iter().filter_map(|file| rendered.files.get(file));
    let compared = files.map(|expected| {
        let same = expected.iter().zip(bytes).take_while(|(expected, found)| expected == found).count();
        let what = match kind {
            _ if expected == bytes => None,
            Kind::Document(form) => first_difference(form, bytes, expected),
            _ => Some(format!("first different in byte {} of {}", same + 1, expected.len())),
        };
        Candidate { number: rendered.stated.number, same, what }
    });
    compared.collect()
}
