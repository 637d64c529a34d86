//! An HTTP client with bounds: foreign servers may be slow, endless or wrong.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

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
