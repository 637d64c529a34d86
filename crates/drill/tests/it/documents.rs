//! The guide says what the code does, and the examples are scripts.

use std::path::PathBuf;
use std::time::Duration;

use tallyproof_drill::script::{self, FloodKind, Script};
use tallyproof_drill::synthetic;

fn root() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../..").into()
}

fn guide() -> String {
    std::fs::read_to_string(root().join("docs/guide/drills.md")).unwrap()
}

/// `UPDATE_DOCS=1` writes the reference of the guide anew.
fn assert_reference(guide: &str, reference: &str) {
    const BEGIN: &str = "<!-- reference: generated, do not edit -->\n";
    const END: &str = "<!-- end of reference -->";
    let path = root().join("docs/guide").join(guide);
    let text = || std::fs::read_to_string(&path).unwrap();
    let found = text();
    let (before, rest) = found.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let want = format!("{before}{BEGIN}\n{}\n{END}{after}", reference.trim_end());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &want).unwrap();
    }
    assert!(text() == want, "docs/guide/{guide} is out of date; UPDATE_DOCS=1 writes it anew");
}

#[test]
fn the_guides_have_the_references_of_the_code() {
    assert_reference("drills.md", &script::reference());
    assert_reference("mega.md", &synthetic::reference());
}

#[test]
fn the_guide_explains_every_kind_of_flood_and_its_scripts_parse() {
    let guide = guide();
    for kind in FloodKind::all() {
        assert!(guide.contains(&format!("\n| `{}` |", kind.as_str())), "{kind:?}");
    }
    let scripts: Vec<_> = guide.split("```toml script\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(scripts.len(), 2);
    for text in scripts {
        Script::parse(text, "guide").unwrap_or_else(|problems| panic!("{problems:#?}"));
    }
}

fn examples() -> Vec<(String, Script)> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let script = Script::parse(&text, &path.display().to_string()).map_err(|problems| format!("{problems:#?}"));
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), script.unwrap())
    };
    std::fs::read_dir(root().join("examples/drills")).unwrap().map(read).collect()
}

#[test]
fn the_examples_parse_and_stand_in_the_guide() {
    let guide = guide();
    for (name, script) in examples() {
        assert_eq!(name, script.name);
        assert!(guide.contains(&format!("\n| `{name}.toml` |")), "{name}");
    }
}

#[test]
fn the_headline_is_what_its_name_says() {
    let (_, script) = examples().into_iter().find(|(name, _)| name == "thirty-million").unwrap();
    let datagrams = script.floods.iter().filter(|flood| matches!(flood.kind, FloodKind::Datagram(_)));
    assert_eq!(datagrams.map(script::Flood::most).sum::<u64>(), 30_000_000);
    let attack = script::Span { from: Duration::ZERO, until: Duration::from_mins(1) };
    assert!(script.floods.iter().all(|flood| flood.during == attack));
    assert!(attack.contains(script.reporting.until), "everybody reports under attack");
}

#[test]
fn the_smoke_test_has_everything() {
    let (_, script) = examples().into_iter().find(|(name, _)| name == "smoke").unwrap();
    let kinds: std::collections::BTreeSet<_> = script.floods.iter().map(|flood| flood.kind).collect();
    assert_eq!(kinds.len(), FloodKind::all().count());
    assert!(script.gives_up() < Duration::from_mins(2));
}
