//! The real witness, asked over real sockets about logs of the real centre: every step of C2SP tlog-witness, restarts between any
//! two of them, races, a full disk, and a centre that forks its log.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tallyproof_count::bundle;
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::fork::ForkProof;
use tallyproof_log::merkle::{Hash, leaf_hash};
use tallyproof_log::note::{SignedNote, SignerKey, VerifierKey};
use tallyproof_log::tile::{TilePath, decode_entries, encode_entries, tiles_for};
use tallyproof_log::tree::Tree;
use tallyproof_log::witness::{AddCheckpoint, Answer};

use crate::world::{Field, World, program};

const STATIONS: u32 = 340;
const PATIENCE: Duration = Duration::from_secs(30);

/// The key of [`World`]'s log, which its owner may use as he likes.
fn log_key() -> SignerKey {
    SignerKey::new("log.example/world".parse().unwrap(), &[4; 32])
}

/// Has the world's centre take records of these stations, and stops it: its bundle is then of all of them.
fn night(world: &World, stations: impl Iterator<Item = u32>, version: u32) {
    let centre = world.serve();
    let mut field = Field::new(world, stations.map(|no| (no, world.seal(no, 1, version))));
    field.work(centre.udp, usize::MAX, Instant::now() + PATIENCE);
    assert!(field.done(field.len()), "{} receipts: {}", field.receipted.len(), world.log());
    centre.stop();
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap().success());
}

/// The same centre, its journal and bundle copied: what a forking centre starts the other side with.
fn other_side(world: &World) -> World {
    let other = World::new(STATIONS);
    for folder in ["disk", "bundle"] {
        // `disk` is there and empty.
        let _ = fs::remove_dir(other.path(folder));
        copy(&world.path(folder), &other.path(folder));
    }
    other
}

/// A published log, and what its owner can say of it.
pub(crate) struct Log {
    tree: Tree,
    entries: Vec<Vec<u8>>,
}

impl Log {
    pub(crate) fn of(world: &World) -> Self {
        let checkpoint = fs::read_to_string(world.path("bundle/log/checkpoint")).unwrap();
        let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        let bundles = (0..size.div_ceil(256)).flat_map(|index| {
            let width = u16::try_from((size - index * 256).min(256)).unwrap();
            let path = world.path("bundle/log").join(TilePath::entries(index, width).unwrap().to_string());
            let bytes = fs::read(path).unwrap();
            decode_entries(&bytes, width).unwrap().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>()
        });
        Self::with(bundles.collect())
    }

