//! Where a centre can be reached.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use tallyproof_station::Cargo;
use ureq::http::Uri;

/// Where `tallyproof centre serve` takes records.
pub const RECORDS_PATH: &str = "/v1/records";
/// Where it takes statements.
pub const STATEMENTS_PATH: &str = "/v1/statements";

/// One way to the centre.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `udp://host:port`: one datagram a record.
    Udp(String),
    /// `https://host/path`, or `http://` inside a machine: the record as the body of a POST. Without a path, the centre's.
    Http(String),
    /// `file:DIR`: a folder that somebody carries to the centre.
    Folder(PathBuf),
}

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(place) = text.strip_prefix("udp://") {
            let port = place.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then_some(port));
            ensure!(
                port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0)),
                "`{text}` lacks a port: write udp://HOST:PORT"
            );
            return Ok(Self::Udp(place.to_owned()));
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return http(text, RECORDS_PATH).map(Self::Http);
        }
        if let Some(path) = text.strip_prefix("file:") {
            return folder(text, path).map(Self::Folder);
        }
        bail!("`{text}` is not a way to the centre: write udp://HOST:PORT, https://HOST/PATH or file:DIR")
    }

    /// Reads several addresses; none may stand twice, because the copies would only wear the same way out.
    pub fn parse_all<'t>(texts: impl IntoIterator<Item = &'t String>) -> anyhow::Result<Vec<Self>> {
        let mut ways = Vec::new();
        for text in texts {
            let way = Self::parse(text)?;
            ensure!(!ways.contains(&way), "the way {way} is given twice");
            ways.push(way);
        }
        Ok(ways)
    }

    /// What the way carries.
    pub fn cargo(&self) -> Cargo {
        match self {
            Self::Udp(_) => Cargo::Datagram,
            Self::Http(_) | Self::Folder(_) => Cargo::Record,
        }
    }
}

/// Where the centre at `text` takes statements: `https://host/path`, without a path the centre's.
pub fn statements_url(text: &str) -> anyhow::Result<String> {
    ensure!(
        text.starts_with("https://") || text.starts_with("http://"),
        "`{text}` is not a way for statements: write https://HOST/PATH"
    );
    http(text, STATEMENTS_PATH)
}

fn http(text: &str, usual_path: &str) -> anyhow::Result<String> {
    let uri: Uri = text.parse().with_context(|| format!("`{text}` is not a web address"))?;
    let host = uri.host().unwrap_or_default();
    ensure!(!host.is_empty(), "`{text}` names no host: write https://HOST/PATH");
    ensure!(
        uri.scheme_str() == Some("https") || is_this_machine(host),
        "`{text}`: plain http is for this machine alone, where nobody can hold a receipt back; write https://"
    );
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = if authority.contains('/') { "" } else { usual_path };
    Ok(format!("{text}{path}"))
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn folder(text: &str, path: &str) -> anyhow::Result<PathBuf> {
    let path = match path.strip_prefix("//") {
        // As browsers write it: file:///media/stick. What stands before the third slash would be another machine.
        Some(rest) if rest.starts_with('/') => rest,
        Some(_) => bail!("`{text}` names another machine: write file:DIR or file:///DIR"),
        None => path,
    };
    ensure!(!path.is_empty(), "`{text}` names no folder: write file:DIR");
    Ok(path.into())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Udp(place) => write!(f, "udp://{place}"),
            Self::Http(url) => f.write_str(url),
            Self::Folder(path) => write!(f, "file:{}", path.display()),
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
        for wrong in ["udp://host", "udp://:7000", "udp://host:99999", "udp://host:0", "host:7000", "ftp://host", ""] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_folder_is_on_this_machine() {
        for (text, path) in
            [("file:stick", "stick"), ("file:/media/stick", "/media/stick"), ("file:///media", "/media")]
        {
            assert_eq!(Address::parse(text).unwrap(), Address::Folder(path.into()));
        }
        for wrong in ["file:", "file://host/share", "file://"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn plain_http_stays_inside_the_machine() {
        for right in ["http://127.0.0.1:7411", "http://[::1]:7411/v1/records", "http://localhost:7411"] {
            assert!(Address::parse(right).is_ok(), "{right}");
        }
        for wrong in ["http://a.example", "http://127.0.0.1:80@a.example/", "http://127.0.0.1.a.example", "http://"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_way_stands_once() {
        let twice = ["https://a.example".to_owned(), "https://a.example/v1/records".to_owned()];
        assert!(Address::parse_all(&twice).unwrap_err().to_string().contains("twice"));
    }
}
