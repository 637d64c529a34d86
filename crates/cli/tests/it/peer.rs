//! Small witnesses of C2SP tlog-witness over real HTTP, with real keys, that can be told to fail or to lie.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tallyproof_log::checkpoint::Checkpoint;
use tallyproof_log::cosignature::CosignerKey;
use tallyproof_log::merkle::{Hash, verify_consistency};
use tallyproof_log::note::{NoteSignature, SignedNote, VerifierKey};
use tallyproof_log::witness::{AddCheckpoint, Answer, checkpoint_path};
use tokio::sync::oneshot;

/// How it behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Honest,
    /// Cosigns another root than it was asked for.
    Lying,
    /// Answers after the client has gone.
    Silent,
}

#[derive(Default)]
struct Memory {
    manner: Manner,
    /// Requests that it answered.
    answered: usize,
    latest: Option<(Checkpoint, SignedNote)>,
}

struct Desk {
    keys: Vec<CosignerKey>,
    log: VerifierKey,
    memory: Mutex<Memory>,
}

/// A witness at work. Dropping it closes its port.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
    _stop: oneshot::Sender<()>,
}

pub(crate) fn short_key(number: u8) -> CosignerKey {
    CosignerKey::ed25519(format!("w{number}.example").parse().unwrap(), &[number; 32])
}

pub(crate) fn long_key(number: u8) -> CosignerKey {
    CosignerKey::ml_dsa_44(format!("w{number}.example").parse().unwrap(), &[number; 32])
}

impl Peer {
    /// A witness with both kinds of keys.
    pub(crate) fn start(number: u8, log: &VerifierKey) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let keys = vec![short_key(number), long_key(number)];
        let desk = Arc::new(Desk { keys, log: log.clone(), memory: Mutex::default() });
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route(&checkpoint_path(log.name()), get(latest))
            .with_state(Arc::clone(&desk));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    served = async { axum::serve(listener, app).await } => served.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        Self { address, desk, _stop: stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn behave(&self, manner: Manner) {
        self.desk.memory.lock().unwrap().manner = manner;
    }

    /// Size of the tree that it cosigned last.
    pub(crate) fn size(&self) -> u64 {
        self.desk.memory.lock().unwrap().latest.as_ref().map_or(0, |(checkpoint, _)| checkpoint.size)
    }

    pub(crate) fn answered(&self) -> usize {
        self.desk.memory.lock().unwrap().answered
    }

    /// Forgets everything: what a witness must never do.
    pub(crate) fn forget(&self) {
        self.desk.memory.lock().unwrap().latest = None;
    }
}

impl Desk {
    fn answer(&self, body: &[u8]) -> Answer {
        let mut memory = self.memory.lock().unwrap();
        memory.answered += 1;
        let Ok(request) = AddCheckpoint::parse(body) else { return Answer::Malformed };
        if request.note().verify(std::slice::from_ref(&self.log)).is_err() {
            return Answer::NotSigned;
        }
        let checkpoint = request.checkpoint().clone();
        if memory.manner == Manner::Lying {
            return Answer::Cosigned(self.cosign(&Checkpoint { root: Hash([7; 32]), ..checkpoint }));
        }
        let (size, root) = memory.latest.as_ref().map_or((0, None), |(latest, _)| (latest.size, Some(latest.root)));
        if request.old_size() > checkpoint.size {
            return Answer::Malformed;
        }
        if request.old_size() != size {
            return Answer::Conflict { size };
        }
        let extends = |root: &Hash| verify_consistency(size, checkpoint.size, root, &checkpoint.root, request.proof());
        if root.as_ref().is_some_and(|root| extends(root).is_err()) {
            return Answer::Inconsistent;
        }
        memory.latest = Some((checkpoint.clone(), request.note().clone()));
        Answer::Cosigned(self.cosign(&checkpoint))
    }

    fn cosign(&self, checkpoint: &Checkpoint) -> Vec<NoteSignature> {
        self.keys.iter().map(|key| key.cosign(checkpoint, 1_800_000_000).unwrap()).collect()
    }
}

async fn add_checkpoint(State(desk): State<Arc<Desk>>, body: Bytes) -> Response {
    let manner = desk.memory.lock().unwrap().manner;
    if manner == Manner::Silent {
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
    let answer = desk.answer(&body);
    let status = StatusCode::from_u16(answer.status()).unwrap();
    (status, [(header::CONTENT_TYPE, answer.content_type())], answer.body()).into_response()
}

async fn latest(State(desk): State<Arc<Desk>>) -> Response {
    match &desk.memory.lock().unwrap().latest {
        Some((_, note)) => note.to_string().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The lines of a policy that knows these witnesses, each with both its keys, and asks for so many of their Ed25519 keys.
pub(crate) fn policy(peers: &[Peer], needed: usize) -> Vec<String> {
    let numbered: BTreeMap<u8, &Peer> = (1..).zip(peers).collect();
    let mut lines = Vec::new();
    for (number, peer) in &numbered {
        let (short, long, url) = (short_key(*number), long_key(*number), peer.url());
        lines.push(format!("witness w{number} {} {url}", short.verifier()));
        lines.push(format!("witness w{number}-long {} {url}", long.verifier()));
    }
    let names: Vec<_> = numbered.keys().map(|number| format!("w{number}")).collect();
    lines.push(format!("group enough {needed} {}", names.join(" ")));
    lines.push("quorum enough".into());
    lines
}
