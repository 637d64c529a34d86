use super::*;

const SMALL: &str = r#"
format = 1
name = "small"
stations = 300
reporting = { at = "1s", over = "4s" }

[[path]]
name = "isp-a"
kind = "udp"
"#;

fn small() -> Script {
    Script::parse(SMALL, "s.toml").unwrap()
}

/// What is wrong with the small script and these lines more.
fn mistakes(more: &str) -> Vec<String> {
    wrong(&format!("{SMALL}{more}"))
}

fn wrong(text: &str) -> Vec<String> {
    let problems = Script::parse(text, "s.toml").unwrap_err();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_small_script_has_its_defaults() {
    let script = small();
    assert_eq!((script.title.as_str(), script.seed, script.patience), ("small", Seed(1), Duration::from_mins(1)));
    assert_eq!(script.electorate, Electorate::Synthetic(NonZeroU32::new(300).unwrap()));
    assert_eq!(script.reporting, Span { from: Duration::from_secs(1), until: Duration::from_secs(5) });
    assert_eq!(script.receipted.of(301), 301);
    let path = Path {
        name: "isp-a".into(),
        carrier: Carrier::Udp,
        quality: Quality::PERFECT,
        after: Duration::ZERO,
        share: Chance::ALWAYS,
    };
    assert_eq!((script.paths, script.faults, script.floods), (vec![path], vec![], vec![]));
}

#[test]
fn every_key_is_read() {
    let text = r#"
        format = 1
        name = "all.keys_1"
        title = "All keys"
        seed = 7
        election = "../tiny"
        reporting = { at = "0s", over = "250ms" }
        patience = "2m"
        receipted = 0.75
        [[path]]
        name = "a"
        kind = "relay"
        loss = 0.5
        delay = "5ms"
        duplicate = 0.25
        share = 0.1
        after = "2s"
        conduct = "withhold"
        [[path]]
        name = "b"
        kind = "http"
        [[fault]]
        at = "1s"
        for = "2s"
        path = "b"
        cut = true
        [[fault]]
        at = "1s"
        for = "2s"
        path = "a"
        loss = 0.75
        [[fault]]
        at = "1s"
        for = "2s"
        path = "a"
        delay = "300ms"
        [[fault]]
        at = "1s"
        kill_centre = true
        [[flood]]
        kind = "body-drip"
        at = "0s"
        for = "1s"
        rate = 10
    "#;
    let script = Script::parse(text, "s.toml").unwrap();
    assert_eq!((script.electorate, script.seed), (Electorate::Package("../tiny".into()), Seed(7)));
    assert_eq!((script.receipted.of(4), script.receipted.of(5), script.receipted.of(0)), (3, 4, 0));
    assert_eq!(script.paths[0].carrier, Carrier::Relay(Conduct::Withhold));
    assert_eq!(script.paths[0].share, Chance::new(0.1).unwrap());
    assert_eq!(script.paths[0].after, Duration::from_secs(2));
    let during = Span { from: Duration::from_secs(1), until: Duration::from_secs(3) };
    let path = |path, damage| Fault::Path { path, during, damage };
    let expected = [
        path(1, Damage::Cut),
        path(0, Damage::Loss(Chance::new(0.75).unwrap())),
        path(0, Damage::Delay(Duration::from_millis(300))),
        Fault::KillCentre { at: Duration::from_secs(1) },
    ];
    assert_eq!(script.faults, expected);
    assert_eq!(script.floods[0].kind, FloodKind::Connection(ConnectionKind::BodyDrip));
    assert_eq!(script.floods[0].most(), 0, "held connections are no messages");
}

#[test]
fn mistakes_have_place_code_and_nearest_name() {
    assert_eq!(mistakes("los = 0.1"), ["s.toml:10:1: DS-02: [[path]] has no key `los`; did you mean `loss`?"]);
    assert_eq!(
        mistakes("[[flood]]\nkind = \"badtag\"\nat = \"0s\"\nfor = \"1s\"\nrate = 1"),
        ["s.toml:11:8: DS-08: `kind` cannot be \"badtag\"; did you mean `bad-tag`?"]
    );
    assert_eq!(
        mistakes("[[fault]]\nat = \"0s\"\nfor = \"1s\"\npath = \"isp-b\"\ncut = true"),
        ["s.toml:13:8: DS-10: no path is named \"isp-b\"; did you mean `isp-a`?"]
    );
}

#[test]
fn each_mistake_has_its_code() {
    let path = |line: &str| format!("{line}\n");
    let fault = |lines: &str| format!("[[fault]]\nat = \"1s\"\n{lines}\n");
    let flood = |at: &str, length: &str, rate: &str| {
        format!("[[flood]]\nkind = \"garbage\"\nat = \"{at}\"\nfor = \"{length}\"\nrate = {rate}\n")
    };
    let cases = [
        ("[[path]", "DS-01"),
        ("[[flod]]", "DS-02"),
        ("[[path]]\nkind = \"udp\"", "DS-03"),
        (&path("delay = 5"), "DS-04"),
        (&path("loss = \"much\""), "DS-04"),
        (&path("loss = 1.0"), "DS-06"),
        (&path("loss = nan"), "DS-06"),
        (&path("share = 0"), "DS-06"),
        (&path("share = 0.5"), "DS-11"),
        (&path("delay = \"2m\""), "DS-06"),
        (&path("delay = \"1.5s\""), "DS-09"),
        (&path("delay = \"5\""), "DS-09"),
        (&path("delay = \"18446744073709551615m\""), "DS-09"),
        (&path("conduct = \"alter\""), "DS-11"),
        ("[[path]]\nname = \"a b\"\nkind = \"udp\"", "DS-07"),
        ("[[path]]\nname = \"../a\"\nkind = \"udp\"", "DS-07"),
        ("[[path]]\nname = \"b\"\nkind = \"pigeon\"", "DS-08"),
        ("[[path]]\nname = \"isp-a\"\nkind = \"udp\"", "DS-10"),
        (&fault(""), "DS-11"),
        (&fault("path = \"isp-a\"\ncut = true"), "DS-03"),
        (&fault("for = \"1s\"\npath = \"isp-a\""), "DS-11"),
        (&fault("for = \"1s\"\npath = \"isp-a\"\ncut = true\nloss = 0.5"), "DS-11"),
        (&fault("for = \"1s\"\npath = \"isp-a\"\ncut = false"), "DS-08"),
        (&fault("for = \"1s\"\nkill_centre = true"), "DS-11"),
        (&flood("0s", "1s", "0"), "DS-06"),
        (&flood("0s", "1s", "2000001"), "DS-06"),
        (&flood("0s", "1s", "1.5"), "DS-04"),
        (&flood("0s", "601s", "1"), "DS-06"),
        (&flood("5m", "301s", "1"), "DS-12"),
        (&flood("0s", "101s", "2000000"), "DS-12"),
        (&"[[path]]\nname = \"b\"\nkind = \"udp\"\n".replace("\"b\"", "\"isp-a\""), "DS-10"),
    ];
    for (more, code) in cases {
        let found = mistakes(more);
        assert!(found.iter().any(|problem| problem.contains(code)), "{more}: {found:?}");
    }
    let replaced = |from: &str, to: &str| wrong(&SMALL.replacen(from, to, 1)).concat();
    assert!(replaced("format = 1", "format = 2").contains("DS-05"));
    assert!(replaced("stations = 300", "").contains("DS-11"));
    assert!(replaced("stations = 300", "stations = 300\nelection = \"x\"").contains("DS-11"));
    assert!(replaced("stations = 300", "stations = 0").contains("DS-06"));
    assert!(replaced("stations = 300", "stations = -1").contains("DS-06"));
    assert!(replaced("name = \"small\"", "name = \"a\\nb\"").contains("DS-07"));
    assert!(replaced("[[path]]", "[path]").contains("DS-04"));
}

#[test]
fn held_connections_and_tables_are_limited() {
    let slow = "[[flood]]\nkind = \"slowloris\"\nat = \"0s\"\nfor = \"1s\"\nrate = 3000\n";
    assert!(Script::parse(&format!("{SMALL}{slow}"), "").is_ok());
    assert!(mistakes(&slow.repeat(2))[0].contains("DS-12"));
    let kill = "[[fault]]\nat = \"1s\"\nkill_centre = true\n";
    assert_eq!(mistakes(&kill.repeat(MAX_FAULTS + 1)).len(), 1);
}

#[test]
fn all_mistakes_are_reported_at_once() {
    assert_eq!(wrong("").len(), 5, "{:?}", wrong(""));
    assert_eq!(mistakes("loss = 2\nspeed = 1\ndelay = \"x\"").len(), 3);
}

#[test]
fn stations_begin_evenly_over_the_span() {
    let script = small();
    let begins = |place, of| script.begins(place, NonZeroU32::new(of).unwrap()).as_millis();
    assert_eq!([0, 1, 2, 3, 4].map(|place| begins(place, 5)), [1_000, 2_000, 3_000, 4_000, 5_000]);
    assert_eq!(begins(0, 1), 1_000);
    assert_eq!(begins(9, 5), 5_000, "nobody begins after the span");
}

#[test]
fn faults_make_a_path_worse_while_they_last() {
    let faults = "loss = 0.5\ndelay = \"5ms\"\n[[fault]]\nat = \"1s\"\nfor = \"2s\"\npath = \"isp-a\"\nloss = 0.25\n\
                  [[fault]]\nat = \"2s\"\nfor = \"2s\"\npath = \"isp-a\"\ndelay = \"300ms\"\n\
                  [[fault]]\nat = \"3s\"\nfor = \"2s\"\npath = \"isp-a\"\ncut = true\n[[fault]]\nat = \"9s\"\nkill_centre = true\n";
    let script = Script::parse(&format!("{SMALL}{faults}"), "").unwrap();
    let at = |seconds| script.quality(0, Duration::from_secs(seconds));
    let half = Chance::new(0.5).unwrap();
    assert_eq!((at(0), at(1), at(5)), (script.paths[0].quality, script.paths[0].quality, script.paths[0].quality));
    assert_eq!((at(2).loss, at(2).delay), (half, Duration::from_millis(300)));
    assert_eq!((at(3).loss, at(4).loss), (Chance::ALWAYS, Chance::ALWAYS));
    assert_eq!(script.kills(), [Duration::from_secs(9)]);
}

#[test]
fn every_station_has_a_path_and_shares_are_kept() {
    let other = "[[path]]\nname = \"isp-b\"\nkind = \"http\"\nshare = 0.25\n";
    let script = Script::parse(&format!("{SMALL}{other}"), "").unwrap();
    let paths: Vec<_> = (1..=4_000).map(|no| script.paths_of(StationNo(no))).collect();
    assert!(paths.iter().all(|paths| paths[0] == 0));
    let both = paths.iter().filter(|paths| paths.len() == 2).count();
    assert!((900..1_100).contains(&both), "{both}");
}

#[test]
fn a_drill_in_peace_has_no_floods() {
    let flood = "[[flood]]\nkind = \"garbage\"\nat = \"0s\"\nfor = \"1500ms\"\nrate = 3\n";
    let script = Script::parse(&format!("{SMALL}{flood}"), "").unwrap();
    assert_eq!(script.floods[0].most(), 5);
    assert_eq!(script.without_floods(), small());
}
