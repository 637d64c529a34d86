//! The site as a whole: its pages from a made-up night.

mod bulletin;
mod demo;
mod drill;
mod drill_demo;
mod html;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use demo::Demo;
use tallyproof_count::{SlotStatus, ledger::SlotView};
use tallyproof_record::{Phase, StationNo, definition::Figure};
use tallyproof_site::{Lang, SiteInput, Witnessing, number::grouped, render};

/// The folder as text by path.
fn pages(demo: &Demo) -> BTreeMap<String, String> {
    let files = render(&demo.input()).into_iter();
    files.map(|(path, bytes)| (path, String::from_utf8(bytes).expect("pages are UTF-8"))).collect()
}

/// A night in which no record has come.
fn before(files: &tallyproof_record::definition::package::Files) -> Demo {
    Demo::new(files, |_| Vec::new())
}

fn replace(files: &mut tallyproof_record::definition::package::Files, name: &str, from: &str, to: &str) {
    let bytes = files.get_mut(name).expect("the demo has it");
    let text = String::from_utf8(bytes.clone()).expect("UTF-8");
    assert!(text.contains(from), "{name} has {from}");
    *bytes = text.replace(from, to).into_bytes();
}

#[test]
fn small_pages_stay_as_they_are() {
    let pages = pages(&demo::night(20, Phase::Drill));
    for name in ["index.html", "contest-1.html", "stations-1.html"] {
        insta::assert_snapshot!(name, pages[&format!("site/{name}")]);
    }
}

#[test]
fn pages_say_whether_the_log_is_finished_and_who_cosigned_it() {
    let demo = demo::night(20, Phase::Drill);
    let witnesses = ["Party <A>".to_owned(), "court".to_owned()];
    let witnessing = Witnessing { finished: true, size: 1_234, witnesses: &witnesses };
    let finished = render(&SiteInput { witnessing, ..demo.input() });
    for ((path, open), (_, finished)) in render(&demo.input()).into_iter().zip(finished) {
        if open.starts_with(b"<!DOCTYPE") {
            let [open, finished] = [open, finished].map(|page| String::from_utf8(page).expect("UTF-8"));
            assert!(open.contains("more can follow") && !open.contains("cosigned"), "{path}");
            assert!(finished.contains("nada sigue") && finished.contains("Party &lt;A&gt;, court"), "{path}");
            assert!(!finished.contains("can follow") && !finished.contains("<A>"), "{path}");
        }
    }
}

#[test]
fn same_count_same_bytes() {
    assert_eq!(render(&demo::night(200, Phase::Drill).input()), render(&demo::night(200, Phase::Drill).input()));
}

#[test]
fn every_page_is_well_formed() {
    for demo in [demo::night(300, Phase::Official), before(&demo::package(5, Phase::Drill))] {
        for (path, page) in pages(&demo).iter().filter(|(_, page)| page.starts_with("<!DOCTYPE")) {
            html::check(page).unwrap_or_else(|error| panic!("{path}: {error}"));
        }
    }
}

#[test]
fn names_from_files_never_become_markup() {
    let mut files = demo::package(40, Phase::Drill);
    let hostile = "<script>alert('1')</script><img src=x onerror=\"alert(2)\">&amp;";
    let field = format!("\"{}\"", hostile.replace('"', "\"\""));
    replace(&mut files, "ballot.csv", "Candidate One", &field);
    replace(&mut files, "ballot.csv", "c2,Candidate Two,b,Birch", &format!("c2,Candidate Two,b,{field}"));
    replace(&mut files, "areas.csv", "District 3", &field);
    replace(&mut files, "areas.csv", "Town 3.1", &field);
    replace(&mut files, "stations.csv", "School 4,", &format!("{field},"));
    replace(&mut files, "election.toml", "Example election", "</title><script>alert(1)</script>");
    replace(&mut files, "election.toml", "made up, for looking at pages", "<b onclick='x'>");
    for (path, page) in pages(&before(&files)).iter().filter(|(_, page)| page.starts_with("<!DOCTYPE")) {
        html::check(page).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(page.matches("<script").count(), 1, "{path}: the page's own script alone");
        assert!(!page.contains("<img") && !page.contains("<b onclick"), "{path}");
        assert!(page.contains("&lt;b onclick") || page.contains("&#60;b onclick"), "{path}: shown, not dropped");
    }
}

#[test]
fn a_drill_says_so_on_every_page_in_every_language() {
    let (drill, official) = (pages(&demo::night(30, Phase::Drill)), pages(&demo::night(30, Phase::Official)));
    for (path, page) in drill.iter().filter(|(_, page)| page.starts_with("<!DOCTYPE")) {
        for lang in Lang::ALL {
            let words = tallyproof_site::Messages::new(lang).text(tallyproof_site::Text::DrillBanner);
            assert!(page.contains(&format!("<p lang=\"{}\">{words}</p>", lang.tag())), "{path}");
            assert!(!official[path].contains(&words), "{path}");
        }
    }
}

