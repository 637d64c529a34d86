//! Where `verify` reads a bundle from: a folder or a web server. Both are foreign and may be anything.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use tallyproof_count::Source;

use crate::{files, http};

/// Largest file of a bundle that is read. A register of a million stations stays far below it.
const FILE_LIMIT: u64 = 1 << 29;
/// Longest wait for one file of a web server.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The bundle in a folder or below an http(s) URL.
pub fn open(place: &str) -> anyhow::Result<Box<dyn Source + Send>> {
    if place.starts_with("https://") || place.starts_with("http://") {
        return Ok(Box::new(Web::open(place)?));
    }
    anyhow::ensure!(!place.contains("://"), "{place} is neither a folder nor an http(s) URL");
    Ok(Box::new(Folder::open(Path::new(place))?))
}

/// A bundle in a folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The bundle in `root`.
    pub fn open(root: &Path) -> anyhow::Result<Self> {
        let shown = root.display();
        let root = fs::canonicalize(root).with_context(|| format!("cannot open the bundle {shown}"))?;
        anyhow::ensure!(root.is_dir(), "{shown} is not a folder; a bundle is a folder with `manifest` and `log/`");
        Ok(Self { root })
    }
}

/// Adds every file below `folder`; links are files, wherever they lead.
fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // A name that is not UTF-8 stays in the list, changed: no bundle explains it.
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

impl Source for Folder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let place = self.root.join(path);
        let real = match fs::canonicalize(&place) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        // A link would let a bundle show one thing here and another where it is served, or read a device.
        if real != place || !real.is_file() {
            return Err("not a regular file inside the bundle's folder; links are not followed".into());
        }
        files::read(&real, FILE_LIMIT).map(Some).map_err(|error| format!("{error:#}"))
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        let mut found = Vec::new();
        walk(&self.root, "", &mut found).map_err(|error| error.to_string())?;
        Ok(Some(found))
    }
}

/// A bundle on a web server.
#[derive(Debug)]
pub struct Web {
    base: String,
    agent: ureq::Agent,
    /// Set once the server left a request unanswered: waiting again for every file would take hours.
    silent: AtomicBool,
}

impl Web {
    /// The bundle below the URL `base`.
    pub fn open(base: &str) -> anyhow::Result<Self> {
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { base, agent: http::agent(TIMEOUT, None)?, silent: AtomicBool::new(false) })
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>, ureq::Error> {
        let mut response = self.agent.get(format!("{}/{path}", self.base)).call()?;
        match response.status().as_u16() {
            404 | 410 => Ok(None),
            200 => response.body_mut().with_config().limit(FILE_LIMIT).read_to_vec().map(Some),
            status => Err(ureq::Error::StatusCode(status)),
        }
    }
}

impl Source for Web {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        if self.silent.load(Ordering::Relaxed) {
            return Err(format!("{}/{path}: not asked for, the server stopped answering", self.base));
        }
        self.get(path).map_err(|error| {
            self.silent.fetch_or(matches!(error, ureq::Error::Timeout(_)), Ordering::Relaxed);
            format!("{}/{path}: {error}", self.base)
        })
    }

    fn list(&self) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_reads_and_lists_its_files_only() {
        let root = tempfile::tempdir().unwrap();
        let bundle = root.path().join("bundle");
        fs::create_dir_all(bundle.join("log")).unwrap();
        fs::write(bundle.join("log/checkpoint"), b"c").unwrap();
        fs::write(root.path().join("secret"), b"s").unwrap();
        let source = Folder::open(&bundle).unwrap();
        assert_eq!(source.read("log/checkpoint").unwrap().unwrap(), b"c");
        assert_eq!(source.read("manifest").unwrap(), None);
        assert!(source.read("../secret").is_err());
        assert!(source.read("log").is_err());
        assert_eq!(source.list().unwrap().unwrap(), ["log/checkpoint"]);
    }

    #[test]
    fn a_silent_server_is_waited_for_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut web = Web::open(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        web.agent = http::agent(Duration::from_millis(200), None).unwrap();
        assert!(web.read("manifest").is_err());
        assert!(web.read("log/checkpoint").unwrap_err().contains("stopped answering"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_listed_and_not_followed() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/hostname", root.path().join("manifest")).unwrap();
        let source = Folder::open(root.path()).unwrap();
        assert!(source.read("manifest").unwrap_err().contains("links are not followed"));
        assert_eq!(source.list().unwrap().unwrap(), ["manifest"]);
    }
}
