//! Rows that publishers write, and what becomes of them.

use std::fmt::Write as _;

use super::*;

const HEAD: &str = "[election]\nid='e'\nname='E'\ndate='2026-07-01'\n";

/// What an import makes of a table: rows of `results.csv` after its header, and codes with their places.
struct Outcome {
    results: Vec<String>,
    stations: Vec<String>,
    areas: Vec<String>,
    problems: Vec<String>,
    report: Report,
    toml: String,
}

fn run(mapping: &str, tables: &[&str]) -> Result<Outcome, Vec<Problem>> {
    let mapping = Mapping::parse(&format!("{HEAD}{mapping}"), "m.toml")?;
    let inputs: Vec<Input> = tables
        .iter()
        .enumerate()
        .map(|(n, text)| Input { name: format!("t{n}"), bytes: text.as_bytes().to_vec() })
        .collect();
    let imported = import(&mapping, &inputs)?;
    let file = |name: &str| {
        let (_, bytes) = imported.files.iter().find(|(known, _)| known == name).unwrap();
        String::from_utf8(bytes.clone()).unwrap()
    };
    let rows = |name: &str| file(name).lines().skip(1).map(str::to_owned).collect();
    let report = imported.report.clone();
    let problems: Vec<String> = report.problems.iter().map(|p| format!("{} {}", p.code, p.place)).collect();
    assert_eq!(report.rows_read, report.rows_used + report.rows_filtered + report.rows_not_used, "{report:#?}");
    Ok(Outcome {
        results: rows("results.csv"),
        stations: rows("stations.csv"),
        areas: rows("areas.csv"),
        problems,
        toml: file("election.toml"),
        report,
    })
}

