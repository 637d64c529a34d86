//! The centre of a drill: the same program in a process of its own, so that its memory and its processor time are its
//! own, and it can be killed in the middle of the night.

use std::fs::File;
use std::io::BufReader;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tallyproof_record::definition::Committed;

use crate::centre::CentreKeys;
use crate::{files, package};

const ELECTION: &str = "election";
const KEYS: &str = "keys";
const JOURNAL: &str = "journal.sqlite";
const LOG: &str = "centre.log";
/// What the centre said last is enough to say why it ended.
const LOG_TAIL: usize = 2_000;
const LOG_LIMIT: u64 = 1 << 26;
/// The longest that a centre may take to publish everything and end.
const GRACE: Duration = Duration::from_mins(2);

/// The files that a centre runs on.
#[derive(Debug)]
pub(super) struct Premises {
    program: PathBuf,
    workspace: PathBuf,
    bundle: PathBuf,
}

/// Where a running centre is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Ports {
    /// Datagrams of stations.
    pub(super) udp: SocketAddr,
    /// Records over HTTP.
    pub(super) http: SocketAddr,
    /// Health, metrics and statistics.
    pub(super) admin: SocketAddr,
}

/// A centre at work. Dropping it kills it.
#[derive(Debug)]
pub(super) struct CentreProcess {
    premises: Premises,
    child: Child,
    ports: Ports,
}

impl Premises {
    /// Writes election and keys into `workspace`; `program` is the binary that is started as the centre.
    pub(super) fn furnish(
        program: &Path,
        workspace: &Path,
        bundle: &Path,
        definition: &Committed,
        keys: &CentreKeys,
    ) -> anyhow::Result<Self> {
        let absolute = |path| std::path::absolute(path).with_context(|| format!("cannot use {}", Path::display(path)));
        let premises = Self { program: absolute(program)?, workspace: absolute(workspace)?, bundle: absolute(bundle)? };
        let election = premises.workspace.join(ELECTION);
        package::new_folder(&election)?;
        let canonical = &definition.canonical().files;
        package::write(&election, canonical.iter().map(|(name, bytes)| (&**name, bytes.as_slice())))?;
        keys.create(&premises.workspace.join(KEYS))?;
        Ok(premises)
    }

    /// Bytes of the journal with everything that stands beside it.
    pub(super) fn journal_bytes(&self) -> u64 {
        let Ok(entries) = self.workspace.read_dir() else { return 0 };
        let journal = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(JOURNAL));
        journal.filter_map(|entry| entry.metadata().ok()).map(|about| about.len()).sum()
    }

    /// Starts the program, and returns when it listens. `again` holds the ports of the start before.
    fn open(&self, again: Option<Ports>) -> anyhow::Result<(Child, Ports)> {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let ports = again.unwrap_or(Ports { udp: any, http: any, admin: any });
        let log = File::options().create(true).append(true).open(self.workspace.join(LOG))?;
        let mut command = Command::new(&self.program);
        // Settings of the drill's own surroundings are not meant for its centre.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TALLYPROOF_") && name != "TALLYPROOF_LOG" {
                command.env_remove(name);
            }
        }
        command.current_dir(&self.workspace).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        command.args(["--json", "centre", "serve", "--election", ELECTION, "--keys", KEYS, "--journal", JOURNAL]);
        command.arg("--bundle").arg(&self.bundle);
        for (option, address) in [("--udp", ports.udp), ("--http", ports.http), ("--admin", ports.admin)] {
            command.arg(option).arg(address.to_string());
        }
        if again.is_none() {
            command.arg("--create");
        }
        let mut child = command.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let stdout = child.stdout.take().context("the centre has no stdout")?;
        // The one object that it prints once its sockets are open.
        let mut said = serde_json::Deserializer::from_reader(BufReader::new(stdout));
        if let Ok(ports) = Ports::deserialize(&mut said) {
            return Ok((child, ports));
        }
        // It has ended, or says something else than it should.
        let _ = child.kill();
        Err(self.ended(child.wait()?).context("the drill's centre did not start"))
    }

    fn ended(&self, status: ExitStatus) -> anyhow::Error {
        let log = files::read(&self.workspace.join(LOG), LOG_LIMIT).unwrap_or_default();
        let tail = log.get(log.len().saturating_sub(LOG_TAIL)..).unwrap_or_default();
        anyhow!("it ended with {status}: {}", String::from_utf8_lossy(tail).trim())
    }
}

impl CentreProcess {
    /// Starts the centre for the first time.
    pub(super) fn start(premises: Premises) -> anyhow::Result<Self> {
        let (child, ports) = premises.open(None)?;
        Ok(Self { premises, child, ports })
    }

    /// Where it is reached; the same after every restart.
    pub(super) fn ports(&self) -> Ports {
        self.ports
    }

    /// The process's number.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where it runs.
    pub(super) fn premises(&self) -> &Premises {
        &self.premises
    }

    /// Kills it (signal 9).
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("the centre cannot be killed")?;
        self.child.wait().map(drop).context("the killed centre cannot be waited for")
    }

    /// Starts it again on the same ports, after [`CentreProcess::kill`].
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        let (child, ports) = self.premises.open(Some(self.ports))?;
        self.child = child;
        ensure!(ports == self.ports, "the centre came back on other ports");
        Ok(())
    }

    /// Fails if the centre has ended by itself.
    pub(super) fn ensure_runs(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(self.premises.ended(status).context("the centre has stopped during the drill")),
        }
    }

    /// Asks it to end (SIGTERM), and waits until it has published everything.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("the centre cannot be asked to end")?;
        let asked = Instant::now();
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.premises.ended(status).context("the centre did not end as asked")),
                None if asked.elapsed() > GRACE => bail!("the centre did not end within {} s", GRACE.as_secs()),
                None => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

impl Drop for CentreProcess {
    fn drop(&mut self) {
        // It has ended already unless the drill failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