    fn with(entries: Vec<Vec<u8>>) -> Self {
        Self { tree: entries.iter().map(|entry| leaf_hash(entry)).collect(), entries }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    fn signed(&self, size: u64) -> SignedNote {
        sign(size, self.tree.root_at(size).unwrap())
    }

    pub(crate) fn request(&self, old: u64, size: u64) -> String {
        let proof = self.tree.consistency_proof(old, size).unwrap();
        AddCheckpoint::new(old, proof, self.signed(size)).unwrap().to_string()
    }

    /// Writes the log, and the world's definition, as a bundle that its owner never had a centre make.
    fn publish(&self, world: &World, folder: &Path) {
        copy(&world.path("bundle"), folder);
        fs::remove_dir_all(folder.join("log")).unwrap();
        for tile in tiles_for(0, self.size()) {
            let bytes = self.tree.tile(&tile).unwrap_or_else(|| {
                let first = usize::try_from(tile.first().unwrap()).unwrap();
                encode_entries(&self.entries[first..first + usize::from(tile.width())]).unwrap()
            });
            let path = folder.join(bundle::tile_path(&tile));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        fs::write(folder.join(bundle::CHECKPOINT), self.signed(self.size()).to_string()).unwrap();
    }
}

fn sign(size: u64, root: Hash) -> SignedNote {
    let checkpoint = Checkpoint { origin: "log.example/world".parse().unwrap(), size, root };
    SignedNote::parse(checkpoint.sign(&log_key()).unwrap().as_bytes()).unwrap()
}

/// A witness's folder inside the world's.
pub(crate) fn init(world: &World, name: &str, from: &Path) -> PathBuf {
    let folder = world.path(name);
    let made = run(program()
        .args(["--json", "witness", "init"])
        .arg(&folder)
        .args([
            "--ml-dsa",
            "--name",
            &format!("{name}.example/witness"),
            "--log",
            &log_key().verifier().to_string(),
            "--from",
        ])
        .arg(from));
    assert_eq!(made["keys"].as_array().unwrap().len(), 2, "{made}");
    folder
}

/// The JSON of a command that ended with 0.
fn run(command: &mut Command) -> Value {
    json(&output(command, 0))
}

fn output(command: &mut Command, code: i32) -> Output {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{command:?} {output:?}");
    output
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

fn poll(folder: &Path, code: i32, more: &[&str]) -> Value {
    json(&output(program().args(["--json", "witness", "poll"]).arg(folder).args(more), code))
}

/// The running witness. Dropped, it is killed.
pub(crate) struct Witness {
    pub(crate) child: Child,
    pub(crate) http: SocketAddr,
    folder: PathBuf,
}

impl Witness {
    pub(crate) fn serve(folder: &Path, more: &[&str]) -> Self {
        Self::serve_by(program(), folder, more)
    }

    pub(crate) fn serve_by(mut command: Command, folder: &Path, more: &[&str]) -> Self {
        command
            .args(["witness", "serve"])
            .arg(folder)
            .args(["--listen", "127.0.0.1:0", "--look-every", "50ms"])
            .args(more);
        let log = File::options().create(true).append(true).open(folder.with_extension("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let http = line.split_whitespace().find_map(|word| word.strip_prefix("http=")?.parse().ok());
        let witness = |http| Self { child, http, folder: folder.to_owned() };
        http.map_or_else(|| panic!("the witness did not start: {line:?} {}", stderr(folder)), witness)
    }

    /// kill -9, and start again.
    fn restart(self, more: &[&str]) -> Self {
        let folder = self.folder.clone();
        drop(self);
        Self::serve(&folder, more)
    }

    fn end(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    fn post(&self, body: &str) -> (u16, Option<String>, Vec<u8>) {
        post(self.http, body)
    }

    pub(crate) fn answer(&self, body: &str) -> Answer {
        let (status, kind, body) = self.post(body);
        Answer::parse(status, kind.as_deref(), &body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", String::from_utf8_lossy(&body), stderr(&self.folder)))
    }

    fn get(&self, path: &str) -> (u16, String) {
        let mut response = agent().get(format!("http://{}{path}", self.http)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    pub(crate) fn status(&self) -> Value {
        let (code, body) = self.get("/status");
        assert_eq!(code, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    pub(crate) fn wait_for(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if wanted(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "not what was waited for: {status} {}", stderr(&self.folder));
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The answer holds cosignatures of both keys, and the read side shows them.
    fn assert_cosigned(&self, log: &Log, size: u64, answer: &Answer) {
        let Answer::Cosigned(signatures) = answer else { panic!("{answer:?} {}", stderr(&self.folder)) };
        let keys = self.keys();
        let mut note = log.signed(size);
        assert_eq!(signatures.len(), 2);
        for (signature, key) in signatures.iter().zip(&keys) {
            note.attach(signature.clone(), key).unwrap();
        }
        let name = tallyproof_count::manifest::file_hash(b"log.example/world").to_string();
        assert_eq!(self.get(&format!("/{name}/checkpoint")), (200, note.to_string()));
        assert_eq!(self.cosigned(), size);
    }

    fn keys(&self) -> Vec<VerifierKey> {
        let keys = self.status()["keys"].clone();
        keys.as_array().unwrap().iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect()
    }

    /// Size of the checkpoint in the state's file.
    fn cosigned(&self) -> u64 {
        cosigned(&self.folder)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Fails only for a process that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn cosigned(folder: &Path) -> u64 {
    let state = fs::read_to_string(folder.join("state")).unwrap();
    state.split_once("\n\n").unwrap().1.lines().nth(1).map_or(0, |size| size.parse().unwrap())
}

fn stderr(folder: &Path) -> String {
    fs::read_to_string(folder.with_extension("log")).unwrap_or_default()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

fn post(to: SocketAddr, body: &str) -> (u16, Option<String>, Vec<u8>) {
    let mut response = agent().post(format!("http://{to}/add-checkpoint")).send(body).unwrap();
    let kind = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), kind, response.body_mut().read_to_vec().unwrap())
}

fn alarms(status: &Value, kind: &str) -> usize {
    status["alarms"].as_array().unwrap().iter().filter(|alarm| alarm["kind"] == kind).count()
}

/// Files of the proofs that a witness keeps.
fn proofs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder.join("proofs")) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A world whose log has one entry for each station but the last few.
pub(crate) fn world() -> World {
    let world = World::new(STATIONS);
    night(&world, 1..=STATIONS - 40, 0);
    world
}

/// What a step does to the witness, and what it answers.
type Step<'a> = (&'a str, String, Answer);

fn steps(log: &Log) -> Vec<(Step<'static>, u64)> {
    let conflict = |size| Answer::Conflict { size };
    let cosigned = || Answer::Cosigned(Vec::new());
    let other = leaf_hash(b"other");
    let swapped = |old, size| log.request(old, size).replacen('\n', &format!("\n{}\n", other.to_base64()), 1);
    let of = |note: SignedNote, old| AddCheckpoint::new(old, Vec::new(), note).unwrap().to_string();
    let foreign = |name: &str, seed| {
        let key = SignerKey::new(name.parse().unwrap(), &[seed; 32]);
        let checkpoint = Checkpoint { origin: key.verifier().name().clone(), size: 9, root: other };
        SignedNote::parse(checkpoint.sign(&key).unwrap().as_bytes()).unwrap()
    };
    let hashes = format!("{}\n", other.to_base64()).repeat(64);
    let last = log.size();
    vec![
        (("before anything was cosigned", log.request(5, 9), conflict(0)), 0),
        (("another origin", of(foreign("log.example/other", 4), 0), Answer::UnknownLog), 0),
        (("another key", of(foreign("log.example/world", 5), 0), Answer::NotSigned), 0),
        (("the first checkpoint", log.request(0, 9), cosigned()), 9),
        (("the same size twice", log.request(9, 9), cosigned()), 9),
        (("growth", log.request(9, 200), cosigned()), 200),
        (("a bad proof", swapped(200, 260), Answer::Inconsistent), 200),
        (("a wrong old size", log.request(9, 260), conflict(200)), 200),
        (("shrinking", log.request(0, 100), conflict(200)), 200),
        (
            (
                "an old size beyond the checkpoint",
                log.request(0, 100).replacen("old 0", "old 200", 1),
                Answer::Malformed,
            ),
            200,
        ),
        (("64 hashes", log.request(200, 260).replacen('\n', &format!("\n{hashes}"), 1), Answer::Malformed), 200),
        (("cut short", log.request(200, 260)[..200].to_owned(), Answer::Malformed), 200),
        (("nothing", String::new(), Answer::Malformed), 200),
        (("growth to the end", log.request(200, last), cosigned()), last),
        (("the end again", log.request(last, last), cosigned()), last),
        (("the same size, another root", of(sign(last, other), last), Answer::Inconsistent), last),
    ]
}

fn walk(restarts: bool) {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    let mut witness = Witness::serve(&folder, &[]);
    for ((name, body, expected), size) in steps(&log) {
        let answer = witness.answer(&body);
        match expected {
            Answer::Cosigned(_) => witness.assert_cosigned(&log, size, &answer),
            _ => assert_eq!(answer, expected, "{name}"),
        }
        assert_eq!(witness.cosigned(), size, "{name}");
        if restarts {
            witness = witness.restart(&[]);
            assert_eq!(witness.cosigned(), size, "{name}");
        }
    }
    // The last step was a fork: the log's key has signed two roots of one size. The proof is kept before the answer leaves.
    assert_eq!(proofs(&folder).len(), 1);
}

#[test]
fn a_witness_passes_every_step() {
    walk(false);
}

#[test]
fn a_witness_killed_between_any_two_steps_passes_every_step() {
    walk(true);
}

#[test]
fn the_wire_is_as_the_protocol_says() {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    let witness = Witness::serve(&folder, &[]);
    let (status, kind, body) = witness.post(&log.request(5, 9));
    assert_eq!((status, kind.as_deref(), body.as_slice()), (409, Some("text/x.tlog.size"), b"0\n".as_slice()));
    // A body that breaks off before its stated length is no request, whatever it holds.
    let request = log.request(0, 9);
    let mut stream = TcpStream::connect(witness.http).unwrap();
    write!(
        stream,
        "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {}\r\n\r\n{request}",
        request.len() + 9
    )
    .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(witness.cosigned(), 0);
    // A length that no request has is not waited for: none of the body is sent.
    let mut stream = TcpStream::connect(witness.http).unwrap();
    write!(stream, "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {}\r\n\r\n", 2 << 20).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 413"), "{line}");
    assert_eq!(witness.get("/0000/checkpoint").0, 404);
    assert_eq!(witness.get("/add-checkpoint").0, 405);
    let name = tallyproof_count::manifest::file_hash(b"log.example/world").to_string();
    assert_eq!(witness.get(&format!("/{name}/checkpoint")).0, 404, "nothing is cosigned yet");
    witness.assert_cosigned(&log, 9, &witness.answer(&request));
    // The copy is there for others to compare with.
    let (code, checkpoint) = witness.get("/copy/log/checkpoint");
    assert_eq!((code, checkpoint), (200, log.signed(log.size()).to_string()));
    assert_eq!(witness.get("/copy/../key").0, 404);
    assert_eq!(witness.get("/copy/%2e%2e/key").0, 404);
}

#[test]
fn of_racing_requests_exactly_one_wins() {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    let witness = Witness::serve(&folder, &[]);
    let mut old = 0;
    for round in 1..=8_u64 {
        let requests: Vec<_> = (0..4).map(|n| (round * 30 + n, log.request(old, round * 30 + n))).collect();
        let http = witness.http;
        let answers: Vec<_> = thread::scope(|scope| {
            let posts: Vec<_> = requests.iter().map(|(_, body)| scope.spawn(move || post(http, body))).collect();
            posts.into_iter().map(|post| post.join().unwrap()).collect()
        });
        let won: Vec<_> = (0..4).filter(|&n| answers[n].0 == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        old = requests[won[0]].0;
        for answer in answers.iter().filter(|answer| answer.0 != 200) {
            assert_eq!((answer.0, String::from_utf8_lossy(&answer.2).into_owned()), (409, format!("{old}\n")));
        }
        assert_eq!(witness.cosigned(), old);
    }
}

#[test]
fn a_growing_log_is_followed_and_the_centre_s_totals_compared() {
    let world = World::new(STATIONS);
    let centre = world.serve();
    let folder = init(&world, "w", &world.path("bundle"));
    let witness = Witness::serve(&folder, &[]);
    let mut field = Field::new(&world, (1..=STATIONS).map(|no| (no, world.seal(no, 1, no % 3))));
    for part in 1..=4 {
        let count = field.len() * part / 4;
        field.work(centre.udp, count, Instant::now() + PATIENCE);
        assert!(field.done(count));
        witness.wait_for(|status| status["recounted"].as_u64() > Some(count as u64));
    }
    let size = u64::from(STATIONS) + 1;
    let level = witness.wait_for(|status| status["same_totals_at"] == size);
    centre.stop();
    let log = Log::of(&world);
    let verified = run(program().args(["--json", "verify"]).arg(world.path("bundle")));
    for field in ["root", "counted", "quarantined", "missing", "rejected", "totals", "definition", "phase"] {
        assert_eq!(level[field], verified[field], "{field}");
    }
    witness.assert_cosigned(&log, size, &witness.answer(&log.request(0, size)));
    // The copy is what the centre published.
    for tile in tiles_for(0, size) {
        let path = bundle::tile_path(&tile);
        assert!(
            fs::read(folder.join("copy").join(&path)).unwrap() == fs::read(world.path("bundle").join(&path)).unwrap()
        );
    }
    let (code, page) = witness.get("/");
    assert!(
        code == 200 && page.contains("w.example/witness") && page.contains(level["root"].as_str().unwrap()),
        "{page}"
    );
    assert_eq!(witness.end(), Some(0), "no alarm was raised");
}

#[test]
fn a_log_out_of_reach_is_not_cosigned_until_it_is_back() {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    fs::rename(world.path("bundle"), world.path("away")).unwrap();
    let witness = Witness::serve(&folder, &["--patience", "300ms"]);
    let response = agent().post(format!("http://{}/add-checkpoint", witness.http)).send(log.request(0, 9)).unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(witness.cosigned(), 0);
    assert!(witness.status()["trouble"].is_string());
    fs::rename(world.path("away"), world.path("bundle")).unwrap();
    witness.wait_for(|status| status["trouble"].is_null());
    witness.assert_cosigned(&log, 9, &witness.answer(&log.request(0, 9)));
    assert_eq!(witness.end(), Some(0), "an absent log is no alarm");
}

#[test]
fn a_state_is_never_made_again() {
    let world = world();
    let folder = init(&world, "w", &world.path("bundle"));
    let again = program()
        .args(["witness", "init"])
        .arg(&folder)
        .args(["--name", "x", "--log"])
        .arg(log_key().verifier().to_string())
        .arg("--from")
        .arg(world.path("bundle"))
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(2), "{again:?}");
    fs::remove_file(folder.join("state")).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["poll"]] {
        let refused = output(program().arg("witness").args(command).arg(&folder), 2);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("never made again") && said.contains("retire this witness"), "{said}");
        assert!(!folder.join("state").exists());
    }
}

#[test]
fn one_state_serves_one_witness() {
    let world = world();
    let folder = init(&world, "w", &world.path("bundle"));
    let _witness = Witness::serve(&folder, &[]);
    let second = output(program().args(["witness", "poll"]).arg(&folder), 2);
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another witness"), "{second:?}");
}

#[test]
fn a_damaged_copy_is_found_at_the_start_and_a_lost_one_is_fetched_again() {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    poll(&folder, 0, &[]);
    let tile = folder.join("copy/log/tile/entries/000");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[100] ^= 1;
    fs::write(&tile, &bytes).unwrap();
    let refused = output(program().args(["witness", "poll"]).arg(&folder), 2);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the copy that this witness made"), "{refused:?}");
    fs::remove_dir_all(folder.join("copy/log")).unwrap();
    let polled = poll(&folder, 0, &[]);
    assert_eq!((polled["recounted"].as_u64(), cosigned(&folder)), (Some(log.size()), log.size()));
}

/// A disk of its own for the witness's folder, where a mount namespace can be had without privilege.
#[test]
fn a_full_disk_gives_no_cosignature_and_costs_nothing() {
    let mountable = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !mountable.is_ok_and(|output| output.status.success()) {
        return eprintln!(
            "skipped: no mount namespace without privilege here; witness::file_size_limit is the next best"
        );
    }
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    copy(&folder, &world.path("made"));
    let mut command = Command::new("unshare");
    command.args([
        "-rm",
        "sh",
        "-c",
        "mount -t tmpfs -o size=8m none \"$0\" && cp -r \"$1\"/. \"$0\" && shift && exec \"$@\"",
    ]);
    command.arg(&folder).arg(world.path("made")).arg(program().get_program());
    let witness = Witness::serve_by(command, &folder, &["--patience", "500ms"]);
    let inside = PathBuf::from(format!("/proc/{}/root{}", witness.child.id(), folder.display()));
    assert!(matches!(witness.answer(&log.request(0, 100)), Answer::Cosigned(_)));
    let ballast = inside.join("ballast");
    let mut file = File::create(&ballast).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    for _ in 0..3 {
        let (status, _, body) = witness.post(&log.request(100, 200));
        assert_eq!(status, 503, "{}", String::from_utf8_lossy(&body));
        assert_eq!(cosigned(&inside), 100);
    }
    assert_eq!(witness.answer(&log.request(50, 200)), Answer::Conflict { size: 100 });
    drop(file);
    fs::remove_file(ballast).unwrap();
    assert!(matches!(witness.answer(&log.request(100, 200)), Answer::Cosigned(_)));
    assert_eq!(cosigned(&inside), 200);
}

/// No file of the witness may be longer than a few bytes: what a full quota does, without a disk of its own.
#[test]
fn file_size_limit() {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh"]).arg(program().get_program());
    let witness = Witness::serve_by(command, &folder, &["--patience", "500ms"]);
    let limit = |bytes: &str| {
        let pid = witness.child.id().to_string();
        let mut prlimit = Command::new("prlimit");
        assert!(prlimit.args(["--pid", &pid, &format!("--fsize={bytes}:")]).status().unwrap().success());
    };
    assert!(matches!(witness.answer(&log.request(0, 100)), Answer::Cosigned(_)));
    let before = fs::read(folder.join("state")).unwrap();
    limit("100");
    assert_eq!(witness.post(&log.request(100, 200)).0, 503);
    assert!(fs::read(folder.join("state")).unwrap() == before);
    assert_eq!(witness.answer(&log.request(50, 200)), Answer::Conflict { size: 100 });
    limit("unlimited");
    assert!(matches!(witness.answer(&log.request(100, 200)), Answer::Cosigned(_)));
    assert_eq!(witness.cosigned(), 200);
}

/// The bundle of an honest beginning, and two centres that went on from there each in its own way.
fn sides() -> (World, World) {
    let a = World::new(STATIONS);
    night(&a, 1..=200, 0);
    let b = other_side(&a);
    night(&a, 201..=290, 1);
    night(&b, 201..=330, 2);
    for side in [&a, &b] {
        side.verify();
    }
    (a, b)
}

/// Checks a proof where there is no network, and with nothing but the program and the two files.
fn convinces(proof: &Path, trust: &Path) -> Value {
    let isolated = Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|output| output.status.success());
    let mut command = program();
    if isolated {
        command = Command::new("unshare");
        command.arg("-rn").arg(program().get_program());
    } else {
        eprintln!("no network namespace without privilege here: the proof is checked with the network in reach");
    }
    let elsewhere = tempfile::tempdir().unwrap();
    for (from, name) in [(proof, "proof"), (trust, "trust.toml")] {
        fs::copy(from, elsewhere.path().join(name)).unwrap();
    }
    command.current_dir(&elsewhere).args(["--json", "verify", "proof", "--trust", "trust.toml"]);
    run(&mut command)
}

fn trust(world: &World) -> PathBuf {
    let path = world.path("trust.toml");
    let text = format!("definition = \"{}\"\nlog = \"{}\"\n", world.election.hash(), log_key().verifier());
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_centre_that_forks_is_caught_by_every_witness_that_saw_the_other_side() {
    let (a, b) = sides();
    let (saw_a, saw_b) = (init(&a, "a", &a.path("bundle")), init(&b, "b", &b.path("bundle")));
    let (also_a, early) = (init(&a, "c", &a.path("bundle")), init(&a, "d", &a.path("bundle")));
    for folder in [&saw_a, &saw_b, &also_a] {
        assert_eq!(poll(folder, 0, &[])["ok"], true);
    }
    let sizes = [Log::of(&a).size(), Log::of(&b).size()];
    // Each is then shown the other side: the larger, and the smaller.
    for (folder, other) in [(&saw_a, &b), (&saw_b, &a), (&also_a, &b)] {
        let before = fs::read(folder.join("state")).unwrap();
        let polled = poll(folder, 1, &["--from", other.path("bundle").to_str().unwrap()]);
        assert_eq!(alarms(&polled, "fork"), 1, "{polled}");
        let state = fs::read(folder.join("state")).unwrap();
        assert_eq!(cosigned(folder), Log::of(if folder == &saw_b { &b } else { &a }).size());
        assert!(!state.is_empty() && before.len() == state.len());
        let [proof] = &proofs(folder)[..] else { panic!("{:?}", proofs(folder)) };
        let verdict = convinces(proof, &trust(&a));
        assert_eq!(
            (&verdict["ok"], &verdict["anchored"], &verdict["fork"]["proven"]),
            (&true.into(), &true.into(), &true.into())
        );
        assert_eq!(verdict["fork"]["sizes"], serde_json::json!(sizes));
        assert_eq!(verdict["fork"]["log"], log_key().verifier().to_string());
        assert_eq!(verdict["fork"]["origin"], "log.example/world");
        // It is held against both bundles, each of which verifies by itself.
        for side in [&a, &b] {
            let held = json(&output(
                program().args(["--json", "verify"]).arg(side.path("bundle")).arg("--proof").arg(proof),
                1,
            ));
            assert_eq!((&held["ok"], &held["problems"][0]["code"]), (&false.into(), &"BN-31".into()));
        }
    }
    // A witness that saw neither follows whichever it is shown first, and then knows.
    let from = |world: &World| world.path("bundle").to_str().unwrap().to_owned();
    let polled = poll(&early, 1, &["--from", &from(&b), "--from", &from(&a)]);
    assert_eq!((alarms(&polled, "fork"), cosigned(&early)), (1, Log::of(&b).size()));
}

#[test]
fn a_forked_checkpoint_handed_to_a_serving_witness_is_its_own_proof() {
    let (a, b) = sides();
    let (log_a, log_b) = (Log::of(&a), Log::of(&b));
    let folder = init(&a, "w", &a.path("bundle"));
    let mut witness = Witness::serve(&folder, &["--exit-on-alarm"]);
    let size = log_a.size();
    witness.assert_cosigned(&log_a, size, &witness.answer(&log_a.request(0, size)));
    // The centre asks for the other side's growth, with the other side's proof: by its own proof its log began otherwise.
    assert_eq!(witness.answer(&log_b.request(size, log_b.size())), Answer::Inconsistent);
    assert_eq!(witness.child.wait().unwrap().code(), Some(1), "it ends with the alarm");
    assert!(stderr(&folder).contains("ALARM the log has forked"), "{}", stderr(&folder));
    let [proof] = &proofs(&folder)[..] else { panic!("{:?}", proofs(&folder)) };
    assert_eq!(convinces(proof, &trust(&a))["ok"], true);
    assert_eq!(cosigned(&folder), size, "it stands by what it cosigned");
}

#[test]
fn a_fork_whose_tiles_nobody_serves_raises_an_alarm_without_proof() {
    let (a, b) = sides();
    let (log_a, log_b) = (Log::of(&a), Log::of(&b));
    let folder = init(&a, "w", &a.path("bundle"));
    let witness = Witness::serve(&folder, &[]);
    // A complete subtree: the consistency proof from it leaves its root out, so that a request proves nothing by itself.
    witness.assert_cosigned(&log_a, 256, &witness.answer(&log_a.request(0, 256)));
    assert_eq!(witness.answer(&log_b.request(256, 331)), Answer::Inconsistent);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(
        witness.status()["alarms"],
        serde_json::json!([]),
        "files that are not there are no ground for an alarm"
    );
    // Of the very size that is held, it is; then there is a proof too, out of what the witness holds.
    let held = log_a.size();
    assert_eq!(witness.answer(&log_b.request(256, held)), Answer::Inconsistent);
    witness.wait_for(|status| alarms(status, "fork") == 1);
    // Beyond what is held, with hash tiles of another history at that size, it cannot be told whose fault it is.
    let longer = Log::with([&log_a.entries[..], &log_b.entries[291..]].concat());
    longer.publish(&a, &a.path("third"));
    fs::remove_file(a.path("third/log/checkpoint")).unwrap();
    drop(witness);
    let witness = Witness::serve(&folder, &["--from", a.path("third").to_str().unwrap()]);
    assert_eq!(witness.answer(&log_b.request(256, 331)), Answer::Inconsistent);
    let status = witness.wait_for(|status| alarms(status, "not-shown") == 1);
    assert!(status["alarms"][0]["what"].as_str().unwrap().contains("is not shown to extend"), "{status}");
    assert_eq!((proofs(&folder).len(), witness.cosigned()), (1, 256));
    assert_eq!(witness.end(), Some(1));
}

#[test]
fn an_entry_that_no_honest_log_holds_is_told_and_never_cosigned() {
    let world = world();
    let log = Log::of(&world);
    let mut entries = log.entries.clone();
    *entries[250].last_mut().unwrap() ^= 1;
    let forged = Log::with(entries);
    forged.publish(&world, &world.path("forged"));
    let hook = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = init(&world, "w", &world.path("forged"));
    let url = format!("http://{}/alarm", hook.local_addr().unwrap());
    let witness = Witness::serve(&folder, &["--webhook", &url, "--patience", "500ms"]);
    let posted = receive(&hook);
    let message: Value = serde_json::from_str(posted.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!((&message["kind"], &message["witness"]), (&"entry".into(), &"w.example/witness".into()));
    assert!(message["what"].as_str().unwrap().contains("BN-21 entry 250"), "{message}");
    let (status, _, body) = witness.post(&forged.request(0, 251));
    assert_eq!(status, 503);
    assert!(String::from_utf8_lossy(&body).contains("entry 250"), "{}", String::from_utf8_lossy(&body));
    // What was sound before is still cosigned.
    witness.assert_cosigned(&forged, 250, &witness.answer(&forged.request(0, 250)));
    assert_eq!(witness.end(), Some(1));
    let polled = poll(&folder, 1, &[]);
    assert_eq!((&polled["cosignature"], cosigned(&folder)), (&Value::Null, 250));
}

/// One request's head and body; it is answered with 200.
fn receive(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        text.extend_from_slice(&buffer[..read]);
        let whole = String::from_utf8_lossy(&text).into_owned();
        let length =
            whole.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let body = whole.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if let (Some(length), Some(body)) = (length, body)
            && body >= length
        {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            return whole;
        }
    }
}

#[test]
fn totals_that_are_not_those_of_the_log_are_told() {
    let world = world();
    let folder = init(&world, "w", &world.path("bundle"));
    let manifest = fs::read_to_string(world.path("bundle/manifest")).unwrap();
    let mut manifest: tallyproof_count::manifest::Manifest =
        format!("{}\n", manifest.split_once("\n\n").unwrap().0).parse().unwrap();
    manifest.insert(bundle::TOTALS.parse().unwrap(), b"{}\n");
    fs::write(world.path("bundle/manifest"), manifest.sign(&log_key()).unwrap()).unwrap();
    let polled = poll(&folder, 1, &[]);
    assert_eq!((alarms(&polled, "totals"), &polled["same_totals_at"]), (1, &Value::Null));
    assert!(polled["cosignature"].is_string(), "the log itself is as it should be");
}

#[test]
fn a_witness_that_nobody_can_reach_carries_its_cosignature_to_the_centre() {
    let world = world();
    let log = Log::of(&world);
    let folder = init(&world, "w", &world.path("bundle"));
    let centre = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/cosignatures", centre.local_addr().unwrap());
    let (polled, posted) = thread::scope(|scope| {
        let posted = scope.spawn(|| receive(&centre));
        (poll(&folder, 0, &["--submit", &url]), posted.join().unwrap())
    });
    assert_eq!((&polled["ok"], &polled["submitted"]), (&true.into(), &true.into()));
    let note = polled["cosignature"].as_str().unwrap();
    assert!(posted.starts_with("POST /v1/cosignatures ") && posted.ends_with(note), "{posted}");
    assert_eq!(fs::read_to_string(polled["file"].as_str().unwrap()).unwrap(), note);
    // The checkpoint's text with the witness's signatures alone: the log knows its own.
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    let keys: Vec<VerifierKey> =
        polled["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().parse().unwrap()).collect();
    assert_eq!((note.text(), note.signatures().len()), (log.signed(log.size()).text(), 2));
    assert_eq!(note.verify(&keys).unwrap().signatures().len(), 2);
    // Nobody there: the file is still written.
    drop(centre);
    let polled = poll(&folder, 0, &["--submit", &url]);
    assert_eq!((&polled["submitted"], polled["cosignature"].is_string()), (&false.into(), true));
    let unreachable =
        output(program().args(["--json", "witness", "poll"]).arg(&folder).args(["--from", "/nowhere"]), 2);
    assert!(json(&unreachable)["because"].to_string().contains("cannot be followed"), "{unreachable:?}");
}

#[test]
fn rounds_go_on_until_they_are_stopped() {
    let world = World::new(STATIONS);
    night(&world, 1..=20, 0);
    let folder = init(&world, "w", &world.path("bundle"));
    let mut command = program();
    command.args(["--json", "witness", "poll"]).arg(&folder).args(["--every", "100ms"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let wait = |size: u64| {
        let deadline = Instant::now() + PATIENCE;
        while cosigned(&folder) != size {
            assert!(Instant::now() < deadline, "{} is cosigned", cosigned(&folder));
            thread::sleep(Duration::from_millis(20));
        }
    };
    wait(21);
    night(&world, 21..=50, 0);
    wait(51);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), &json(&ended)["recounted"]), (Some(0), &51.into()));
}

#[test]
fn a_proof_that_proves_nothing_is_told_from_one_that_does() {
    let world = World::new(3);
    let log = Log::with((0..9_u8).map(|byte| vec![byte]).collect());
    let other = Log::with((0..9_u8).map(|byte| vec![byte.wrapping_mul(3)]).collect());
    let proof =
        ForkProof::new(log_key().verifier().clone(), [log.signed(9), other.signed(9)], None).unwrap().to_string();
    let path = world.path("proof.txt");
    let check = |text: &str, code: i32, trust: Option<&Path>| {
        fs::write(&path, text).unwrap();
        let mut command = program();
        command.args(["--json", "verify"]).arg(&path);
        trust.map(|trust| command.arg("--trust").arg(trust));
        json(&output(&mut command, code))
    };
    let found = check(&proof, 0, None);
    assert_eq!(
        (&found["anchored"], found["fork"]["statement"].to_string().contains("give a trust file")),
        (&false.into(), true)
    );
    // Another root than the signed one: a signature no longer holds.
    let root = log.tree.root().to_base64();
    let altered = check(
        &proof.replacen(&root, &leaf_hash(b"x").to_base64(), 1),
        if log.tree.root() < leaf_hash(b"x") { 1 } else { 2 },
        None,
    );
    assert!(altered["fork"]["proven"] == false || altered["error"].is_string(), "{altered}");
    let broken = proof.replacen("AAA", "AAB", 1);
    if broken != proof {
        fs::write(&path, &broken).unwrap();
        let code = program().arg("verify").arg(&path).output().unwrap().status.code();
        assert!(matches!(code, Some(1 | 2)));
    }
    for unreadable in ["", "tallyproof-fork v1\n", &proof[..proof.len() / 2]] {
        assert!(check(unreadable, 2, None)["error"].is_string());
    }
    // Of another log than the trusted one.
    let stranger = SignerKey::new("log.example/world".parse().unwrap(), &[9; 32]);
    let trust = world.path("trust.toml");
    let text = format!("definition = \"{}\"\nlog = \"{}\"\n", world.election.hash(), stranger.verifier());
    fs::write(&trust, text).unwrap();
    let found = check(&proof, 1, Some(&trust));
    assert_eq!(
        (&found["ok"], &found["anchored"], &found["fork"]["proven"]),
        (&false.into(), &false.into(), &true.into())
    );
}
