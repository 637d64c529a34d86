//! The page of a witness.

use tallyproof_site::{
    Lang, Messages, Text,
    witness::{Slots, WitnessContest, WitnessReport, render},
};

use crate::html;

fn report() -> WitnessReport {
    WitnessReport {
        name: "party-a.example/witness".into(),
        election: "Example".into(),
        drill: true,
        definition: "00".repeat(32),
        log: "log.example/2026+00000000+AQ".into(),
        held: 1_234_567,
        root: "cm9vdA==".into(),
        recounted: 1_234_000,
        cosigned: Some(1_233_999),
        slots: Slots { counted: 30_000, quarantined: 12, missing: 345, rejected: 6 },
        same_totals_at: Some(1_233_998),
        alarms: Vec::new(),
        trouble: None,
        contests: vec![WitnessContest {
            name: "Office".into(),
            candidates: vec![("A".into(), 5_000_000), ("B".into(), 4_999_999)],
        }],
    }
}

#[test]
fn it_is_well_formed_loads_nothing_and_shows_every_figure() {
    let alarmed = WitnessReport {
        drill: false,
        cosigned: None,
        same_totals_at: None,
        alarms: vec!["the log has forked <b>".into()],
        trouble: Some("<script>".into()),
        ..report()
    };
    for report in [report(), alarmed, WitnessReport::default()] {
        let page = render(&report);
        html::check(&page).unwrap_or_else(|error| panic!("{error}"));
        for loading in ["http:", "https:", "=\"//", "url(", "@import", "src=", "<link rel=\"stylesheet"] {
            assert!(!page.contains(loading), "{loading}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
    let page = render(&report());
    for figure in [
        "1\u{202f}234\u{202f}567",
        "1\u{202f}234\u{202f}000",
        "1\u{202f}233\u{202f}999",
        "5\u{202f}000\u{202f}000",
        "345",
    ] {
        assert!(page.contains(figure), "{figure}");
    }
}

#[test]
fn alarms_take_the_place_of_no_difference_in_every_language() {
    let quiet = render(&report());
    let alarmed = render(&WitnessReport { alarms: vec!["two roots".into()], ..report() });
    for lang in Lang::ALL {
        let none = Messages::new(lang).text(Text::WitnessDiffersNone);
        assert!(quiet.contains(&none) && !alarmed.contains(&none), "{}", lang.tag());
    }
    assert!(alarmed.contains("<li>two roots</li>"));
}
