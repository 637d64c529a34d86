//! A made-up election night, the same every time: for the tests and for `examples/render_demo.rs`.

use std::{fmt::Write, sync::Arc};

use ed25519_dalek::SigningKey;
use tallyproof_count::{
    Judged, JudgedRecord, Ledger, SignedBy, SlotStatus, Totals, bulletin::Document, judge_statement, ledger::Applied,
};
use tallyproof_log::{
    checkpoint::Checkpoint,
    merkle::{self, Hash},
    note::{KeyName, SignerKey},
};
use tallyproof_record::{
    ContestNo, Election, StationNo, Tally,
    definition::{
        Agent, Authority, Committed, Member, Phase, StationKey,
        package::{self, Files},
        results::Figures,
    },
    rules,
    statement::{Act, Correction, Draft, Endorsement, LaterStage, Reason, Statement, Verdict},
};
use tallyproof_site::{SiteInput, Witnessing, bulletin::Bulletin};

/// Chosen so that even a small night has a missing and a quarantined station.
const SEED: u64 = 5;

/// What the pages of a made-up night are made from.
pub(crate) struct Demo {
    /// The count.
    pub(crate) ledger: Ledger,
    /// Its sums.
    pub(crate) totals: Totals,
    root: Hash,
    signer: SignerKey,
}

impl Demo {
    /// Counts `records` on a definition's four files.
    pub(crate) fn new(files: &Files, records: impl Fn(&Committed) -> Vec<Tally>) -> Self {
        Self::of(package::parse(files).expect("the demo's package is valid"), records)
    }

    fn of(election: Election, records: impl Fn(&Committed) -> Vec<Tally>) -> Self {
        let definition = Arc::new(election.commit());
        let mut ledger = Ledger::new(Arc::clone(&definition));
        for (index, tally) in (1u64..).zip(records(&definition)) {
            let findings = rules::check(&definition, &tally);
            let digest = merkle::leaf_hash(&index.to_be_bytes()).0;
            ledger.apply(index, &Judged::Record(JudgedRecord { digest, tally, findings, signer: SignedBy::Register }));
        }
        let totals = Totals::of(&ledger);
        let root = merkle::leaf_hash(definition.canonical().manifest.as_bytes());
        let name: KeyName = "log.example/demo".parse().expect("a key name");
        Self { ledger, totals, root, signer: SignerKey::new(name, &[7; 32]) }
    }

    /// The site’s input.
    #[allow(dead_code, reason = "not every user of the night renders the site")]
    pub(crate) fn input(&self) -> SiteInput<'_> {
        SiteInput {
            ledger: &self.ledger,
            totals: &self.totals,
            root: &self.root,
            log: self.signer.verifier(),
            witnessing: Witnessing::default(),
        }
    }

    /// The third bulletin, of all that the ledger has.
    #[allow(dead_code, reason = "not every user of the night shows its bulletin")]
    pub(crate) fn document(&self) -> Document {
        Document::of(&self.ledger, 3, 1_783_000_000, self.root)
    }

    /// The same with what its page needs beside it.
    #[allow(dead_code, reason = "not every user of the night shows its bulletin")]
    pub(crate) fn bulletin<'a>(&'a self, document: &'a Document) -> Bulletin<'a> {
        Bulletin { document, hash: &[0xd0; 32], definition: self.ledger.definition(), log: self.signer.verifier() }
    }

    /// Puts a statement into the log.
    fn state(&mut self, act: Act, signers: &[&str]) {
        let definition = self.ledger.definition();
        let (election, phase) = (*definition.hash(), definition.election().phase());
        let statement = Statement { election, phase, made_at: 1_783_000_000, act };
        let mut keys = signers.iter().map(|name| person(name));
        let mut signed = Draft::new(&statement).expect("a statement").sign(&keys.next().expect("somebody signs"));
        keys.for_each(|key| signed.sign(&key).expect("few signatures"));
        let judged = judge_statement(definition, &signed.to_bytes());
        let applied = self.ledger.apply(self.ledger.entries(), &judged);
        assert_eq!(applied, Applied::Effect, "{statement:?}");
        self.totals = Totals::of(&self.ledger);
    }

    /// Adds 1,000 to the first line of a station in the first contest.
    fn correct(&mut self, station: StationNo, reason: Reason) {
        let contest = ContestNo(1);
        let slot = self.ledger.slot(station, contest).expect("it votes there");
        let figures = slot.figures.expect("it is counted");
        let mut counts = figures.counts.to_vec();
        counts[0] += 1_000;
        let verdict = Verdict::Figures(Figures { counts, stated: figures.figures().collect() });
        let replaces = self.ledger.stands(station, contest).expect("it votes there");
        let stage = LaterStage::Canvass;
        let correction = Correction { station, contest, replaces, stage, reason, verdict };
        self.state(Act::Correction(correction), &["chair", "clerk"]);
    }

    /// Issues the third bulletin.
    #[allow(dead_code, reason = "not every user of the night has a bulletin in it")]
    pub(crate) fn issue(&mut self) {
        let stated = self.document().statement(&self.document().to_json());
        self.state(Act::Bulletin(stated), &["chair", "judge"]);
    }

    /// A signed checkpoint.
    #[allow(dead_code, reason = "the example writes it, the tests do not")]
    pub(crate) fn checkpoint(&self) -> String {
        let origin = self.signer.verifier().name().clone();
        let checkpoint = Checkpoint { origin, size: self.ledger.entries(), root: self.root };
        checkpoint.sign(&self.signer).expect("the key's own log")
    }
}

