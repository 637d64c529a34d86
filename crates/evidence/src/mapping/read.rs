//! From TOML to a checked [`Mapping`].

use std::collections::BTreeMap;

use tallyproof_record::Problem;
use tallyproof_record::definition::Figure;
use tallyproof_record::rules;
use toml::de::DeValue;

use super::section::{Document, Section, nearest};
use super::{
    AreaSpec, Condition, ContestSpec, ElectionSpec, FigureSpec, Filter, FixedColumn, InputSpec, KeySpec, LineSpec,
    Located, LongSpec, Mapping, RangeSpec, RootSpec, RuleSpec, StationSpec, Test, WideSpec,
};
use crate::import::id_fault;
use crate::number::{MISSING, Numbers};
use crate::report::{BAD_VALUE, KEY_MISSING};

/// Default of `input.max_bytes`.
const MAX_BYTES: u64 = 2 << 30;

pub(super) fn mapping(text: &str, file: &str) -> Result<Mapping, Vec<Problem>> {
    let doc = Document::new(file, text.strip_prefix('\u{feff}').unwrap_or(text));
    let table = doc.parse();
    let top = Section::new(&doc, "", table.get_ref(), 0);
    let mapping = read_top(&top, file);
    top.finish();
    let problems = doc.into_problems();
    match mapping {
        Some(mapping) if problems.is_empty() => Ok(mapping),
        _ => Err(problems),
    }
}

/// `None` only where a problem has been reported.
fn read_top(top: &Section<'_, '_>, file: &str) -> Option<Mapping> {
    let election = required_section(top, "election", "election").map(election);
    let station = required_section(top, "station", "station").map(station);
    let long = top.section("long", "long").map(long);
    let contest_key = top.section("contests", "contests").map(|section| {
        let spec = key_spec(&section, "key", "-");
        if spec.is_none() {
            section.missing("key");
        }
        section.finish();
        spec
    });
    let mut filters = filters(top, "keep", true);
    filters.extend(self::filters(top, "skip", false));
    let wide = wide(top, long.is_some());
    let contests =
        top.sections("contest", "contest").into_iter().map(|section| contest(section, long.is_some())).collect();
    let input = top.section("input", "input").map_or_else(default_input, input);
    let numbers = top.section("numbers", "numbers").map_or_else(Numbers::default, numbers);
    let figures = top.section("figures", "figures").map(figures).unwrap_or_default();
    let areas = top.sections("area", "area").into_iter().map(area).collect();
    let root = top.section("root", "root");
    let rules = rules(top);
    let election = election?;
    let root = root_spec(root, &election);
    let mapping = Mapping {
        file: file.to_owned(),
        election,
        input,
        filters,
        numbers,
        station: station??,
        root,
        areas,
        contest_key: contest_key.flatten(),
        contests,
        wide,
        long,
        figures,
        rules,
    };
    check(top, &mapping);
    Some(mapping)
}

/// What no single table can know.
fn check(top: &Section<'_, '_>, mapping: &Mapping) {
    let has_lines = !mapping.wide.is_empty()
        || (!mapping.contests.is_empty() && mapping.contests.iter().all(|contest| !contest.wide.is_empty()));
    if mapping.long.is_none() && !has_lines {
        let what = "no ballot lines: add [[line]] or [lines] for a table with a column per ballot line, or [long] for a table with a row per ballot line";
        top.problem(KEY_MISSING, what);
    }
    if mapping.long.is_some() && mapping.contests.iter().any(|contest| contest.figures.is_some()) {
        top.problem(
            KEY_MISSING,
            "[contest.figures] is for wide tables; a long table has one [figures] and [long.figures]",
        );
    }
    let mut ids = std::collections::BTreeSet::new();
    for contest in &mapping.contests {
        if !ids.insert(&contest.id) {
            top.problem(BAD_VALUE, format!("two [[contest]] have the id `{}`", contest.id));
        }
    }
}

fn required_section<'d, 't>(top: &Section<'d, 't>, key: &'static str, path: &str) -> Option<Section<'d, 't>> {
    if top.get(key).is_none() {
        top.missing(key);
    }
    top.section(key, path)
}

