//! What a disk holds for certain, by a program's calls alone: bytes once they are synced, names once their folder is.
//!
//! It is as suspicious as the manuals allow: what a failed sync was to write is lost to every later sync (the system takes it for
//! clean), though whoever reads the file still finds it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::trace::Call;

/// A file's bytes.
#[derive(Clone, Debug, Default)]
struct Inode {
    /// As programs read them.
    seen: Vec<u8>,
    /// As they are after a power loss.
    durable: Vec<u8>,
    /// What the next sync writes.
    dirty: Vec<Range<usize>>,
    /// Where the next `write` goes; at the end of a file that was opened before anybody followed the program, its log.
    position: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

/// What a power loss takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nothing: the program alone died.
    None,
    /// Names that were not synced, and bytes that were not.
    Names,
    /// Bytes that were not synced, but no name.
    Bytes,
}

/// A folder tree.
#[derive(Clone, Debug)]
pub(super) struct Platter {
    root: PathBuf,
    inodes: Vec<Inode>,
    seen: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
}

impl Platter {
    /// A tree as it lies, all of it durable.
    pub(super) fn of(root: &Path) -> Self {
        let mut platter = Self {
            root: root.canonicalize().unwrap(),
            inodes: Vec::new(),
            seen: BTreeMap::new(),
            durable: BTreeMap::new(),
        };
        let root = platter.root.clone();
        platter.read(&root);
        platter.durable = platter.seen.clone();
        platter
    }

    fn read(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.seen.insert(path.clone(), Node::Folder);
                self.read(&path);
            } else {
                let bytes = fs::read(&path).unwrap();
                self.seen.insert(path, Node::File(self.inodes.len()));
                self.inodes.push(Inode { seen: bytes.clone(), durable: bytes, ..Inode::default() });
            }
        }
    }

    /// Takes the next call of a program that works in the root.
    pub(super) fn apply(&mut self, call: &Call) {
        let is_sync = matches!(call.name.as_str(), "fsync" | "fdatasync");
        // A sync that fails has done something, too.
        let happened = call.succeeded() || is_sync && call.result.is_some();
        if !happened {
            return;
        }
        match call.name.as_str() {
            "mkdir" => self.name(call.path(&self.root, 0), Node::Folder),
            "openat" => self.open(call),
            "write" | "pwrite64" | "ftruncate" => self.alter(call),
            "fsync" | "fdatasync" => self.sync(&call.file().unwrap(), call.succeeded()),
            "link" | "linkat" | "rename" => {
                let [from, to] = [0, 1].map(|nth| call.path(&self.root, nth));
                let Some(node) = self.seen.get(&from).copied() else { return };
                self.name(to, node);
                if call.name == "rename" {
                    self.seen.remove(&from);
                }
            }
            "unlink" => drop(self.seen.remove(&call.path(&self.root, 0))),
            _ => {}
        }
    }

    pub(super) fn apply_all(&mut self, calls: &[Call]) {
        for call in calls {
            self.apply(call);
        }
    }

    fn name(&mut self, path: PathBuf, node: Node) {
        if path.starts_with(&self.root) {
            self.seen.insert(path, node);
        }
    }

    fn open(&mut self, call: &Call) {
        let path = call.path(&self.root, 0);
        if call.arguments.contains("O_CREAT") && !self.seen.contains_key(&path) {
            self.inodes.push(Inode::default());
            self.name(path.clone(), Node::File(self.inodes.len() - 1));
        }
        let Some(inode) = self.inode(&path) else { return };
        if call.arguments.contains("O_TRUNC") {
            inode.seen.clear();
        }
        if !call.arguments.contains("O_RDONLY") && !call.arguments.contains("O_APPEND") {
            inode.position = Some(0);
        }
    }

    fn alter(&mut self, call: &Call) {
        let Some(inode) = call.file().and_then(|path| self.inode(&path)) else { return };
        if call.name == "ftruncate" {
            return inode.seen.resize(call.number(), 0);
        }
        let mut bytes = call.strings().swap_remove(0);
        bytes.truncate(usize::try_from(call.result.unwrap()).unwrap());
        let start = if call.name == "write" { inode.position.unwrap_or(inode.seen.len()) } else { call.number() };
        let range = start..start + bytes.len();
        if call.name == "write" {
            inode.position = inode.position.map(|_| range.end);
        }
        inode.seen.resize(inode.seen.len().max(range.end), 0);
        inode.seen[range.clone()].copy_from_slice(&bytes);
        inode.dirty.push(range);
    }

    fn sync(&mut self, path: &Path, succeeded: bool) {
        if let Some(inode) = self.inode(path) {
            let dirty = std::mem::take(&mut inode.dirty);
            if succeeded {
                inode.durable.resize(inode.seen.len(), 0);
                for range in dirty.into_iter().filter(|range| range.end <= inode.seen.len()) {
                    inode.durable[range.clone()].copy_from_slice(&inode.seen[range]);
                }
            }
        } else if succeeded {
            self.durable.retain(|name, _| name.parent() != Some(path));
            let names = self.seen.iter().filter(|(name, _)| name.parent() == Some(path));
            self.durable.extend(names.map(|(name, node)| (name.clone(), *node)));
        }
    }

    fn inode(&mut self, path: &Path) -> Option<&mut Inode> {
        match self.seen.get(path) {
            Some(Node::File(inode)) => self.inodes.get_mut(*inode),
            _ => None,
        }
    }

    /// A file as it would be after a power loss now.
    pub(super) fn durable(&self, name: &str) -> Option<&[u8]> {
        match self.durable.get(&self.root.join(name)) {
            Some(Node::File(inode)) if self.has_durable_folders(name) => Some(&self.inodes[*inode].durable),
            _ => None,
        }
    }

    fn has_durable_folders(&self, name: &str) -> bool {
        let above = Path::new(name).ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
        above.into_iter().all(|folder| self.durable.get(&self.root.join(folder)) == Some(&Node::Folder))
    }

    /// Whether some file holds these bytes in a row, after a power loss now.
    pub(super) fn holds(&self, bytes: &[u8]) -> bool {
        let synced = self.durable.values().filter_map(|node| match node {
            Node::File(inode) => Some(&self.inodes[*inode].durable),
            Node::Folder => None,
        });
        synced.into_iter().any(|file| file.windows(bytes.len()).any(|window| window == bytes))
    }

    /// The power fails, or the program alone died.
    pub(super) fn lose(&mut self, loss: Loss) {
        if loss == Loss::None {
            return;
        }
        for inode in &mut self.inodes {
            inode.seen.clone_from(&inode.durable);
            inode.dirty.clear();
        }
        if loss == Loss::Names {
            self.seen = std::mem::take(&mut self.durable);
            let kept: Vec<_> = self.seen.keys().cloned().collect();
            self.durable = self.seen.clone();
            for name in kept {
                let relative = name.strip_prefix(&self.root).unwrap().to_owned();
                if !self.has_durable_folders(relative.to_str().unwrap()) {
                    self.seen.remove(&name);
                }
            }
        }
        self.durable = self.seen.clone();
    }

    /// Makes one folder of the tree look as programs would find it.
    pub(super) fn lay(&self, folder: &str) {
        let folder = self.root.join(folder);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        for (path, node) in self.seen.range(folder.clone()..).take_while(|(path, _)| path.starts_with(&folder)) {
            match node {
                Node::Folder => fs::create_dir(path).unwrap(),
                Node::File(inode) => fs::write(path, &self.inodes[*inode].seen).unwrap(),
            }
        }
    }
}
