//! Files: bounded reads with errors that name the file, and writes that are whole and durable or did not happen.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Reads a file of at most `limit` bytes. Foreign files may be of any size: the bound keeps them out of memory.
pub fn read(path: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    let about = fs::metadata(path).with_context(|| format!("cannot open {shown}"))?;
    // Opening a named pipe would wait for its writer for ever.
    ensure!(about.is_file(), "{shown} is not a regular file");
    let file = File::open(path).with_context(|| format!("cannot open {shown}"))?;
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}"))?;
    ensure!(bytes.len() as u64 <= limit, "{shown} is larger than {limit} bytes");
    Ok(bytes)
}

/// Reads a UTF-8 text file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> anyhow::Result<String> {
    String::from_utf8(read(path, limit)?).with_context(|| format!("{} is not UTF-8 text", path.display()))
}

/// Who may read a written file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, as the process's umask allows.
    Public,
    /// The owner alone (mode 0600).
    Secret,
}

/// Writes a whole file: a crash leaves the old one or the new one, never a part, and after the return it is durable.
pub fn replace(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    place(path, bytes, access, |from, to| fs::rename(from, to))
}

/// As [`replace`], but fails with [`io::ErrorKind::AlreadyExists`] if there is a file already.
pub fn create(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    // A link, unlike a rename, does not replace: two processes cannot both win.
    place(path, bytes, access, |from, to| fs::hard_link(from, to).and_then(|()| fs::remove_file(from)))
}

fn place(
    path: &Path,
    bytes: &[u8],
    access: Access,
    settle: impl FnOnce(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    let folder = folder_of(path);
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = folder.join(name);
    let written = write_synced(&temporary, bytes, access).and_then(|()| settle(&temporary, path));
    if written.is_err() {
        // The error that counts is the first one.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    sync_folder(folder)
}

/// The folder with all that is in it: who finds a name there does not know whether it would outlast a power loss. Say nothing that rests
/// on such a find before.
pub fn settle(path: &Path) -> io::Result<()> {
    sync_folder(folder_of(path))
}

/// Makes a folder, and those above it where they are missing; their names are durable after the return.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    let missing = folder.ancestors().skip(1).take_while(|above| !above.as_os_str().is_empty() && !above.exists());
    let missing: Vec<_> = missing.map(Path::to_owned).collect();
    fs::create_dir_all(folder)?;
    // The folder itself even if it was there: whether an earlier start that made it got as far as this is not known.
    missing.iter().map(PathBuf::as_path).chain([folder]).try_for_each(|made| match sync_folder(folder_of(made)) {
        // One that may be passed through and not looked into was not made by this user.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    })
}

/// The folder that holds `path`; the current one for a bare name.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_synced(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if access == Access::Secret {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable: without it a power loss can undo a rename.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_never_replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        create(&path, b"one", Access::Public).unwrap();
        assert_eq!(create(&path, b"two", Access::Public).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three", Access::Public).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create(&path, b"secret", Access::Secret).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(read(&pipe, 10).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn a_file_above_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert!(read(&path, 4).unwrap_err().to_string().contains("larger than 4 bytes"));
    }
}