fn good(mapping: &str, table: &str) -> Outcome {
    run(mapping, &[table]).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

const WIDE: &str = "[station]\nkey='s'\nregistered='r'\n[lines]\nfrom='a'\nto='b'\n";
const LONG: &str = "[station]\nkey='s'\n[long]\ncandidate='c'\nvotes='v'\n";

#[test]
fn unusable_rows_are_registered_reported_and_never_zero() {
    let table = "s,r,a,b\n1,9,1,2\n2,9,,2\n3,9,*,-\n4,9,1.5,2\n5,9,-1,2\n6,9,x1,2\n7,9,4294967296,2\n,9,1,2\n9,9,1\n10,9,1,2,\n11,,0,0\n12,z,1,2\n";
    let got = good(WIDE, table);
    assert_eq!(got.results, ["1,e,,,,,,1,2", "10,e,,,,,,1,2", "11,e,,,,,,0,0", "12,e,,,,,,1,2"]);
    let want = [
        "IM-04 t0:3",
        "IM-04 t0:4",
        "IM-07 t0:5",
        "IM-06 t0:6",
        "IM-05 t0:7",
        "IM-08 t0:8",
        "IM-03 t0:9",
        "IM-01 t0:10",
        "IM-14 t0:13",
    ];
    assert_eq!(got.problems, want);
    assert_eq!(
        got.stations.iter().map(|row| row.split(',').nth(3).unwrap()).collect::<Vec<_>>(),
        ["9", "9", "9", "9", "9", "9", "9", "9", "", ""]
    );
    assert_eq!((got.report.stations, got.report.records, got.report.missing), (10, 4, 6));
    assert!(got.report.problems[1].what.contains("`a`, `b`"), "{:?}", got.report.problems[1]);
}

#[test]
fn repeated_rows_are_used_once_and_contradictions_not_at_all() {
    let table = "s,r,a,b\n1,9,1,2\n1,9,1,2\n2,9,1,2\n2,9,1,3\n2,9,1,2\n3,9,,2\n3,9,1,2\n";
    let got = good(WIDE, table);
    assert_eq!(got.results, ["1,e,,,,,,1,2"]);
    assert_eq!(got.problems, ["IM-09 t0:3", "IM-10 t0:4", "IM-10 t0:5", "IM-10 t0:6", "IM-04 t0:7", "IM-10 t0:8"]);
    assert_eq!(got.report.missing, 2);
}

#[test]
fn rows_are_filtered_and_counted_by_rule() {
    let filters = "[[keep]]\ncolumn='r'\nnot='0'\n[[skip]]\ncolumn='s'\nglob='TOTAL*'\n";
    let got = good(&format!("{filters}{WIDE}"), "s,r,a,b\nTOTAL A,9,1,2\n 1 ,9,1,2\n2,0,1,2\n,,,\n");
    assert_eq!(got.results, ["1,e,,,,,,1,2"]);
    let want = [("empty row", 1), ("keep r not 0", 1), ("skip s like TOTAL*", 1)];
    assert_eq!(got.report.filtered, want.map(|(rule, n)| (rule.to_owned(), n)).into());
}

#[test]
fn keys_are_trimmed_padded_and_stripped() {
    let mapping =
        "[station]\nkey={columns=['s','#2'],pad=[3,0],strip_suffix='.0',separator='/'}\n[lines]\ncolumns='a'\n";
    let got = good(mapping, "s,box,a\n\" 003\",1.1,5\n\"2 \",7.0,6\n");
    assert_eq!(got.results, ["003/1.1,e,,,,,,5", "002/7,e,,,,,,6"]);
}

#[test]
fn equal_area_names_under_different_parents_stay_apart() {
    let mapping = format!("{WIDE}[[area]]\ncolumn='d'\nkind='district'\n[[area]]\ncolumn='t'\nname='Town {{}}'\n");
    let long = "x".repeat(70);
    let got = good(
        &mapping,
        &format!(
            "s,r,a,b,d,t\n1,9,1,2,N,Berlin\n2,9,1,2,S,Berlin\n3,9,1,2,S,\n4,9,1,2,e,N\n5,9,1,2,N/Berlin,{long}\n6,9,1,2,N/Berlin,\n"
        ),
    );
    assert_eq!(
        &got.areas[..6],
        [
            "e,,E,",
            "N,e,N,district",
            "N/Berlin,N,Town Berlin,",
            "S,e,S,district",
            "S/Berlin,S,Town Berlin,",
            "e~459cdd0761ca,e,e,district"
        ]
    );
    let area = |station: usize| got.stations[station].split(',').nth(2).unwrap();
    assert_eq!((area(0), area(1), area(2)), ("N/Berlin", "S/Berlin", "S"));
    // The district `N/Berlin` is not the town Berlin in N.
    assert!(area(5).starts_with("N/Berlin~"), "{}", area(5));
    assert_ne!(area(4), area(5));
}

#[test]
fn header_rows_are_joined_filled_and_counted() {
    let mapping = "[input]\nskip_lines=1\nheader_rows=2\nheader_fill=true\ndelimiter=';'\n[station]\nkey='Station'\n[[line]]\ncolumn='Votes X'\nid='x'\n[[line]]\ncolumn='Share X#2'\nid='y'\n";
    let got = good(mapping, "title; \nStation;Votes;;Share;\n;X;Y;X;X\n1;10;20;30;40;\n");
    assert_eq!(got.results, ["1,e,,,,,,10,40"]);
}

#[test]
fn columns_by_position_fixed_width_and_turned_tables() {
    let lines = "[[line]]\ncolumn='#2'\nid='a'\n[[line]]\ncolumn='#3'\nid='b'\n";
    let got = good(&format!("[input]\nheader_rows=0\n[station]\nkey='#1'\n{lines}"), "1|2|3\n2|3|4\n");
    assert_eq!(got.results, ["1,e,,,,,,2,3", "2,e,,,,,,3,4"]);
    let fixed = "[input]\ncolumn=[{name='s',start=1,len=3},{name='a',start=4,len=4},{name='b',start=8,len=4}]\n[station]\nkey='s'\n[lines]\nfrom='a'\nto='b'\n";
    assert_eq!(good(fixed, "001   2   3\n002  30  40\n").results, ["001,e,,,,,,2,3", "002,e,,,,,,30,40"]);
    let turned = "[input]\ntranspose=true\n[station]\nkey='s'\n[lines]\nfrom='a'\nto='b'\n";
    let got = good(turned, "s,1,2\na,10,20\nb,30,x\n");
    assert_eq!(got.results, ["1,e,,,,,,10,30"]);
    assert_eq!(got.problems, ["IM-04 t0:column 3"]);
}

#[test]
fn ranges_leave_out_percents_and_lines_share_candidates() {
    let mapping = "[station]\nkey='s'\n[lines]\nfrom='a'\nto='c'\nexcept='*%*'\n[[line]]\ncolumn='b'\nid='B'\nname='Bee'\ncandidate='a'\nparty='p'\n[[line]]\nadd=['d','d%']\nid='sum'\n";
    let got = good(mapping, "s,a,a%,b,c,d,d%\n1,10,33,20,30,4,5\n");
    assert_eq!(got.results, ["1,e,,,,,,10,20,30,9"]);
    assert_eq!(got.report.totals["e"], [("a", 30), ("c", 30), ("sum", 9)].map(|(id, n)| (id.to_owned(), n)).into());
}

#[test]
fn several_contests_in_one_row_or_in_a_column() {
    let row = "[station]\nkey='s'\n[[contest]]\nid='A'\nlines={columns=['x']}\nfigures={blank='bx'}\n[[contest]]\nid='B'\nlines={columns=['y']}\n";
    let got = good(row, "s,x,bx,y\n1,10,1,20\n2,,0,5\n");
    assert_eq!(got.results, ["1,A,1,,,,,10,", "1,B,,,,,,,20", "2,B,,,,,,,5"]);
    assert_eq!(got.problems, ["IM-04 t0:3"]);
    let column = "[station]\nkey='s'\n[contests]\nkey='k'\n[lines]\ncolumns=['x','y']\n[[area]]\ncolumn='d'\n";
    let got = good(column, "s,d,k,x,y\n1,N,A,1,2\n2,S,A,3,4\n2,S,B,5,6\n");
    assert_eq!(got.results, ["1,A,,,,,,1,2", "2,A,,,,,,3,4", "2,B,,,,,,5,6"]);
    assert!(got.toml.contains("id = \"B\"\nname = \"B\"\narea = \"S\""), "{}", got.toml);
    assert!(got.toml.contains("id = \"A\"\nname = \"A\"\narea = \"e\""), "{}", got.toml);
    let chosen =
        good(&format!("{column}[[contest]]\nid='b'\nmatch='B'\narea='S'\n"), "s,d,k,x,y\n1,N,A,1,2\n2,S,B,5,6\n");
    assert_eq!(chosen.results, ["2,b,,,,,,5,6"]);
    assert_eq!(chosen.report.filtered["contest not in [[contest]]"], 1);
}

#[test]
fn long_tables_sum_modes_and_spellings() {
    let mapping = format!(
        "{LONG}mode='m'\nskip_modes='TOTAL'\nfigures={{blank='BLANK*',total='ALL'}}\nignore='note'\n[[line]]\nmatch=['Bee','B.']\nid='b'\n"
    );
    let table = "s,c,m,v\n1,A,X,1\n1,A,Y,2\n1,A,TOTAL,3\n1,Bee,X,4\n1,B.,X,1\n1,Bee,Y,5\n1,BLANKS,X,6\n1,ALL,X,99\n1,note,X,7\n";
    let got = good(&mapping, table);
    assert_eq!(got.results, ["1,e,6,,,,99,10,3"]);
    assert_eq!(got.report.rows_filtered, 2);
    let doubled = run(&mapping.replace("skip_modes='TOTAL'\n", ""), &[table]).err().unwrap();
    assert_eq!((doubled[0].code, doubled[0].place.as_str()), ("MP-06", "m.toml:10:6"));
}

#[test]
fn long_records_are_whole_or_not_at_all() {
    let table = "s,c,v\n1,A,1\n1,B,2\n2,A,1\n3,A,1\n3,B,?\n4,A,1\n4,A,1\n4,B,2\n5,A,1\n5,A,2\n5,B,2\n";
    let got = good(LONG, table);
    assert_eq!(got.results, ["1,e,,,,,,1,2", "4,e,,,,,,1,2"]);
    let want = ["IM-11 t0:4", "IM-12 t0:5", "IM-05 t0:6", "IM-09 t0:8", "IM-10 t0:10", "IM-10 t0:11", "IM-12 t0:12"];
    assert_eq!(got.problems, want);
    assert_eq!(got.report.missing, 3);
    let zero = good(&format!("{LONG}absent_is_zero=true\nsum_repeated=true\n"), table);
    assert_eq!(zero.results, ["1,e,,,,,,1,2", "2,e,,,,,,1,0", "4,e,,,,,,2,2", "5,e,,,,,,3,2"]);
}

#[test]
fn fusion_lines_of_one_candidate() {
    let mapping = format!("{LONG}line=['c','p']\nparty='p'\n");
    let got = good(&mapping, "s,c,p,v\n1,A,X,1\n1,A,Y,2\n1,B,X,3\n");
    assert_eq!(got.results, ["1,e,,,,,,1,2,3"]);
    assert_eq!(got.report.totals["e"], [("A", 3), ("B", 3)].map(|(id, n)| (id.to_owned(), n)).into());
}

#[test]
fn figure_columns_of_long_tables_have_to_agree() {
    let mapping = format!("{LONG}[figures]\ntotal='t'\n");
    let got = good(&mapping, "s,c,v,t\n1,A,1,3\n1,B,2,3\n2,A,1,3\n2,B,2,4\n");
    assert_eq!(got.results, ["1,e,,,,,3,1,2"]);
    assert_eq!(got.problems, ["IM-12 t0:4", "IM-10 t0:5"]);
}

#[test]
fn several_files_need_the_same_lines() {
    let got =
        run(WIDE, &["s,r,a,b\n1,9,1,2\n", "r;s;a;b\n9;2;3;4\n"]).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(got.results, ["1,e,,,,,,1,2", "2,e,,,,,,3,4"]);
    let problems = run(WIDE, &["s,r,a,b\n1,9,1,2\n", "s,r,a,c,b\n1,9,1,2,3\n"]).err().unwrap();
    assert!(problems.iter().any(|problem| problem.what.contains("`c`")), "{problems:#?}");
}

#[test]
fn columns_that_are_not_there_are_all_named() {
    let problems = run(WIDE, &["s,reg,a,a,b\n"]).err().unwrap();
    assert!(problems.iter().all(|problem| problem.place.starts_with("m.toml:")), "{problems:#?}");
    let problems =
        run("[station]\nkey='statoin'\n[lines]\ncolumns=['a','#9']\n", &["station,a,a\n1,2,3\n"]).err().unwrap();
    assert!(problems[0].what.contains("did you mean `station`?"), "{problems:#?}");
    let problems = run("[station]\nkey='s'\n[lines]\ncolumns=['a','#9']\n", &["s,a,a\n1,2,3\n"]).err().unwrap();
    assert!(problems[0].what.contains("`a#1`") && problems[1].what.contains("from 1 to 3"), "{problems:#?}");
}

#[test]
fn rules_that_judge_figures_warn_unless_the_mapping_says_otherwise() {
    let table = "s,r,a,b\n1,9,1,2\n";
    let got = good(WIDE, table);
    for rule in tallyproof_record::rules::TABLE {
        let judges_figures =
            rule.severity == tallyproof_record::rules::Severity::Quarantine && !rule.code.starts_with("ID");
        assert_eq!(
            got.toml.contains(&format!("[rules.{}]\nseverity = \"warn\"", rule.code)),
            judges_figures,
            "{}",
            rule.code
        );
    }
    let strict = good(&format!("{WIDE}[rules.BO-01]\nseverity='quarantine'\nallowance=7\n"), table);
    assert!(strict.toml.contains("[rules.BO-01]\nseverity = \"quarantine\"\nallowance = 7\n"), "{}", strict.toml);
}

#[test]
fn a_wrong_station_key_shows() {
    let mapping = format!("{WIDE}[[area]]\ncolumn='d'\n");
    let got = good(&mapping, "s,r,a,b,d\n1,9,1,2,N\n1,8,3,4,S\n");
    assert_eq!(got.results, [""; 0]);
    assert_eq!(got.problems, ["IM-10 t0:2", "IM-13 t0:3", "IM-10 t0:3"]);
}

#[test]
fn what_stops_an_import_is_an_error() {
    for (table, code) in [("s,r,a,b\n", "IN-03"), ("", "IN-03"), ("s,r,a\0,b\n1,2,3,4\n", "IN-04")] {
        assert_eq!(run(WIDE, &[table]).err().unwrap()[0].code, code, "{table:?}");
    }
    let mapping = Mapping::parse(&format!("{HEAD}{WIDE}"), "m").unwrap();
    let input = Input { name: "t".into(), bytes: b"s,r,a,b\n1,9,1,2\n".to_vec() };
    assert_eq!(import_capped(&mapping, &[input], 10).unwrap_err()[0].code, "IN-02");
}

#[test]
fn figures_of_whole_regions_are_counted_and_not_rejected() {
    let regions = "s,r,a,b\n1,,12000000,2\n";
    assert!(good(WIDE, regions).toml.contains("[rules.BO-03]\nceiling = 12000000\n"));
    let own = format!("{WIDE}[rules.BO-03]\nceiling = 11000000\n");
    assert!(good(&own, regions).toml.contains("[rules.BO-03]\nceiling = 11000000\n"));
    assert!(!good(WIDE, "s,r,a,b\n1,,10000000,2\n").toml.contains("BO-03"));
}

#[test]
fn without_a_station_the_rows_say_why() {
    let problems = run(WIDE, &["s,r,a,b\n@1,9,1,2\n,9,1,2\n"]).err().unwrap();
    let places: Vec<String> = problems.iter().map(|p| format!("{} {}", p.code, p.place)).collect();
    assert_eq!(places, ["IM-03 t0:2", "IM-03 t0:3"]);
    let filtered = run(&format!("{WIDE}[[skip]]\ncolumn='s'\nequals='1'\n"), &["s,r,a,b\n1,9,1,2\n"]).err().unwrap();
    assert_eq!((filtered.len(), filtered[0].code), (1, "MP-07"));
}

#[test]
fn control_characters_of_a_cell_do_not_reach_a_terminal() {
    let got = good(LONG, "s,c,v\n1,a,1\n2,\u{1b}[31mx,1\n");
    let whats: Vec<&str> = got.report.problems.iter().map(|problem| problem.what.as_str()).collect();
    assert!(whats.iter().any(|what| what.contains("\\u{1b}[31mx")), "{whats:#?}");
    assert!(!whats.iter().any(|what| what.contains('\u{1b}')), "{whats:#?}");
}

#[test]
fn a_thousand_is_not_taken_for_one() {
    let table = "s;r;a;b\n1;9;1.000;2\n";
    assert_eq!(good(WIDE, table).problems, ["IM-05 t0:2"]);
    let marks = format!("[numbers]\ndecimal=','\nthousands='.'\n{WIDE}");
    assert_eq!(good(&marks, table).results, ["1,e,,,,,,1000,2"]);
}

proptest::proptest! {
    /// Totals are the sums of the figures, whatever the order of the rows.
    #[test]
    fn totals_are_sums(rows in proptest::collection::vec((0u32..1000, 0u32..1000), 1..20)) {
        let mut table = String::from("s,r,a,b\n");
        for (station, (a, b)) in rows.iter().enumerate() {
            writeln!(table, "{station},9,{a},{b}").unwrap();
        }
        let got = good(WIDE, &table);
        let sum = |column: fn(&(u32, u32)) -> u32| rows.iter().map(|row| u64::from(column(row))).sum::<u64>();
        proptest::prop_assert_eq!(&got.report.totals["e"], &[("a".to_owned(), sum(|row| row.0)), ("b".to_owned(), sum(|row| row.1))].into());
    }

    #[test]
    fn no_bytes_panic(data in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let mut input = format!("{HEAD}{WIDE}").into_bytes();
        input.push(0);
        input.extend(b"s,r,a,b\n");
        input.extend(&data);
        crate::fuzz_import(&input);
        crate::fuzz_import(&data);
    }
}
