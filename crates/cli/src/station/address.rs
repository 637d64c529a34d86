//! Where a centre can be reached.

use std::fmt;

use anyhow::{bail, ensure};

/// Where `tallyproof centre serve` takes records.
const CENTRE_PATH: &str = "/v1/records";

/// One way to the centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `udp://host:port`: one datagram a record.
    Udp(String),
    /// `https://host/path`, or `http://` inside a machine: the record as the body of a POST. Without a path, the centre's.
    Http(String),
}

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(place) = text.strip_prefix("udp://") {
            let port = place.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then_some(port));
            ensure!(
                port.is_some_and(|port| port.parse::<u16>().is_ok()),
                "`{text}` lacks a port: write udp://HOST:PORT"
            );
            return Ok(Self::Udp(place.to_owned()));
        }
        if let Some(place) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
            let path = if place.contains('/') { "" } else { CENTRE_PATH };
            return Ok(Self::Http(format!("{text}{path}")));
        }
        bail!("`{text}` is not an address: write udp://HOST:PORT or https://HOST/PATH")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(place) => write!(f, "udp://{place}"),
            Self::Http(url) => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_scheme_and_a_port() {
        assert_eq!(Address::parse("udp://[::1]:7000").unwrap(), Address::Udp("[::1]:7000".into()));
        assert_eq!(Address::parse("https://a.example/r").unwrap().to_string(), "https://a.example/r");
        assert_eq!(Address::parse("https://a.example:8443").unwrap().to_string(), "https://a.example:8443/v1/records");
        for wrong in ["udp://host", "udp://:7000", "udp://host:99999", "host:7000", "ftp://host", ""] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }
}
