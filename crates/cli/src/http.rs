//! An HTTP client with bounds: foreign servers may be slow, endless or wrong.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::centre::StatementAnswer;

/// Answers about the record or statement itself (malformed, not authentic, nothing new, too long): the same bytes will get them again.
const FINAL: [u16; 4] = [400, 403, 409, 413];
/// A relay holds the record and has no receipt yet.
const HELD: u16 = 202;
const ANSWER_LIMIT: u64 = 4096;

/// What a centre or a relay says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Bytes that should be its receipt.
    Receipt(Vec<u8>),
    /// A relay keeps it, and has no receipt yet.
    Held,
    /// The same bytes will get this answer again.
    Refused {
        /// HTTP status.
        status: u16,
        /// The other side's words, its code first: `signature: …`.
        reason: String,
    },
}

/// Posts a sealed record. The error is worth another try; it is a [`ureq::Error`] if the other side was out of reach.
pub fn post_record(agent: &Agent, url: &str, record: &[u8]) -> anyhow::Result<Answer> {
    let mut response = agent.post(url).content_type("application/cose").send(record)?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec()?;
    if status.as_u16() == HELD {
        return Ok(Answer::Held);
    }
    if status.is_success() {
        return Ok(Answer::Receipt(body));
    }
    let reason = String::from_utf8_lossy(&body).trim().escape_debug().to_string();
    if FINAL.contains(&status.as_u16()) {
        return Ok(Answer::Refused { status: status.as_u16(), reason });
    }
    Err(anyhow!("the centre answered {status}: {reason}"))
}

/// What a centre says of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It has this copy.
    Taken(StatementAnswer),
    /// The same bytes will get this answer again, until the log says otherwise.
    Refused {
        /// The check or rule.
        code: String,
        /// In words.
        reason: String,
    },
}

/// Posts a signed statement. The error is worth another try.
pub fn post_statement(agent: &Agent, url: &str, statement: &[u8]) -> anyhow::Result<Posted> {
    match post_record(agent, url, statement)? {
        Answer::Receipt(json) => {
            let answer = serde_json::from_slice(&json).context("the answer is not that of a centre to a statement")?;
            Ok(Posted::Taken(answer))
        }
        Answer::Held => Err(anyhow!("this is a relay, and relays carry records only")),
        Answer::Refused { status, reason } => Ok(match reason.split_once(": ") {
            Some((code, reason)) => Posted::Refused { code: code.to_owned(), reason: reason.to_owned() },
            None => Posted::Refused { code: status.to_string(), reason },
        }),
    }
}

/// A client that gives up on a request after `timeout`. `ca` (PEM) replaces the public certificate authorities.
pub fn agent(timeout: Duration, ca: Option<&[u8]>) -> anyhow::Result<Agent> {
    let mut config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .user_agent(concat!("tallyproof/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = ca {
        let roots = RootCerts::Specific(Arc::new(certificates(pem)?));
        config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
    }
    Ok(config.build().into())
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<Certificate<'static>>> {
    let mut found = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.context("the file of certificates is not PEM")? {
            found.push(certificate);
        }
    }
    anyhow::ensure!(!found.is_empty(), "the file of certificates holds none; expected PEM");
    Ok(found)
}