fn text(located: Option<Located>) -> Option<String> {
    located.map(|located| located.text)
}

fn texts(located: Vec<Located>) -> Vec<String> {
    located.into_iter().map(|located| located.text).collect()
}

fn size(number: Option<u64>) -> Option<usize> {
    number.map(|n| usize::try_from(n).unwrap_or(usize::MAX))
}

/// An optional id, reported where it cannot be one.
fn id(section: &Section<'_, '_>, key: &'static str) -> Option<String> {
    let id = section.string(key)?.text;
    if let Some(fault) = id_fault(&id) {
        section.value_problem(key, &format!("cannot be an id: {fault}"));
    }
    Some(id)
}

fn required_id(section: &Section<'_, '_>, key: &'static str) -> String {
    if section.get(key).is_none() {
        section.missing(key);
    }
    id(section, key).unwrap_or_default()
}

fn election(section: Section<'_, '_>) -> ElectionSpec {
    let date = section.required("date").text;
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    if !date.is_empty() && shape != "0000-00-00" {
        section.value_problem("date", "must be a day as text, such as \"2026-07-01\"");
    }
    let phase = text(section.string("phase")).unwrap_or_else(|| "drill".into());
    if !matches!(phase.as_str(), "drill" | "official") {
        section.value_problem("phase", "must be `drill` or `official`");
    }
    let spec = ElectionSpec {
        id: required_id(&section, "id"),
        name: section.required("name").text,
        date,
        phase,
        polls_close: text(section.string("polls_close")),
        source: text(section.string("source")),
        place: section.doc.place(section.start()),
    };
    section.finish();
    spec
}

fn default_input() -> InputSpec {
    InputSpec {
        delimiter: None,
        quote: Some(b'"'),
        encoding: None,
        skip_lines: 0,
        header_rows: 1,
        header_separator: " ".into(),
        header_fill: false,
        comment: None,
        fields: None,
        transpose: false,
        member: None,
        max_bytes: MAX_BYTES,
        fixed: Vec::new(),
    }
}

fn input(section: Section<'_, '_>) -> InputSpec {
    let fixed: Vec<_> = section.sections("column", "input.column").into_iter().map(fixed_column).collect();
    let default = default_input();
    let header_rows = usize::from(fixed.is_empty());
    let spec = InputSpec {
        delimiter: delimiter(&section),
        quote: quote(&section),
        encoding: encoding(&section),
        skip_lines: size(section.number("skip_lines")).unwrap_or(0),
        header_rows: size(section.number("header_rows")).unwrap_or(header_rows),
        header_separator: text(section.string("header_separator")).unwrap_or(default.header_separator),
        header_fill: section.flag("header_fill").unwrap_or(false),
        comment: text(section.string("comment")).filter(|prefix| !prefix.is_empty()),
        fields: size(section.number("fields")),
        transpose: section.flag("transpose").unwrap_or(false),
        member: text(section.string("member")),
        max_bytes: section.number("max_bytes").unwrap_or(MAX_BYTES),
        fixed,
    };
    if spec.header_rows > 64 {
        section.value_problem("header_rows", "must be 64 or less");
    }
    if !spec.fixed.is_empty() && (spec.header_rows > 0 || spec.transpose) {
        section.problem(
            KEY_MISSING,
            "columns of fixed width have no header rows and are not transposed: use `skip_lines`",
        );
    }
    section.finish();
    spec
}

fn fixed_column(section: Section<'_, '_>) -> FixedColumn {
    for key in ["start", "len"] {
        match section.number(key) {
            None if section.get(key).is_none() => section.missing(key),
            Some(0) => section.value_problem(key, "must be 1 or more"),
            _ => {}
        }
    }
    let column = FixedColumn {
        name: section.required("name").text,
        start: size(section.number("start")).unwrap_or(1).saturating_sub(1),
        len: size(section.number("len")).unwrap_or(1),
    };
    section.finish();
    column
}

