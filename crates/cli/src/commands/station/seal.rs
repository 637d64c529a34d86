//! `tallyproof station seal`: from a count to a sealed record in the queue.

use std::fmt;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, bail, ensure};
use schemars::JsonSchema;
use serde::Serialize;
use tallyproof_record::cose;
use tallyproof_record::definition::results::Figures;
use tallyproof_record::definition::{Committed, Contest, Figure, Station};
use tallyproof_record::rules::{self, Finding, Severity};
use tallyproof_record::{ContestNo, Tally};
use tallyproof_site::messages::{Lang, Messages, Text};

use crate::pack::Pack;
use crate::station::figures;
use crate::station::form::{Form, findings_text};
use crate::station::queue::Queue;
use crate::{Exit, Printer, Report, package};

/// Arguments of `tallyproof station seal`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  \
    tallyproof station seal --pack station-17.toml --election published --queue queue \\\n    \
    --figures count.csv\n\n\
    count.csv has the columns `figure,count`, one row for each ballot line and for @blank, @null, @voters, @registered, \
    @total where the paper states them. JSON ({\"A\": 120, \"@blank\": 3}) and results.csv of a package are read too. \
    Without --figures the figures are asked for one by one.\n\n\
    Ends with 1, and seals nothing, if the record fails a rule that would keep it from being counted; --force seals it.")]
pub(super) struct Args {
    /// The station's pack
    #[arg(long, value_name = "FILE")]
    pack: PathBuf,
    /// Folder of the published election package
    #[arg(long, value_name = "DIR")]
    election: PathBuf,
    /// Folder of sealed records; made if it is not there
    #[arg(long, value_name = "DIR")]
    queue: PathBuf,
    /// Contest to seal, if the station votes in several
    #[arg(long, value_name = "ID")]
    contest: Option<String>,
    /// File with the count; asked for on the terminal if left out
    #[arg(long, value_name = "FILE")]
    figures: Option<PathBuf>,
    /// Seal in spite of rules that the record fails
    #[arg(long)]
    force: bool,
    /// The pack was made anew (`election repack`): its key is not the register's, and the log has to enrol it
    #[arg(long)]
    repacked: bool,
    /// Language of the form: en, es or pt
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = parse_lang)]
    lang: Lang,
}

fn parse_lang(tag: &str) -> Result<Lang, String> {
    Lang::from_tag(tag).ok_or_else(|| "choose en, es or pt".to_owned())
}

/// Result of `tallyproof station seal`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct SealReport {
    /// Whether the record is in the queue.
    sealed: bool,
    /// Whether it was there before, with the same figures.
    already: bool,
    station: String,
    contest: String,
    /// File of the sealed record; null if nothing was sealed.
    file: Option<String>,
    /// SHA-256 of the sealed record; null if nothing was sealed.
    digest: Option<String>,
    /// Rules that the record fails.
    findings: Vec<FindingRow>,
    #[serde(skip)]
    text: String,
}

/// A rule that the record fails.
#[derive(Debug, Serialize, JsonSchema)]
struct FindingRow {
    /// The rule's code.
    code: &'static str,
    /// `warn`, `quarantine` or `reject`.
    severity: &'static str,
    /// The figure or field.
    field: &'static str,
    detail: String,
    /// What to do.
    remedy: &'static str,
}

impl From<&Finding> for FindingRow {
    fn from(finding: &Finding) -> Self {
        Self {
            code: finding.rule.code(),
            severity: finding.severity.as_str(),
            field: finding.field,
            detail: finding.detail.clone(),
            remedy: finding.rule.rule().remedy,
        }
    }
}

impl Report for SealReport {
    fn write_text(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "{}", self.text)
    }
}

/// The station, its contest and the words to speak about them.
struct Desk<'a> {
    committed: &'a Committed,
    pack: &'a Pack,
    number: ContestNo,
    contest: &'a Contest,
    station: &'a Station,
    messages: Messages,
}

pub(super) fn run(args: &Args, printer: &mut Printer) -> anyhow::Result<Exit> {
    let pack = Pack::read(&args.pack)?;
    let committed = package::load(&args.election)?.election.commit();
    let station = own_station(&committed, &pack, args.repacked)?;
    let (number, contest) = choose_contest(&committed, station, args.contest.as_deref())?;
    let messages = Messages::new(args.lang);
    let desk = Desk { committed: &committed, pack: &pack, number, contest, station, messages };
    let queue = Queue::create(&args.queue)?;
    let tally = desk.tally(desk.figures(args)?)?;
    let findings = rules::check(&committed, &tally);
    let report = desk.seal(args, &queue, &tally, &findings)?;
    printer.report(&report);
    Ok(Exit::from_holds(report.sealed))
}

