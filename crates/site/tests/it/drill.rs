//! The report of a drill: one file that needs nothing beside it, in which no figure is drawn without being written.

use tallyproof_site::{
    Lang,
    drill::{DrillReport, Fault, FaultKind, Path, Rejected, Second, render},
    number::grouped,
};

use crate::{drill_demo, html};

/// The text of the table whose summary or heading stands after `mark`.
fn table<'a>(page: &'a str, mark: &str) -> &'a str {
    let after = page.split_once(mark).expect(mark).1;
    let body = after.split_once("<tbody>").expect("a table follows").1;
    body.split_once("</tbody>").expect("the table ends").0
}

/// What stands between `from` and the next `to`, for each `from`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).map(|part| part.split_once(to).expect("it ends").0).collect()
}

#[test]
fn a_small_report_stays_as_it_is() {
    let page = render(&drill_demo::night(40));
    let (_, body) = page.split_once("<body>").expect("a body");
    insta::assert_snapshot!("drill.html", body.split_once("<script>").expect("its script comes last").0);
    assert_eq!(page, render(&drill_demo::night(40)), "same figures, same bytes");
}

#[test]
fn reports_are_well_formed_and_load_nothing() {
    let mut unmet = drill_demo::night(200);
    unmet.verified = false;
    unmet.problems = vec!["12 stations have no receipt".to_owned()];
    for report in [drill_demo::night(3_000), unmet, DrillReport::default()] {
        let page = render(&report);
        html::check(&page).unwrap_or_else(|error| panic!("{}: {error}", report.title));
        for loading in ["http:", "https:", "=\"//", "url(", "@import", "src=", "<link rel=\"stylesheet"] {
            assert!(!page.contains(loading), "{loading} in {:?}", report.title);
        }
    }
}

#[test]
fn every_second_that_is_drawn_stands_in_the_table() {
    let report = drill_demo::night(3_000);
    let page = render(&report);
    let rows = between(table(&page, "id=\"time\""), "<tr>", "</tr>");
    assert_eq!(rows.len(), report.series.len());
    let mut sum = 0;
    for (row, point) in rows.iter().zip(&report.series) {
        sum += point.receipts;
        let figures = [point.second, point.receipts, sum, point.hostile_received].map(grouped);
        assert_eq!(between(&format!("{row}<"), "\">", "</t"), figures);
    }
    assert_eq!(sum, report.records.have);
}

#[test]
fn every_path_that_is_drawn_stands_in_the_tables() {
    let report = drill_demo::night(3_000);
    let page = render(&report);
    let drawn = between(&page, "<span class=\"total\">", "</span>");
    let paths = between(table(&page, "id=\"paths\""), "<td class=\"n l-receipts\">", "</td>");
    assert_eq!(paths, drawn[..report.paths.len()]);
    let seconds = page.split_once("id=\"paths\"").expect("paths").1.split_once("<details>").expect("a table").1;
    for (row, point) in between(table(seconds, "<summary>"), "<tr>", "</tr>").iter().zip(&report.series) {
        for (path, receipts) in report.paths.iter().zip(&point.by_path) {
            assert!(row.contains(&format!("data-label=\"{}\">{}</td>", path.name, grouped(*receipts))), "{row}");
        }
    }
}

#[test]
fn every_reason_has_its_number_and_its_words() {
    let report = drill_demo::night(100);
    let page = render(&report);
    let rows = between(table(&page, "id=\"rejected\""), "<tr>", "</tr>");
    let given: Vec<_> = report.rejected.iter().filter(|rejected| rejected.count > 0).collect();
    assert_eq!(rows.len(), given.len());
    for Rejected { reason, count } in given {
        let row = rows.iter().find(|row| row.contains(&format!("<b>{reason}</b>"))).expect("a row");
        assert!(row.contains(&grouped(*count)), "{row}");
        let words = between(row, "<small>", "</small>");
        assert_eq!(words.is_empty(), reason == "something-new", "{row}");
        for lang in Lang::ALL {
            assert!(words.iter().all(|words| words.contains(&format!("<span lang=\"{}\">", lang.tag()))), "{row}");
        }
    }
}

#[test]
fn every_moment_that_is_drawn_stands_in_the_table() {
    let report = drill_demo::night(3_000);
    let page = render(&report);
    let after = page.split_once("class=\"moments\"").expect("moments").1;
    let (drawn, after) = after.split_once("</ul>").expect("the list ends");
    let drawn = between(drawn, "<span class=\"total\">", "</span>");
    assert_eq!(drawn.last(), Some(&grouped(3_000).as_str()), "at the last moment all have their receipt");
    let written = between(table(after, "<summary>"), "l-with-receipt\">", " / ");
    assert_eq!(written, drawn);
}

#[test]
fn what_does_not_hold_is_counted_and_listed() {
    let mut report = drill_demo::night(40);
    assert!(render(&report).contains("All that was checked holds"));
    report.problems = vec!["a receipt <is> missing".to_owned()];
    let page = render(&report);
    assert!(page.contains("1 point does not hold") && page.contains("a receipt &#60;is&#62; missing"));
    report.verified = false;
    let page = render(&report);
    assert!(page.contains("2 points do not hold") && page.contains("does not verify"));
    assert!(!page.contains("All that was checked holds"));
}

#[test]
fn names_from_a_script_never_become_markup() {
    let hostile = "</style><script>alert('1')</script>\"&".to_owned();
    let report = DrillReport {
        title: hostile.clone(),
        run: hostile.clone(),
        paths: vec![Path { name: hostile.clone(), kind: hostile.clone(), ..Path::default() }],
        rejected: vec![Rejected { reason: hostile.clone(), count: 1 }],
        faults: vec![
            Fault { at_ms: 0, for_ms: 9, kind: FaultKind::PathCut { path: hostile.clone() } },
            Fault { at_ms: 0, for_ms: 9, kind: FaultKind::Other(hostile.clone()) },
        ],
        series: vec![Second { by_path: vec![3, 4, 5], ..Second::default() }],
        problems: vec![hostile],
        ..drill_demo::night(5)
    };
    let page = render(&report);
    html::check(&page).expect("well-formed");
    assert_eq!((page.matches("<script").count(), page.matches("</style").count()), (1, 1));
}