/// A night with districts, coalitions, a second contest in one district, quarantined and missing stations.
pub(crate) fn night(stations: u32, phase: Phase) -> Demo {
    Demo::new(&package(stations, phase), |definition| tallies(definition, SEED))
}

/// [`night`] with an authority that corrected two stations in the first contest, one of them twice, and an agent who endorsed the
/// record of a third.
pub(crate) fn corrected_night(stations: u32, phase: Phase) -> Demo {
    let key = |name| StationKey::from(person(name).verifying_key());
    let members = ["chair", "clerk", "judge"].map(|name| Member { name: name.to_owned(), key: key(name) });
    let authority = Authority::new(2, members.into()).expect("two of three");
    let agent = Agent { id: "observer".to_owned(), name: "Observers".to_owned(), key: key("observer") };
    let election = package::parse(&package(stations, phase)).expect("the demo's package is valid");
    let mut demo = Demo::of(election.with_signatories(authority, vec![agent]), |it| tallies(it, SEED));
    let counted = demo.ledger.slots().filter(|slot| slot.contest == ContestNo(1) && slot.status == SlotStatus::Counted);
    let counted: Vec<_> = counted.map(|slot| slot.station).take(3).collect();
    let [one, two, three] = counted.try_into().expect("three stations are counted");
    demo.correct(one, Reason::Transcription);
    demo.correct(two, Reason::Recount);
    demo.correct(one, Reason::EarlierCorrection);
    let record = demo.ledger.stands(three, ContestNo(1)).and_then(|it| it.first().copied()).expect("a record stands");
    demo.state(Act::Endorsement(Endorsement { station: three, record, remark: None }), &["observer"]);
    demo
}

/// [`night`] whose first contest allots seats to lists.
#[allow(dead_code, reason = "not every user of the night has seats")]
pub(crate) fn council(stations: u32, phase: Phase) -> Demo {
    decided(stations, phase, "type = \"lists\"\nseats = 21\nmethod = \"dhondt\"\nthreshold = \"4%\"\n")
}

/// [`night`] with what decides its first contest, as lines of its table.
#[allow(dead_code, reason = "not every user of the night states a rule")]
pub(crate) fn decided(stations: u32, phase: Phase, decision: &str) -> Demo {
    let mut files = package(stations, phase);
    let head = files.get_mut("election.toml").expect("the demo has it");
    let text = String::from_utf8(head.clone()).expect("UTF-8");
    let next = "[[contest]]\nid = \"mayor\"";
    *head = text.replace(next, &format!("[contest.decision]\n{decision}\n{next}")).into_bytes();
    Demo::new(&files, |definition| tallies(definition, SEED))
}

/// 23 governors, 355 mayors and as many councils, 30,175 stations with four contests each, 80 % of which have reported.
#[allow(dead_code, reason = "the example measures it")]
pub(crate) fn mega() -> Demo {
    let (states, towns) = (23, 355);
    let mut areas = String::from("id,parent,name,kind\nall,,Example Country,country\n");
    let mut register = String::from("id,name,area,registered,kind,key\n");
    let mut head = String::from(
        "format = 1\nid = \"mega\"\nname = \"Example mega-election\"\ndate = \"2026-07-01\"\nphase = \"official\"\n",
    );
    let mut ballot = String::from("contest,line,name,candidate,candidate_name,party,party_name\n");
    let mut contest = |id: &str, name: &str, area: &str, decision: &str| {
        let _ = write!(
            head,
            "\n[[contest]]\nid = \"{id}\"\nname = \"{name}\"\narea = \"{area}\"\nfigures = [\"blank\", \"null\"]\n{decision}"
        );
        for line in 1..=8 {
            let of = line.min(6);
            let _ = writeln!(ballot, "{id},l{line},Line {line},c{of},Candidate {of},p{line},Party {line}");
        }
    };
    let lists = "[contest.decision]\ntype = \"lists\"\nseats = 9\nmethod = \"dhondt\"\nthreshold = \"3%\"\n";
    let first = "[contest.decision]\ntype = \"plurality\"\nseats = 1\n";
    for state in 0..states {
        let _ = writeln!(areas, "s{state},all,State {state},state");
        contest(&format!("gov-{state}"), &format!("Governor of State {state}"), &format!("s{state}"), first);
        contest(&format!("leg-{state}"), &format!("Council of State {state}"), &format!("s{state}"), lists);
    }
    for town in 0..towns {
        let _ = writeln!(areas, "t{town},s{},Town {town},town", town % states);
        contest(&format!("mayor-{town}"), &format!("Mayor of Town {town}"), &format!("t{town}"), first);
        contest(&format!("mun-{town}"), &format!("Council of Town {town}"), &format!("t{town}"), lists);
        for station in 0..85 {
            let _ =
                writeln!(register, "{:09},School {station},t{town},{},,", town * 1_000 + station, 380 + station * 3);
        }
    }
    let files = [("areas.csv", areas), ("stations.csv", register), ("election.toml", head), ("ballot.csv", ballot)];
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
    Demo::new(&files, |definition| {
        let mut tallies = tallies(definition, SEED);
        tallies.retain(|tally| tally.station.0 % 5 != 2);
        // The made-up turnouts of one station differ from contest to contest, which a rule would find.
        for tally in &mut tallies {
            tally.voters = None;
        }
        tallies
    })
}

