//! A folder that somebody carries: the record is written once; its receipt may come back beside it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tallyproof_record::cose::SealedRecord;

use super::{Desk, Load, Outcome, Report, spawn};
use crate::station::drop_folder::{DropFolder, Slip};

/// How often receipts are looked for.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn start<R: Report>(path: &Path, desk: &Arc<Desk<R>>) -> anyhow::Result<()> {
    let mut way = Way { path: path.to_owned(), stored: Vec::new() };
    let desk = Arc::clone(desk);
    spawn("way-folder", move || {
        while !desk.is_over() {
            let load = desk.loads.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK);
            match load {
                Ok(Load { digest, bytes }) => {
                    let outcome = way.store(bytes);
                    way.look(&desk);
                    desk.done(digest, outcome);
                }
                Err(RecvTimeoutError::Timeout) => way.look(&desk),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    })
}

struct Way {
    path: PathBuf,
    /// Records in the folder whose receipt has not been seen.
    stored: Vec<Slip>,
}

impl Way {
    fn store(&mut self, record: Vec<u8>) -> Outcome {
        let store = || {
            let record = SealedRecord::from_bytes(record)?;
            let slip = Slip::of(&record)?;
            DropFolder::open(&self.path)?.store(&slip, &record)?;
            anyhow::Ok(slip)
        };
        match store() {
            Ok(slip) => {
                self.stored.push(slip);
                Outcome::Stored
            }
            Err(error) => Outcome::Failed(error),
        }
    }

    /// Hands over each receipt once. One that does not verify is as good as none: the record has its other ways.
    fn look<R: Report>(&mut self, desk: &Desk<R>) {
        let Ok(folder) = DropFolder::open(&self.path) else { return };
        self.stored.retain(|slip| {
            let Some(bytes) = folder.receipt(slip) else { return true };
            desk.arrived(bytes);
            false
        });
    }
}
