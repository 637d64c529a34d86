//! The program's system calls: followed, made to fail, or the last thing that it did. By strace.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::signal;
use crate::world::program;

/// Whatever changes a disk or tells somebody something.
pub(super) const TELLING: &str =
    "trace=mkdir,openat,write,pwrite64,ftruncate,fsync,fdatasync,link,linkat,rename,unlink,sendto";

/// Whether calls can be followed here, those of a running program too. Where they cannot, says so: the test that asks is skipped.
pub(super) fn can_trace() -> bool {
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    let mut command = Command::new("strace");
    let tried = Attached::try_start(command.args(["-o", "/dev/null", "-p", &sleeper.id().to_string()])).map(drop);
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    if let Err(why) = &tried {
        eprintln!("skipped: strace is not installed (package strace), or may not follow a program here: {why}");
    }
    tried.is_ok()
}

/// The command `strace`, to be followed by what it is to run. It stays in the background: the process is the program, and dies as
/// the program.
pub(super) fn strace(rules: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args(["-D", "-f", "-q"]);
    command.args(rules.iter().flat_map(|rule| ["-e", rule]));
    command
}

/// The program, killed on entering its `nth` call of these kinds; each thread counts its own.
pub(super) fn killed_at(calls: &str, nth: usize) -> Command {
    let [trace, inject] = [format!("trace={calls}"), format!("inject={calls}:signal=SIGKILL:when={nth}")];
    let mut command = strace(&[&trace, &inject]);
    command.args(["-o", "/dev/null"]).arg(program().get_program());
    command
}

/// A call that has returned, or that the program died in.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// When it counts: a message when its sending began, anything else when it was done. Microseconds since 1970.
    at: u64,
    pub(super) name: String,
    pub(super) arguments: String,
    /// Nothing if the program died in it.
    pub(super) result: Option<i64>,
}

/// Where the calls of one run are written, a file a thread: so no line is broken by another thread's.
pub(super) struct Trace {
    prefix: PathBuf,
}

impl Trace {
    pub(super) fn new(folder: &Path, name: &str) -> Self {
        fs::create_dir_all(folder.join(name)).unwrap();
        Self { prefix: folder.join(name).join("thread") }
    }

    /// The program under strace from its start.
    pub(super) fn run(&self, rules: &[&str]) -> Command {
        let mut command = strace(&Self::with_tellers(rules));
        self.form(&mut command).arg(program().get_program());
        command
    }

    /// Follows a running program.
    pub(super) fn attach(&self, pid: u32, rules: &[&str]) -> Attached {
        Attached::new(pid, &Self::with_tellers(rules), |command| self.form(command))
    }

    fn with_tellers<'r>(rules: &[&'r str]) -> Vec<&'r str> {
        [&[TELLING], rules].concat()
    }

    fn form<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        // All strings in hexadecimal: then no quotation mark or bracket is part of one.
        command.args(["-ff", "-ttt", "-T", "-y", "-xx", "-s", "70000", "-o"]).arg(&self.prefix)
    }

    /// Everything that the program did, once it has ended.
    pub(super) fn calls(&self) -> Vec<Call> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let threads = self.threads();
            if !threads.is_empty() && threads.iter().all(|text| text.trim_end().ends_with("+++")) {
                let mut calls: Vec<_> = threads.iter().flat_map(|text| text.lines().filter_map(parse)).collect();
                calls.sort_by_key(|call| call.at);
                return calls;
            }
            assert!(Instant::now() < deadline, "strace did not finish: {threads:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn threads(&self) -> Vec<String> {
        let files = fs::read_dir(self.prefix.parent().unwrap()).unwrap();
        files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

/// A tracer of a running program. Dropped, it lets go of it, and the faults end.
pub(super) struct Attached(Child);

impl Attached {
    fn new(pid: u32, rules: &[&str], form: impl FnOnce(&mut Command) -> &mut Command) -> Self {
        let mut command = Command::new("strace");
        command.arg("-f").args(rules.iter().flat_map(|rule| ["-e", rule]));
        Self::start(form(&mut command).arg("-p").arg(pid.to_string()))
    }

    /// Faults in a running program's calls, or in those that concern one of these paths if any are given.
    pub(super) fn inject(pid: u32, rule: &str, paths: &[PathBuf]) -> Self {
        Self::new(pid, &[&format!("inject={rule}")], |command| {
            command.args(["-o", "/dev/null"]).args(paths.iter().flat_map(|path| [Path::new("-P"), path]))
        })
    }

    /// Faults in the calls of one thread.
    pub(super) fn inject_thread(thread: u32, rule: &str) -> Self {
        let mut command = Command::new("strace");
        command.args(["-e", &format!("inject={rule}"), "-o", "/dev/null", "-p"]).arg(thread.to_string());
        Self::start(&mut command)
    }

    fn start(command: &mut Command) -> Self {
        Self::try_start(command).unwrap_or_else(|why| panic!("strace cannot follow the program: {why}"))
    }

    /// Returns once it follows.
    fn try_start(command: &mut Command) -> Result<Self, String> {
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let attached = Self(child);
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        if !line.contains("attached") {
            return Err(line);
        }
        // It must not end because nobody reads what else it says.
        thread::spawn(move || said.lines().for_each(drop));
        Ok(attached)
    }

    /// Waits until the program that is followed has ended.
    pub(super) fn ended(mut self) {
        self.0.wait().unwrap();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.0.id(), "TERM");
        }
        let _ = self.0.wait();
    }
}

/// A line such as `1700000000.000001 fsync(3<\x2f…>) = 0 <0.000042>`.
fn parse(line: &str) -> Option<Call> {
    let (start, rest) = line.split_once(' ')?;
    let (name, rest) = rest.split_once('(')?;
    let (arguments, end) = rest.rsplit_once(" = ")?;
    let arguments = arguments.trim_end().strip_suffix(')')?.to_owned();
    let result = end.split(['<', ' ']).next()?.parse().ok();
    let took = end.rsplit_once('<').and_then(|(_, took)| micros(took.strip_suffix('>')?)).unwrap_or(0);
    let start = micros(start)?;
    let at = if name == "sendto" { start } else { start + took };
    Some(Call { at, name: name.to_owned(), arguments, result })
}

fn micros(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + fraction.parse::<u64>().ok()?)
}

impl Call {
    /// Its strings: paths, or the bytes written.
    pub(super) fn strings(&self) -> Vec<Vec<u8>> {
        self.arguments.split('"').skip(1).step_by(2).map(bytes).collect()
    }

    /// Where its first descriptor leads.
    pub(super) fn file(&self) -> Option<PathBuf> {
        let (_, rest) = self.arguments.split_once('<')?;
        Some(path(&bytes(rest.split_once('>')?.0)))
    }

    /// The path that is its `nth` string, seen from `folder`.
    pub(super) fn path(&self, folder: &Path, nth: usize) -> PathBuf {
        folder.join(path(&self.strings()[nth]))
    }

    /// Its last number: an offset, or a length.
    pub(super) fn number(&self) -> usize {
        self.arguments.rsplit([',', ' ']).next().unwrap().parse().unwrap()
    }

    pub(super) fn succeeded(&self) -> bool {
        self.result.is_some_and(|result| result >= 0)
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    String::from_utf8(bytes.to_vec()).unwrap().into()
}

/// `\x2f\x74` as bytes.
fn bytes(hex: &str) -> Vec<u8> {
    hex.split("\\x").skip(1).map(|byte| u8::from_str_radix(&byte[..2], 16).unwrap()).collect()
}
