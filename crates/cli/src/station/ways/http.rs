//! HTTPS: the record as the body of a POST.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use ureq::Agent;

use super::{Desk, Load, Outcome, Report, spawn};
use crate::http;

const TIMEOUT: Duration = Duration::from_secs(20);
/// Answers about the record itself (malformed, not authentic, too long): the same bytes will get them again.
const FINAL: [u16; 3] = [400, 403, 413];
/// A relay holds the record and has no receipt yet.
const HELD: u16 = 202;
const ANSWER_LIMIT: u64 = 4096;

pub(super) fn start<R: Report>(url: &str, ca: Option<&[u8]>, desk: &Arc<Desk<R>>) -> anyhow::Result<()> {
    // Each thread has its own, because a shared one keeps few connections open between two posts.
    let agent = http::agent(TIMEOUT, ca)?;
    let (url, desk) = (url.to_owned(), Arc::clone(desk));
    spawn("way-https", move || {
        while let Some(Load { digest, bytes }) = desk.next() {
            let outcome = post(&agent, &url, &bytes).unwrap_or_else(Outcome::Failed);
            desk.done(digest, outcome);
        }
    })
}

fn post(agent: &Agent, url: &str, record: &[u8]) -> anyhow::Result<Outcome> {
    let mut response = agent.post(url).content_type("application/cose").send(record)?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec()?;
    if status.as_u16() == HELD {
        return Ok(Outcome::Sent);
    }
    if status.is_success() {
        return Ok(Outcome::Answered(body));
    }
    let reason = String::from_utf8_lossy(&body).trim().escape_debug().to_string();
    if FINAL.contains(&status.as_u16()) {
        return Ok(Outcome::Refused { status: status.as_u16(), reason });
    }
    Err(anyhow!("the centre answered {status}: {reason}"))
}