fn person(name: &str) -> SigningKey {
    let mut seed = [0x61; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SigningKey::from_bytes(&seed)
}

/// The package of [`night`].
pub(crate) fn package(stations: u32, phase: Phase) -> Files {
    let mut areas = String::from("id,parent,name,kind\nall,,Example State,state\n");
    let mut register = String::from("id,name,area,registered,kind,key\n");
    let districts = 12;
    for district in 1..=districts {
        let _ = writeln!(areas, "d{district},all,District {district},district");
        for town in 1..=3 {
            let _ = writeln!(areas, "t{district}-{town},d{district},Town {district}.{town},town");
        }
    }
    for station in 0..stations {
        // Districts of unequal size: the later ones hold more stations.
        let district = 1 + (station * 7 % 144).isqrt().min(districts - 1);
        let (town, registered) = (1 + station % 3, 380 + station * 131 % 370);
        let _ = writeln!(register, "{:05},School {},t{district}-{town},{registered},,", station + 1, station + 1);
    }
    let head = format!(
        "format = 1\nid = \"example\"\nname = \"Example election\"\ndate = \"2026-07-01\"\nphase = \"{phase}\"\n\
         source = \"made up, for looking at pages\"\n\n[[contest]]\nid = \"governor\"\nname = \"Governor\"\narea = \"all\"\n\
         figures = [\"blank\", \"null\", \"voters\"]\n\n[[contest]]\nid = \"mayor\"\nname = \"Mayor of District 12\"\narea = \"d12\"\n"
    );
    let ballot = "contest,line,name,candidate,candidate_name,party,party_name\n\
        governor,a,Alder,c1,Candidate One,a,Alder\n\
        governor,b,Birch,c2,Candidate Two,b,Birch\n\
        governor,c,Cedar,c2,Candidate Two,c,Cedar\n\
        governor,bc,Birch with Cedar,c2,Candidate Two,,\n\
        governor,d,Dogwood,c3,Candidate Three,d,Dogwood\n\
        governor,e,Elm,c4,Candidate Four,e,Elm\n\
        governor,f,Fir,c5,Candidate Five,f,Fir\n\
        mayor,x,Hazel,x,Candidate Hazel,,\n\
        mayor,y,Ivy,y,Candidate Ivy,,\n";
    [("areas.csv", areas), ("stations.csv", register), ("election.toml", head), ("ballot.csv", ballot.to_owned())]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect()
}

/// A record for each station and contest, but for those that stay missing; some do not add up, some come twice.
fn tallies(definition: &Committed, seed: u64) -> Vec<Tally> {
    let election = definition.election();
    let mut dice = Dice(seed);
    let mut tallies = Vec::new();
    for (contest_no, contest) in election.numbered_contests() {
        for (station_no, station) in election.numbered_stations() {
            if !election.holds(station, contest) || dice.below(100) < 3 {
                continue;
            }
            let turnout = station.registered.unwrap_or(400) * (50 + dice.below(30)) / 100;
            let tally = tally(definition, (station_no, contest_no), turnout, contest.lines.len(), &mut dice);
            if dice.below(250) == 0 {
                let mut other = tally.clone();
                other.sealed_at += 60;
                tallies.push(other);
            }
            tallies.push(tally);
        }
    }
    tallies
}

fn tally(definition: &Committed, slot: (StationNo, ContestNo), turnout: u32, lines: usize, dice: &mut Dice) -> Tally {
    let weights = [340, 190, 60, 25, 210, 90, 40];
    let mut counts: Vec<u32> =
        weights.iter().cycle().take(lines).map(|weight| turnout * (weight - 20 + dice.below(40)) / 1_000).collect();
    let blank = dice.below(9);
    let null = dice.below(17);
    let mut voters = counts.iter().sum::<u32>() + blank + null;
    match dice.below(60) {
        0 => voters += 7,
        1 => counts[0] += 1_000,
        _ => {}
    }
    Tally {
        blank: Some(blank),
        null: Some(null),
        voters: Some(voters),
        ..Tally::new(*definition.hash(), definition.election().phase(), slot.0, slot.1, 1_782_950_000, counts)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014), so that every run makes up the same night.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(bound)).unwrap_or(0)
    }
}
