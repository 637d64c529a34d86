//! One witness's HTTP client, on a thread of its own: a slow witness delays nobody but itself.

use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use anyhow::Context;
use tallyproof_centre::gatherer::Silence;
use tallyproof_log::note::MAX_NOTE_LEN;
use tallyproof_log::witness::{ADD_CHECKPOINT, Answer};
use ureq::Agent;

use super::ToGatherer;
use crate::http;

/// Requests to one witness; the gatherer makes one at a time.
pub(super) struct Client {
    requests: Option<Sender<(u64, String)>>,
    server: usize,
    gatherer: Sender<ToGatherer>,
}

impl Client {
    /// Starts the thread. It ends with the client, once the request in hand is over.
    pub(super) fn start(server: usize, url: String, timeout: Duration, gatherer: Sender<ToGatherer>) -> Self {
        let (requests, inbox) = mpsc::channel::<(u64, String)>();
        let answers = gatherer.clone();
        let run = move || {
            let agent = http::agent(timeout, None);
            for (id, body) in inbox {
                let answer = match &agent {
                    Ok(agent) => post(agent, &url, &body),
                    Err(error) => Err(Silence::Unreachable(format!("{error:#}"))),
                };
                // The gatherer may have ended meanwhile.
                let _ = answers.send(ToGatherer::Answered { server, id, answer });
            }
        };
        let started = super::super::background(&format!("witness-{server}"), run);
        if let Err(error) = &started {
            tracing::error!(error = format!("{error:#}"), "a witness cannot be asked");
        }
        Self { requests: started.ok().map(|_| requests), server, gatherer }
    }

    /// Posts a request; its answer comes to the gatherer.
    pub(super) fn post(&self, id: u64, body: String) {
        let sent = self.requests.as_ref().is_some_and(|requests| requests.send((id, body)).is_ok());
        if !sent {
            let answer = Err(Silence::Unreachable("its thread could not be started".into()));
            let _ = self.gatherer.send(ToGatherer::Answered { server: self.server, id, answer });
        }
    }
}

fn post(agent: &Agent, url: &str, body: &str) -> Result<Answer, Silence> {
    let (status, kind, body) =
        exchange(agent, url, body).map_err(|error| Silence::Unreachable(format!("{error:#}")))?;
    Ok(Answer::parse(status, kind.as_deref(), &body)?)
}

fn exchange(agent: &Agent, url: &str, body: &str) -> anyhow::Result<(u16, Option<String>, Vec<u8>)> {
    let mut response = agent.post(format!("{url}{ADD_CHECKPOINT}")).content_type("text/plain").send(body)?;
    let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    let limited = response.body_mut().with_config().limit(MAX_NOTE_LEN as u64).read_to_vec();
    Ok((response.status().as_u16(), kind, limited.context("the answer broke off, or is too long")?))
}