fn delimiter(section: &Section<'_, '_>) -> Option<u8> {
    match section.string("delimiter")?.text.as_str() {
        "auto" => None,
        "," => Some(b','),
        ";" => Some(b';'),
        "tab" | "\t" => Some(b'\t'),
        "|" => Some(b'|'),
        _ => {
            section.value_problem("delimiter", "must be one of `,` `;` `tab` `|` `auto`");
            None
        }
    }
}

fn quote(section: &Section<'_, '_>) -> Option<u8> {
    match section.string("quote") {
        None => Some(b'"'),
        Some(none) if none.text == "none" => None,
        Some(_) => match section.character("quote") {
            Some(c) if c.is_ascii() => u8::try_from(c).ok(),
            Some(_) => {
                section.value_problem("quote", "must be an ASCII character, or `none`");
                None
            }
            None => None,
        },
    }
}

fn encoding(section: &Section<'_, '_>) -> Option<&'static encoding_rs::Encoding> {
    let label = section.string("encoding").filter(|label| label.text != "auto")?;
    let encoding = encoding_rs::Encoding::for_label(label.text.as_bytes());
    if encoding.is_none() {
        section.value_problem("encoding", "is not known; use a name of the WHATWG list, such as utf-8, windows-1252, iso-8859-2, windows-1251, utf-16le");
    }
    encoding
}

fn filters(top: &Section<'_, '_>, key: &'static str, keep: bool) -> Vec<Filter> {
    let sections = top.sections(key, "condition").into_iter();
    sections.filter_map(condition).map(|condition| Filter { keep, condition }).collect()
}

fn condition(section: Section<'_, '_>) -> Option<Condition> {
    let column = section.required("column");
    let mut tests = Vec::new();
    if section.get("equals").is_some() {
        tests.push(Test::OneOf(trimmed(section.strings("equals"))));
    }
    if section.get("not").is_some() {
        tests.push(Test::NoneOf(trimmed(section.strings("not"))));
    }
    if section.get("glob").is_some() {
        tests.push(Test::Glob(texts(section.strings("glob"))));
    }
    if let Some(empty) = section.flag("empty") {
        tests.push(Test::Empty(empty));
    }
    if tests.len() != 1 {
        section.problem(KEY_MISSING, "a condition has exactly one of `equals`, `not`, `glob`, `empty`");
    }
    section.finish();
    tests.pop().map(|test| Condition { column, test })
}

fn trimmed(located: Vec<Located>) -> Vec<String> {
    located.into_iter().map(|located| located.text.trim().to_owned()).collect()
}

fn numbers(section: Section<'_, '_>) -> Numbers {
    let numbers = Numbers {
        decimal: section.character("decimal").unwrap_or('.'),
        thousands: section.character("thousands"),
        missing: match section.get("missing") {
            Some(_) => trimmed(section.strings("missing")),
            None => MISSING.map(String::from).to_vec(),
        },
    };
    if numbers.thousands == Some(numbers.decimal) {
        section
            .value_problem("thousands", "must differ from `decimal`; set both: decimal = \",\" with thousands = \".\"");
    }
    for key in ["decimal", "thousands"] {
        if section.character(key).is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '\u{2212}')) {
            section.value_problem(key, "cannot be a letter, a digit or a minus sign");
        }
    }
    section.finish();
    numbers
}

fn station(section: Section<'_, '_>) -> Option<StationSpec> {
    let key = key_spec(&section, "key", "-");
    if section.get("key").is_none() {
        section.missing("key");
    }
    let name = key_spec(&section, "name", " ");
    let registered = section.strings("registered");
    let special = section.section("special", "condition").and_then(condition);
    section.finish();
    Some(StationSpec { key: key?, name, registered, special })
}

