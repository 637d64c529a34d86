//! Every key is accepted, every mistake has its place.

use super::keys;
use super::*;
use crate::report::{BAD_VALUE, KEY_MISSING, MAPPING_SYNTAX, UNKNOWN_KEY};

const WIDE: &str = r##"
[election]
id = "e"
name = "E"
date = "2026-07-01"
phase = "official"
polls_close = "2026-07-01T18:00:00Z"
source = "s"
[input]
delimiter = "tab"
quote = "none"
encoding = "latin1"
skip_lines = 1
header_rows = 2
header_separator = "/"
header_fill = true
comment = "#"
fields = 9
transpose = true
member = "*.csv"
max_bytes = 1000
[[keep]]
column = "c"
equals = "a"
[[keep]]
column = "c"
not = ["a", "b"]
[[skip]]
column = "c"
glob = "T*"
[[skip]]
column = "c"
empty = true
[numbers]
decimal = ","
thousands = "."
missing = ["?"]
[station]
key = { columns = ["a", "#2"], separator = "/", pad = [3, 0], trim = false, strip_suffix = ".0" }
name = ["a", "b"]
registered = "r"
special = { column = "k", equals = "S" }
[root]
id = "r"
name = "R"
kind = "country"
[[area]]
column = "d"
code = "dc"
name = "District {}"
kind = "district"
[contests]
key = "office"
[[contest]]
id = "c1"
name = "C1"
area = "r"
match = ["C1", "c1"]
lines = { columns = ["x"], from = "y", to = "z", except = "*%*" }
figures = { blank = "b", null = "n", voters = "v", registered = "r", total = ["t", "u"], optional = "total" }
[[contest.line]]
column = "w"
id = "l"
name = "L"
candidate = "c"
candidate_name = "C"
party = "p"
party_name = "P"
[[line]]
add = ["a", "b"]
id = "ab"
[lines]
columns = "x"
[figures]
blank = "b"
[rules.AR-01]
severity = "quarantine"
"##;

const LONG: &str = r#"
[election]
id = "e"
name = "E"
date = "2026-07-01"
[input]
column = [{ name = "a", start = 1, len = 2 }]
[station]
key = "a"
[[line]]
match = ["X", "x"]
id = "x"
[long]
candidate = "c"
votes = "v"
line = ["c", "p"]
party = "p"
mode = "m"
keep_modes = ["A", "B"]
skip_modes = "T"
figures = { blank = "B", null = "N", voters = "V", registered = "R", total = "T" }
ignore = "Under*"
absent_is_zero = true
sum_repeated = true
"#;

fn problems(text: &str) -> Vec<(&'static str, String, String)> {
    let problems = Mapping::parse(text, "m.toml").unwrap_err();
    problems.into_iter().map(|problem| (problem.code, problem.place, problem.what)).collect()
}

#[test]
fn every_key_of_the_table_is_read() {
    for text in [WIDE, LONG] {
        Mapping::parse(text, "m.toml").unwrap_or_else(|problems| panic!("{problems:#?}"));
    }
    let both = format!("{WIDE}{LONG}");
    let used = |key: &str| both.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == key);
    for section in keys::sections() {
        for key in section.keys {
            assert!(used(key.name), "the test mappings lack `{}` of `{}`", key.name, section.title());
        }
    }
}

#[test]
fn keys_mean_what_they_say() {
    let mapping = Mapping::parse(WIDE, "m.toml").unwrap();
    assert_eq!((mapping.input.delimiter, mapping.input.quote), (Some(b'\t'), None));
    assert_eq!(mapping.input.encoding.unwrap().name(), "windows-1252");
    assert_eq!((mapping.numbers.decimal, mapping.numbers.thousands), (',', Some('.')));
    assert_eq!(mapping.contests[0].values, ["C1", "c1"]);
    assert_eq!(mapping.rules[0].settings, [("severity".to_owned(), "\"quarantine\"".to_owned())]);
    assert_eq!(
        mapping.filters.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["keep c = a", "keep c not a | b", "skip c like T*", "skip c empty"]
    );
    let long = Mapping::parse(LONG, "m.toml").unwrap();
    assert_eq!(long.input.fixed[0].start, 0);
    assert_eq!(long.input.header_rows, 0);
}

#[test]
fn mistakes_are_all_found_and_have_their_place() {
    let text = "[election]\nid = \" e\"\nnmae = \"E\"\ndate = 2026-07-01\n\n[statoin]\nkey = \"a\"\n";
    let found = problems(text);
    let places: Vec<(&str, &str)> = found.iter().map(|(code, place, _)| (*code, place.as_str())).collect();
    assert!(places.contains(&(BAD_VALUE, "m.toml:2:6")), "{found:#?}");
    assert!(places.contains(&(UNKNOWN_KEY, "m.toml:3:1")), "{found:#?}");
    assert!(places.contains(&(BAD_VALUE, "m.toml:4:8")), "{found:#?}");
    assert!(places.contains(&(UNKNOWN_KEY, "m.toml:6:2")), "{found:#?}");
    assert!(found.iter().any(|(code, _, what)| *code == KEY_MISSING && what.contains("`station`")), "{found:#?}");
    assert!(found.iter().any(|(.., what)| what.contains("did you mean `name`?")), "{found:#?}");
    assert!(found.iter().any(|(.., what)| what.contains("did you mean `station`?")), "{found:#?}");
}

#[test]
fn contradictions_are_named() {
    let base = "[election]\nid='e'\nname='E'\ndate='2026-07-01'\n[station]\nkey='a'\n";
    for (text, want) in [
        ("", "no ballot lines"),
        ("[lines]\nfrom='a'\n", "`from` and `to` go together"),
        ("[[line]]\ncolumn='a'\nadd=['b']\n", "either `column` or `add`"),
        ("[[line]]\nadd=['a','b']\n", "needs an `id`"),
        ("[[line]]\nmatch='a'\n[long]\ncandidate='c'\nvotes='v'\nskip_modes='T'\n", "need `mode`"),
        ("[lines]\ncolumns='a'\n[[keep]]\ncolumn='a'\n", "exactly one of"),
        ("[lines]\ncolumns='a'\n[numbers]\ndecimal=','\nthousands=','\n", "must differ"),
        ("[lines]\ncolumns='a'\n[rules.AR-1]\nseverity='warn'\n", "did you mean `AR-01`?"),
        ("[lines]\ncolumns='a'\n[input]\nencoding='utf-9'\n", "WHATWG"),
        ("[lines]\ncolumns='a'\n[[area]]\ncolumn='a'\nname='District'\n", "must hold `{}`"),
        ("[lines]\ncolumns='a'\n[[contest]]\nid='c'\n[[contest]]\nid='c'\n", "two [[contest]]"),
        ("[lines]\ncolumns='a'\n[input]\ncolumn=[{name='a',start=0,len=2}]\n", "must be 1 or more"),
    ] {
        let found = problems(&format!("{base}{text}"));
        assert!(found.iter().any(|(.., what)| what.contains(want)), "{text}: {found:#?}");
    }
}

#[test]
fn broken_toml_is_reported_with_its_place() {
    let found = problems("[election\nid = \n");
    assert!(
        found.iter().any(|(code, place, _)| *code == MAPPING_SYNTAX && place.starts_with("m.toml:1:")),
        "{found:#?}"
    );
}
