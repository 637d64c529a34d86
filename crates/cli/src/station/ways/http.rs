//! HTTPS: the record as the body of a POST.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;

use super::{Desk, Load, Outcome, Report, spawn};
use crate::http::{self, Answer};

const TIMEOUT: Duration = Duration::from_secs(20);

pub(super) fn start<R: Report>(url: &str, ca: Option<&[u8]>, desk: &Arc<Desk<R>>) -> anyhow::Result<()> {
    // Each thread has its own, because a shared one keeps few connections open between two posts.
    let agent = http::agent(TIMEOUT, ca)?;
    let (url, desk) = (url.to_owned(), Arc::clone(desk));
    spawn("way-https", move || {
        while let Some(Load { digest, bytes }) = desk.next() {
            desk.done(digest, post(&agent, &url, &bytes));
        }
    })
}

fn post(agent: &Agent, url: &str, record: &[u8]) -> Outcome {
    match http::post_record(agent, url, record) {
        Ok(Answer::Receipt(bytes)) => Outcome::Answered(bytes),
        Ok(Answer::Held) => Outcome::Sent,
        Ok(Answer::Refused { status, reason }) => Outcome::Refused { status, reason },
        Err(error) => Outcome::Failed(error),
    }
}
