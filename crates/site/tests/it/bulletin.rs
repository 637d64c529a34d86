//! A bulletin as page and as paper.

use std::{fmt::Write as _, fs, process::Command};

use tallyproof_count::bulletin::Document;
use tallyproof_record::Phase;
use tallyproof_site::{
    Lang, Messages, Text,
    bulletin::{self, Bulletin},
    number::grouped,
    render,
};

use crate::{
    before,
    demo::{self, Demo},
    html, replace,
};

fn page(demo: &Demo) -> String {
    let document = demo.document();
    String::from_utf8(bulletin::html(&demo.bulletin(&document))).expect("pages are UTF-8")
}

fn pdf(demo: &Demo, lang: Lang) -> Vec<u8> {
    let document = demo.document();
    bulletin::pdf(&demo.bulletin(&document), lang).expect("it can be written")
}

/// What another program reads in a PDF, page by page; nothing where that program is not installed.
fn text(pdf: &[u8]) -> Option<Vec<String>> {
    if Command::new("pdftotext").arg("-v").output().is_err() {
        eprintln!(
            "SKIPPED: pdftotext is not installed (apt-get install poppler-utils); the PDF's text was not looked at"
        );
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bulletin.pdf");
    fs::write(&path, pdf).expect("a file");
    let run = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).expect("UTF-8");
    Some(text.split('\u{c}').filter(|page| !page.trim().is_empty()).map(str::to_owned).collect())
}