/// The pack has to belong to this very package: a record that names another definition is rejected by everybody.
fn own_station<'c>(committed: &'c Committed, pack: &Pack, repacked: bool) -> anyhow::Result<&'c Station> {
    ensure!(
        *committed.hash() == pack.election,
        "the pack is for election {}, the package is {}; use the package that was published with the pack",
        pack.election,
        committed.hash()
    );
    let station = committed.election().station(pack.number);
    let station = station.ok_or_else(|| anyhow!("station number {} is not in the register", pack.number))?;
    let own_key = pack.signing_key.verifying_key();
    ensure!(
        station.id == pack.station,
        "the register has another id for station number {}: {}",
        pack.number,
        station.id
    );
    ensure!(
        repacked || station.key.as_ref().is_some_and(|key| *key.verifying() == own_key),
        "the register has another key for station {}: use the pack that was published with it, or give --repacked if the pack was made \
         anew with `election repack` and the authority has enrolled its key",
        station.id
    );
    Ok(station)
}

fn choose_contest<'c>(
    committed: &'c Committed,
    station: &Station,
    wanted: Option<&str>,
) -> anyhow::Result<(ContestNo, &'c Contest)> {
    let election = committed.election();
    let held: Vec<_> = election.numbered_contests().filter(|(_, contest)| election.holds(station, contest)).collect();
    let ids = || held.iter().map(|(_, contest)| contest.id.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, held.as_slice()) {
        (None, [only]) => Ok(*only),
        (None, []) => bail!("station {} votes in no contest", station.id),
        (None, _) => bail!("station {} votes in several contests; choose one with --contest: {}", station.id, ids()),
        (Some(id), _) => {
            held.iter().find(|(_, contest)| contest.id == id).copied().ok_or_else(|| {
                anyhow!("station {} does not vote in contest `{id}`; it votes in: {}", station.id, ids())
            })
        }
    }
}

impl Desk<'_> {
    fn figures(&self, args: &Args) -> anyhow::Result<Figures> {
        match &args.figures {
            Some(path) => figures::read(path, self.committed.election(), self.pack.number, self.number),
            None if io::stdin().is_terminal() => {
                Ok(Form::new(&mut io::stdin().lock(), &mut io::stderr(), &self.messages)
                    .fill(self.station, self.contest)?)
            }
            None => bail!("no figures: name a file with --figures, or run the command on a terminal"),
        }
    }

    fn tally(&self, figures: Figures) -> anyhow::Result<Tally> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is set before 1970")?;
        let mut tally = Tally::new(
            *self.committed.hash(),
            self.committed.election().phase(),
            self.pack.number,
            self.number,
            now.as_secs(),
            figures.counts,
        );
        for (figure, count) in figures.stated {
            tally.set_figure(figure, Some(count));
        }
        Ok(tally)
    }

    fn seal(&self, args: &Args, queue: &Queue, tally: &Tally, findings: &[Finding]) -> anyhow::Result<SealReport> {
        if let Some(before) = queue.find(tally.station, tally.contest)? {
            ensure!(
                Tally { sealed_at: tally.sealed_at, ..before.tally.clone() } == *tally,
                "{} is sealed with other figures; a sealed record cannot be changed, only corrected by the authority",
                before.path.display()
            );
            return Ok(self.sealed(&before.record, &before.path, findings, true));
        }
        if !self.may_seal(args, tally, findings)? {
            return Ok(self.not_sealed(findings));
        }
        let record = cose::seal(tally, &self.pack.signing_key);
        let path = queue.store(&record, tally).context("the sealed record cannot be put into the queue")?;
        Ok(self.sealed(&record, &path, findings, false))
    }

    /// With a file, the rules decide. At the form, the officer does: the paper may say what the rules doubt.
    fn may_seal(&self, args: &Args, tally: &Tally, findings: &[Finding]) -> anyhow::Result<bool> {
        let worst = rules::worst(findings);
        if args.figures.is_some() {
            return Ok(args.force || worst.is_none_or(|worst| worst == Severity::Warn));
        }
        let (mut input, mut output) = (io::stdin().lock(), io::stderr());
        let mut form = Form::new(&mut input, &mut output, &self.messages);
        form.summary(self.contest, &figures_of(tally), findings)?;
        Ok((args.force || worst != Some(Severity::Reject)) && form.confirm()?)
    }

    fn sealed(
        &self,
        record: &cose::SealedRecord,
        path: &std::path::Path,
        findings: &[Finding],
        already: bool,
    ) -> SealReport {
        let file = path.display().to_string();
        let text = self.messages.with(Text::FormSealed, &[("file", file.as_str().into())]);
        SealReport {
            sealed: true,
            already,
            digest: Some(hex::encode(record.digest())),
            file: Some(file),
            ..self.report(findings, &text)
        }
    }

    fn not_sealed(&self, findings: &[Finding]) -> SealReport {
        self.report(findings, &self.messages.text(Text::FormNotSealed))
    }

    fn report(&self, findings: &[Finding], last_line: &str) -> SealReport {
        SealReport {
            sealed: false,
            already: false,
            station: self.station.id.clone(),
            contest: self.contest.id.clone(),
            file: None,
            digest: None,
            findings: findings.iter().map(FindingRow::from).collect(),
            text: format!("{}\n{last_line}", findings_text(&self.messages, findings)),
        }
    }
}

fn figures_of(tally: &Tally) -> Figures {
    let stated = Figure::ALL.into_iter().filter_map(|figure| Some((figure, tally.figure(figure)?)));
    Figures { counts: tally.counts.clone(), stated: stated.collect() }
}
