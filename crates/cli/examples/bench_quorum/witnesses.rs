//! Five witnesses of C2SP tlog-witness in this process: the real decision of `tallyproof-witness`, over one recount.

use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tallyproof_cli::bundle_source::Folder;
use tallyproof_count::{Source, bundle};
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::note::{SignedNote, VerifierKey};
use tallyproof_log::witness::{ADD_CHECKPOINT, Answer};
use tallyproof_record::definition::Committed;
use tallyproof_witness::follower::{KeptAlready, NotYet, Recounted};
use tallyproof_witness::{Cosigner, Follower, Signed};
use tokio::sync::oneshot;

/// How often the bundle is looked at without being asked.
const LOOK: Duration = Duration::from_millis(100);
/// Entries that are recounted before anything else is looked at.
const PART: u64 = 8192;

/// Ports that nobody answers at yet.
pub(crate) struct Witnesses {
    listeners: Vec<TcpListener>,
    recounted: Arc<AtomicU64>,
}

struct Wanted {
    signed: Signed,
    since: u64,
    reply: oneshot::Sender<Recounted>,
}

struct Desk {
    cosigner: Mutex<Cosigner>,
    state: PathBuf,
    follower: Sender<Wanted>,
}

fn key(number: usize) -> anyhow::Result<CosignerKey> {
    Ok(CosignerKey::ed25519(format!("w{number}.example").parse()?, &[u8::try_from(number)? + 1; 32]))
}

impl Witnesses {
    /// Takes free ports.
    pub(crate) fn bind(count: usize) -> anyhow::Result<Self> {
        let listeners = (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
        Ok(Self { listeners, recounted: Arc::default() })
    }

    /// The policy that asks for so many of them.
    pub(crate) fn policy(&self, needed: usize) -> Vec<String> {
        let line = |(number, listener): (usize, &TcpListener)| {
            let (key, address) = (key(number).ok()?, listener.local_addr().ok()?);
            Some(format!("witness w{number} {} http://{address}", key.verifier()))
        };
        let witnesses = self.listeners.iter().enumerate().filter_map(line);
        let names: Vec<_> = (0..self.listeners.len()).map(|number| format!("w{number}")).collect();
        let group = format!("group enough {needed} {}", names.join(" "));
        witnesses.chain([group, "quorum enough".to_owned()]).collect()
    }

    /// Entries recounted so far.
    pub(crate) fn recounted(&self) -> u64 {
        self.recounted.load(Relaxed)
    }

    /// Follows the bundle, and answers.
    pub(crate) fn follow(
        &self,
        bundle: &Path,
        log: &VerifierKey,
        definition: &Arc<Committed>,
        states: &Path,
    ) -> anyhow::Result<()> {
        let (follower, inbox) = mpsc::channel();
        let (source, recounted) = (Folder::open(bundle)?, Arc::clone(&self.recounted));
        let follows = Follower::new(log.clone(), Arc::clone(definition));
        thread::spawn(move || pursue(follows, &source, &inbox, &recounted));
        for (number, listener) in self.listeners.iter().enumerate() {
            let cosigner = Mutex::new(Cosigner::new(log.clone(), vec![key(number)?], None)?);
            let state = states.join(format!("witness-{number}"));
            serve(listener.try_clone()?, Desk { cosigner, state, follower: follower.clone() })?;
        }
        Ok(())
    }
}

/// Recounts what the centre publishes, and says of what is asked when it is done.
fn pursue(mut follower: Follower, source: &Folder, inbox: &Receiver<Wanted>, recounted: &AtomicU64) {
    let mut wanted: Vec<Wanted> = Vec::new();
    loop {
        match inbox.recv_timeout(if follower.is_level() { LOOK } else { Duration::ZERO }) {
            Ok(one) => wanted.push(one),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        wanted.extend(inbox.try_iter());
        let published = source.read(bundle::CHECKPOINT).ok().flatten();
        let published = published.and_then(|note| Signed::open(&note, follower.log()).ok());
        for signed in wanted.iter().map(|one| one.signed.clone()).chain(published).collect::<Vec<_>>() {
            // What is not there yet is heard at the next look.
            let _ = follower.hear(&signed, source);
        }
        let _ = follower.recount(source, &mut KeptAlready, PART, &|_, _| ());
        recounted.store(follower.ledger().entries(), Relaxed);
        let waiting = std::mem::take(&mut wanted);
        for one in waiting {
            match follower.recounted(one.signed.checkpoint(), one.since) {
                Ok(done) => drop(one.reply.send(done)),
                Err(NotYet::Behind { .. }) => wanted.push(one),
                // Its answer never comes.
                Err(_) => {}
            }
        }
    }
}

fn serve(listener: TcpListener, desk: Desk) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let app = Router::new().route(ADD_CHECKPOINT, post(add_checkpoint)).with_state(Arc::new(desk));
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, app).await
        })
    });
    Ok(())
}

async fn add_checkpoint(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let answer = match cosign(&desk, &body).await {
        Ok(answer) | Err(answer) => answer,
    };
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, answer.content_type())], answer.body()).into_response()
}

async fn cosign(desk: &Desk, body: &[u8]) -> Result<Answer, Answer> {
    let cosigner = || desk.cosigner.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = cosigner().read(body)?;
    cosigner().check(&asked)?;
    let since = cosigner().last_tree().0;
    let (reply, recounted) = oneshot::channel();
    let wanted = Wanted { signed: asked.signed().clone(), since, reply };
    desk.follower.send(wanted).map_err(|_| Answer::Inconsistent)?;
    let recounted = recounted.await.map_err(|_| Answer::Inconsistent)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let store = |note: &SignedNote| {
        let mut file = File::create(&desk.state)?;
        file.write_all(note.to_string().as_bytes())?;
        file.sync_all()
    };
    cosigner().add::<std::io::Error>(&asked, &recounted, now, store).map_err(|_| Answer::Inconsistent)
}