/// A column, a list of columns, or a table that says how to join them.
fn key_spec(section: &Section<'_, '_>, key: &'static str, separator: &str) -> Option<KeySpec> {
    let value = section.get(key)?;
    let mut spec = KeySpec {
        columns: Vec::new(),
        separator: separator.to_owned(),
        pad: Vec::new(),
        trim: true,
        strip_suffix: None,
    };
    if !matches!(value.get_ref(), DeValue::Table(_)) {
        spec.columns = section.strings(key);
        return (!spec.columns.is_empty()).then_some(spec);
    }
    let table = section.section(key, "key")?;
    spec.columns = table.strings("columns");
    if table.get("columns").is_none() {
        table.missing("columns");
    }
    if let Some(separator) = text(table.string("separator")) {
        spec.separator = separator;
    }
    spec.pad = table.numbers("pad").into_iter().map(|width| size(Some(width)).unwrap_or(0)).collect();
    if spec.pad.len() > 1 && spec.pad.len() != spec.columns.len() {
        table.value_problem("pad", "must be one number, or one per column");
    }
    if spec.pad.iter().any(|width| *width > 64) {
        table.value_problem("pad", "must be 64 or less");
    }
    spec.trim = table.flag("trim").unwrap_or(true);
    spec.strip_suffix = text(table.string("strip_suffix")).filter(|suffix| !suffix.is_empty());
    table.finish();
    (!spec.columns.is_empty()).then_some(spec)
}

fn root_spec(section: Option<Section<'_, '_>>, election: &ElectionSpec) -> RootSpec {
    let mut root = RootSpec { id: election.id.clone(), name: election.name.clone(), kind: String::new() };
    let Some(section) = section else { return root };
    if let Some(id) = id(&section, "id") {
        root.id = id;
    }
    if let Some(name) = text(section.string("name")) {
        root.name = name;
    }
    root.kind = text(section.string("kind")).unwrap_or_default();
    section.finish();
    root
}

fn area(section: Section<'_, '_>) -> AreaSpec {
    let area = AreaSpec {
        column: section.required("column"),
        code: section.string("code"),
        name: text(section.string("name")),
        kind: text(section.string("kind")).unwrap_or_default(),
    };
    if area.name.as_ref().is_some_and(|name| !name.contains("{}")) {
        section.value_problem("name", "must hold `{}`, which stands for the cell: \"District {}\"");
    }
    section.finish();
    area
}

fn contest(section: Section<'_, '_>, long: bool) -> ContestSpec {
    let id = required_id(&section, "id");
    let mut values = trimmed(section.strings("match"));
    if section.get("match").is_none() {
        values.push(id.clone());
    }
    let contest = ContestSpec {
        name: text(section.string("name")).unwrap_or_else(|| id.clone()),
        area: section.string("area"),
        values,
        wide: wide(&section, long),
        figures: section.section("figures", "figures").map(figures),
        id,
    };
    section.finish();
    contest
}

/// `line` and `lines` of the top or of a contest.
fn wide(section: &Section<'_, '_>, long: bool) -> WideSpec {
    let lines = section.sections("line", "line").into_iter().map(|line| self::line(line, long)).collect();
    let range = section.section("lines", "lines");
    if let (Some(range), true) = (&range, long) {
        range.problem(
            KEY_MISSING,
            "[lines] is for wide tables; in a long table the lines come from the candidate column",
        );
    }
    WideSpec { range: range.map(self::range), lines }
}

fn range(section: Section<'_, '_>) -> RangeSpec {
    let (from, to) = (section.string("from"), section.string("to"));
    if from.is_some() != to.is_some() {
        section.problem(KEY_MISSING, "`from` and `to` go together");
    }
    let range =
        RangeSpec { columns: section.strings("columns"), ends: from.zip(to), except: texts(section.strings("except")) };
    if range.columns.is_empty() && range.ends.is_none() {
        section.problem(KEY_MISSING, "name the ballot lines by `columns`, or by `from` and `to`");
    }
    section.finish();
    range
}

fn line(section: Section<'_, '_>, long: bool) -> LineSpec {
    let mut columns = section.strings("add");
    columns.extend(section.string("column"));
    let line = LineSpec {
        values: trimmed(section.strings("match")),
        id: id(&section, "id"),
        name: text(section.string("name")),
        candidate: id(&section, "candidate"),
        candidate_name: text(section.string("candidate_name")),
        party: id(&section, "party"),
        party_name: text(section.string("party_name")),
        columns,
    };
    let both = section.get("add").is_some() && section.get("column").is_some();
    if long && (line.values.is_empty() || !line.columns.is_empty()) {
        section.problem(
            KEY_MISSING,
            "in a long table a [[line]] has `match` (values of the line key) and no `column` or `add`",
        );
    } else if !long && (line.columns.is_empty() || both || !line.values.is_empty()) {
        section.problem(KEY_MISSING, "in a wide table a [[line]] has either `column` or `add`, and no `match`");
    } else if line.id.is_none() && line.columns.len() > 1 {
        section.problem(KEY_MISSING, "a [[line]] with several columns needs an `id`");
    }
    section.finish();
    line
}