/// A text without its line breaks, as far as they are the paper's. The other program reads thin spaces as spaces.
fn flowing(pages: &[String]) -> String {
    pages.join(" ").split([' ', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Thousands as the other program reads them.
fn apart(line: &str) -> String {
    let characters: Vec<char> = line.chars().collect();
    let digit = |index: usize| characters.get(index).is_some_and(char::is_ascii_digit);
    let shown = |(index, &it): (usize, &char)| if it == ',' && digit(index + 1) { ' ' } else { it };
    characters.iter().enumerate().map(shown).collect()
}

#[test]
fn a_small_page_stays_as_it_is() {
    let page = page(&demo::corrected_night(20, Phase::Drill));
    let (head, rest) = page.split_once("<style>").expect("a style sheet");
    let (_, rest) = rest.split_once("</style>").expect("its end");
    insta::assert_snapshot!("bulletin.html", format!("{head}{rest}"));
}

#[test]
fn the_paper_says_what_a_reader_is_owed_on_every_page() {
    let demo = demo::night(300, Phase::Drill);
    for lang in Lang::ALL {
        let Some(pages) = text(&pdf(&demo, lang)) else { return };
        assert!(pages.len() > 2, "{}", pages.len());
        let banner = Messages::new(lang).text(Text::DrillBanner);
        let hash = demo.ledger.definition().hash().to_string();
        for page in &pages {
            for expected in [banner.as_str(), "Example election", &hash, &"d0".repeat(32)] {
                assert!(page.contains(expected), "{}: {expected} is not on {page}", lang.tag());
            }
        }
        let last =
            format!("{} de {}", pages.len(), pages.len()).replace("de", if lang == Lang::En { "of" } else { "de" });
        assert!(pages.last().is_some_and(|page| page.contains(&last)), "{last}");
    }
    let official = text(&pdf(&demo::night(300, Phase::Official), Lang::En)).unwrap_or_default();
    assert!(official.iter().all(|page| !page.contains("rehearsal")));
}

#[test]
fn page_and_paper_hold_every_figure_of_the_document() {
    let demo = demo::corrected_night(300, Phase::Official);
    let (page, paper) = (page(&demo), text(&pdf(&demo, Lang::Pt)).map(|pages| flowing(&pages)));
    let holds = |words: &str| {
        assert!(page.contains(words), "the page lacks {words}");
        let read = words.replace('\u{202f}', " ");
        assert!(paper.as_ref().is_none_or(|paper| paper.contains(&read)), "the paper lacks {words}");
    };
    let election = demo.ledger.definition().election();
    for (no, contest) in election.numbered_contests() {
        for totals in [demo.totals.contest(no), demo.totals.as_it_stands(no)] {
            let whole = totals.expect("it has sums").whole();
            let figures = whole.figures.iter().map(|stated| stated.sum);
            let votes = whole.candidates(contest).into_iter().chain(whole.parties(contest)).chain(whole.lines.clone());
            votes.chain(figures).for_each(|count| holds(&grouped(count)));
        }
        for area in demo.totals.contest(no).expect("it has sums").areas().iter().filter(|area| area.area % 4 == 1) {
            area.candidates(contest).into_iter().for_each(|count| holds(&grouped(count)));
        }
    }
    for contest in &demo.document().contests {
        let lists = &contest.stations;
        assert!(!lists.quarantined.is_empty() && !lists.missing.is_empty());
        let quarantined = lists.quarantined.iter().map(|it| it.station);
        for station in lists.missing.iter().copied().chain(quarantined) {
            holds(&election.station(station).expect("in the register").id);
        }
    }
}

/// Every sentence of what `count` says, premises among it, stands on page and paper in the same words.
fn says_all(demo: &Demo) {
    let document = demo.document();
    let page = page(demo).replace('\u{202f}', ",");
    let paper = text(&pdf(demo, Lang::En)).map(|pages| flowing(&pages));
    for contest in &document.contests {
        let answer = contest.outcome.settled.as_ref().expect("an answer").to_string();
        assert!(answer.lines().count() > 6, "{answer}");
        for line in answer.lines().map(|line| line.trim_start_matches("- ")).filter(|line| !line.is_empty()) {
            assert!(page.contains(&format!("<span lang=\"en\">{line}</span>")), "the page lacks: {line}");
            let read = apart(line);
            assert!(paper.as_ref().is_none_or(|paper| paper.contains(&read)), "the paper lacks: {read}");
        }
    }
}

#[test]
fn no_statement_goes_without_any_of_its_premises() {
    for decision in [
        "type = \"plurality\"\nseats = 1\n",
        "type = \"plurality\"\nseats = 3\n",
        "type = \"majority\"\nmore_than = \"50%\"\nof = \"options-and-blank\"\n",
        "type = \"run-off\"\nmore_than = \"50%\"\nahead = { at_least = \"40%\", by_at_least = \"10%\" }\n",
        "type = \"lists\"\nseats = 21\nmethod = \"hare\"\n",
        "type = \"lists\"\nseats = 21\nmethod = \"dhondt\"\nthreshold = \"4%\"\n",
    ] {
        says_all(&demo::decided(60, Phase::Official, decision));
    }
    says_all(&demo::corrected_night(60, Phase::Official));
}

#[test]
fn seats_stand_with_their_order_and_quotients() {
    let demo = demo::council(300, Phase::Official);
    let page = page(&demo);
    html::check(&page).unwrap();
    let votes = demo.totals.contest(tallyproof_record::ContestNo(1)).expect("it has sums").whole().lines[0];
    assert!(
        page.contains(&format!("<li>1. Candidate One: {}.0000</li>", grouped(votes))),
        "the first seat of the first list"
    );
    assert!(page.contains("<li>21. "), "every seat");
    assert!(page.contains("threshold reached") || page.contains(">not reached<"));
}

/// The page and every PDF.
fn all(bulletin: &Bulletin<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let languages = bulletin::languages(bulletin.definition.election());
    let papers = languages
        .iter()
        .map(|&lang| (bulletin::pdf_name(lang), bulletin::pdf(bulletin, lang).expect("it can be written")));
    std::iter::once(("bulletin.html", bulletin::html(bulletin))).chain(papers).collect()
}

#[test]
fn same_document_same_bytes() {
    let files = |demo: &Demo| {
        let document = demo.document();
        all(&demo.bulletin(&document))
    };
    let (one, other) = (files(&demo::night(200, Phase::Drill)), files(&demo::night(200, Phase::Drill)));
    let names: Vec<_> = one.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["bulletin.html", "bulletin.pdf", "bulletin.es.pdf", "bulletin.pt.pdf"]);
    for ((name, one), (_, other)) in one.iter().zip(&other) {
        assert!(one == other, "{name}");
    }
}

#[test]
fn names_from_files_stay_names() {
    let mut files = demo::package(40, Phase::Drill);
    let hostile = "<script>alert('1')</script>漢字 \u{5d0}\u{5d1}";
    let field = format!("\"{hostile}\"");
    replace(&mut files, "ballot.csv", "Candidate One", &field);
    replace(&mut files, "areas.csv", "District 3", &field);
    replace(&mut files, "election.toml", "Example election", "</title><script>alert(1)</script>");
    let demo = before(&files);
    let page = page(&demo);
    html::check(&page).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "the page's own script alone");
    let Some(pages) = text(&pdf(&demo, Lang::En)) else { return };
    assert!(flowing(&pages).contains("漢字"), "what the face lacks can still be copied and heard");
}

#[test]
fn every_page_is_well_formed_whatever_has_come() {
    for demo in [demo::night(300, Phase::Official), before(&demo::package(5, Phase::Drill))] {
        html::check(&page(&demo)).unwrap();
        for lang in Lang::ALL {
            assert!(pdf(&demo, lang).starts_with(b"%PDF-1.7"), "krilla holds it to PDF/A-2a and PDF/UA-1");
        }
    }
}

#[test]
fn many_contests_are_told_in_short_and_their_common_premises_once() {
    let mut files = demo::package(12, Phase::Official);
    let (mut head, mut ballot) = (String::new(), String::new());
    for number in 0..50 {
        let _ = write!(head, "\n[[contest]]\nid = \"more-{number}\"\nname = \"Board {number}\"\narea = \"all\"\n");
        for line in ["x", "y"] {
            let _ = writeln!(ballot, "more-{number},{line},Line {line},{line},Candidate {line},,");
        }
    }
    files.get_mut("election.toml").expect("the demo has it").extend(head.into_bytes());
    files.get_mut("ballot.csv").expect("the demo has it").extend(ballot.into_bytes());
    let demo = before(&files);
    let document: Document = demo.document();
    let shown: Bulletin<'_> = demo.bulletin(&document);
    let names: Vec<_> = all(&shown).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["bulletin.html", "bulletin.pdf"]);
    let page = page(&demo).replace('\u{202f}', ",");
    html::check(&page).unwrap();
    assert!(page.contains("more than 40 contests") && !page.contains("Example State · parties"));
    assert!(!page.contains("bulletin.es.pdf"), "no link to what is not there");
    for contest in &document.contests {
        for premise in contest.outcome.settled.as_ref().expect("an answer").premises() {
            assert!(page.contains(&format!("<span lang=\"en\">{premise}</span>")), "{premise}");
        }
    }
    assert_eq!(page.matches("What is counted stays as it is").count(), 1);
    assert_eq!(page.matches("This holds if all that every statement here rests on").count(), document.contests.len());
}

#[test]
fn the_site_lists_the_bulletins_that_the_log_has() {
    let mut demo = demo::corrected_night(40, Phase::Official);
    let index = |demo: &Demo| {
        let files = render(&demo.input());
        let (_, index) = files.into_iter().find(|(path, _)| path == "site/index.html").expect("an index");
        String::from_utf8(index).expect("UTF-8")
    };
    assert!(!index(&demo).contains("id=\"bulletins\""));
    demo.issue();
    let index = index(&demo);
    html::check(&index).unwrap();
    for file in ["bulletin.html", "bulletin.pdf", "bulletin.es.pdf", "bulletin.pt.pdf", "bulletin.json", "bulletin.csv"]
    {
        assert!(index.contains(&format!("href=\"../bulletins/3/{file}\"")), "{file}");
    }
}