#[test]
fn each_station_stands_on_one_list_with_its_status() {
    let demo = demo::night(5_000, Phase::Official);
    let pages = pages(&demo);
    let lists: Vec<_> = pages.iter().filter(|(path, _)| path.starts_with("site/stations-1-")).collect();
    assert!(lists.len() > 2, "5,000 stations take several pages");
    let mut found = BTreeSet::new();
    for page in lists.iter().map(|(_, page)| page) {
        assert!(page.matches("<tr id=\"s").count() <= 1_000);
        for row in page.split("<tr id=\"s").skip(1) {
            assert!(found.insert(row.split('"').next().expect("an id")), "a station stands twice");
        }
    }
    assert_eq!(found.len(), 5_000);
}

#[test]
fn the_bound_is_signed_turnouts_and_the_rolls_of_stations_without_one() {
    let demo = demo::night(400, Phase::Official);
    let election = demo.ledger.definition().election();
    let open = |slot: &SlotView<'_>| slot.contest.0 == 1 && slot.status != SlotStatus::Counted;
    let voters = |station: StationNo, counted: bool| {
        let own = demo.ledger.slots().filter(|slot| slot.station == station);
        let own = own.filter(|slot| (slot.status == SlotStatus::Counted) == counted);
        own.filter_map(|slot| slot.figures?.figure(Figure::Voters)).map(u64::from).collect::<BTreeSet<_>>()
    };
    let caps = demo.ledger.slots().filter(open).map(|slot| {
        let cast = slot.figures.map_or(0, |figures| figures.counts.iter().map(|count| u64::from(*count)).sum::<u64>());
        let (counted, apart) = (voters(slot.station, true), voters(slot.station, false));
        let turnout = counted.last().or_else(|| apart.first().filter(|_| apart.len() == 1)).copied();
        let roll = election.station(slot.station).and_then(|station| station.roll()).expect("every roll is known");
        turnout.filter(|turnout| *turnout >= cast).unwrap_or(u64::from(roll) + 5)
    });
    let caps: Vec<u64> = caps.collect();
    let words = format!("Records not included can hold at most {} votes", grouped(caps.iter().sum()));
    let page = &pages(&demo)["site/contest-1.html"];
    assert!(page.contains(&words), "{words} {caps:?}");
    assert!(page.contains("one vote for each registered voter"));
}

#[test]
fn a_missing_roll_is_said_and_never_taken_as_zero() {
    let mut files = demo::package(6, Phase::Official);
    replace(&mut files, "stations.csv", ",380,,", ",,,");
    let page = &pages(&before(&files))["site/contest-1.html"];
    assert!(page.contains("Nothing bounds the votes of records not included"));
    assert!(page.contains("Nothing bounds the votes of 1 station."));
    assert!(!page.contains("class=\"reach\""), "a reach that is not known is not drawn");
}

#[test]
fn before_the_first_record_nothing_is_a_share_of_nothing() {
    let page = &pages(&before(&demo::package(6, Phase::Official)))["site/contest-1.html"];
    assert!(page.contains("0 of 6 stations counted"));
    assert!(page.contains("–") && !page.contains("0.00%"));
}

#[test]
fn corrections_stand_beside_what_was_counted() {
    let (before, after) =
        (pages(&demo::night(40, Phase::Official)), pages(&demo::corrected_night(40, Phase::Official)));
    let page = &after["site/contest-1.html"];
    html::check(page).unwrap();
    for expected in
        ["id=\"stands\"", "RE-01", "RE-10", "chair, clerk", "+1\u{202f}000", "a later correction took its place"]
    {
        assert!(page.contains(expected), "{expected}");
    }
    let untouched =
        |page: &str| page.split("id=\"candidates\"").nth(1).unwrap().split("</table>").next().unwrap().to_owned();
    assert_eq!(untouched(page), untouched(&before["site/contest-1.html"]), "the counted votes stay where they were");
    assert!(!after["site/contest-2.html"].contains("id=\"stands\""), "the other contest has none");
    assert!(!before["site/contest-1.html"].contains("index/statements.json"));
    let stations = &after["site/stations-1.html"];
    html::check(stations).unwrap();
    assert_eq!(stations.matches("class=\"corrected\"").count(), 2);
    assert!(page.contains("1 record is endorsed"));
}

#[test]
fn a_contest_says_what_can_change_with_every_premise_in_every_language() {
    let page = &pages(&demo::night(200, Phase::Official))["site/contest-1.html"];
    let section = page.split("class=\"q-order\"").nth(1).unwrap().split("</section>").next().unwrap();
    for words in [
        "The definition states no rule for the contest.",
        "no record is corrected or annulled later",
        "it does not show that they are right",
        "La definición no indica ninguna regla para la contienda.",
        "A definição não informa nenhuma regra para a disputa.",
    ] {
        assert!(section.contains(words), "{words}\n{section}");
    }
    assert!(!page.contains("id=\"seats\""), "the definition states no seats");
}

#[test]
fn seats_stand_on_the_page_of_a_contest_of_lists() {
    let page = &pages(&demo::council(200, Phase::Official))["site/contest-1.html"];
    html::check(page).unwrap();
    for words in ["21 seats go to lists by dhondt", "id=\"seats\"", "l-column-seats-least", "at least 4 % of the votes"]
    {
        assert!(page.contains(words), "{words}");
    }
}