fn long(section: Section<'_, '_>) -> LongSpec {
    let (candidate, votes) = (section.required("candidate"), section.required("votes"));
    let spec = LongSpec {
        candidate,
        votes,
        line: key_spec(&section, "line", "-"),
        party: section.string("party"),
        mode: section.string("mode"),
        keep_modes: trimmed(section.strings("keep_modes")),
        skip_modes: trimmed(section.strings("skip_modes")),
        pseudo: section.section("figures", "long.figures").map(pseudo).unwrap_or_default(),
        ignore: texts(section.strings("ignore")),
        absent_is_zero: section.flag("absent_is_zero").unwrap_or(false),
        sum_repeated: section.flag("sum_repeated").unwrap_or(false),
    };
    if spec.mode.is_none() && !(spec.keep_modes.is_empty() && spec.skip_modes.is_empty()) {
        section.problem(KEY_MISSING, "`keep_modes` and `skip_modes` need `mode`, the column that holds the modes");
    }
    section.finish();
    spec
}

fn by_figure(section: &Section<'_, '_>) -> BTreeMap<Figure, Vec<Located>> {
    let read = |figure: Figure| (figure, section.strings(figure.as_str()));
    Figure::ALL.into_iter().map(read).filter(|(_, columns)| !columns.is_empty()).collect()
}

fn pseudo(section: Section<'_, '_>) -> BTreeMap<Figure, Vec<String>> {
    let globs = by_figure(&section).into_iter().map(|(figure, globs)| (figure, texts(globs))).collect();
    section.finish();
    globs
}

fn figures(section: Section<'_, '_>) -> FigureSpec {
    let columns = by_figure(&section);
    let mut optional = Vec::new();
    for word in texts(section.strings("optional")) {
        match word.parse() {
            Ok(figure) => optional.push(figure),
            Err(()) => section.value_problem("optional", "lists figures: blank, null, voters, registered, total"),
        }
    }
    section.finish();
    FigureSpec { columns, optional }
}

/// `[rules.CODE]`, as written.
fn rules(top: &Section<'_, '_>) -> Vec<RuleSpec> {
    let Some(value) = top.get("rules") else { return Vec::new() };
    let Some(table) = value.get_ref().as_table() else {
        top.value_problem("rules", "must be tables: write [rules.AR-01]");
        return Vec::new();
    };
    let mut specs = Vec::new();
    for (code, settings) in table {
        let known = rules::TABLE.iter().map(|rule| rule.code);
        if known.clone().all(|known| known != code.get_ref()) {
            let hint =
                nearest(code.get_ref(), known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let what = format!("there is no rule `{}`{hint} See docs/spec/rules.md", code.get_ref());
            top.doc.problem(BAD_VALUE, code.span().start, what);
        }
        let Some(settings) = settings.get_ref().as_table() else {
            top.doc.problem(
                BAD_VALUE,
                settings.span().start,
                format!("write [rules.{}] and its settings below it", code.get_ref()),
            );
            continue;
        };
        for (key, value) in settings {
            if !matches!(value.get_ref(), DeValue::String(_) | DeValue::Integer(_) | DeValue::Boolean(_)) {
                let what = format!("`{}` must be a string, a whole number or true/false", key.get_ref());
                top.doc.problem(BAD_VALUE, value.span().start, what);
            }
        }
        let raw = |(key, value): (&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| {
            (key.get_ref().to_string(), top.doc.raw(value.span()).to_owned())
        };
        specs.push(RuleSpec { code: code.get_ref().to_string(), settings: settings.iter().map(raw).collect() });
    }
    specs
}
