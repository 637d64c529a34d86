//! The relay's disk. Every record is durable before a client hears that it is held.
//!
//! The spool is a [`DropFolder`]: it can be copied to a stick as it is. Beside a record that came as a datagram lies the
//! datagram, because without its station's tag the record cannot go on over UDP after a restart.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::mpsc::Receiver;

use tallyproof_record::cose::{self, RecordDigest, SealedRecord};
use tallyproof_record::frame::{Frame, HEADER_LEN};
use tokio::sync::oneshot;

use super::desk::{Desk, ReceiptBytes};
use crate::files;
use crate::station::drop_folder::{DropFolder, Slip};
use crate::station::queue::Queued;

const DATAGRAM: &str = "datagram";

/// Something to write.
#[derive(Debug)]
pub(super) enum Job {
    /// A record; `stored` hears whether it is on the disk.
    Store { slip: Slip, record: SealedRecord, datagram: Option<Vec<u8>>, stored: Option<oneshot::Sender<bool>> },
    /// Its receipt.
    Receipt { slip: Slip, receipt: ReceiptBytes },
}

/// Writes until the desk closes.
pub(super) fn write(folder: &DropFolder, jobs: &Receiver<Job>) {
    let mut durable: HashSet<RecordDigest> = HashSet::new();
    for job in jobs {
        match job {
            Job::Store { slip, record, datagram, stored } => {
                let is_stored = durable.contains(&slip.digest) || store(folder, &slip, &record, datagram);
                if is_stored {
                    durable.insert(slip.digest);
                }
                if let Some(stored) = stored {
                    // Who asked may have gone away.
                    let _ = stored.send(is_stored);
                }
            }
            Job::Receipt { slip, receipt } => {
                if let Err(error) = folder.store_receipt(&slip, &receipt) {
                    tracing::warn!("{error:#}; the centre will be asked for the receipt again");
                }
                // Gone already where there was none.
                let _ = fs::remove_file(folder.path(&slip, DATAGRAM));
            }
        }
    }
}

fn store(folder: &DropFolder, slip: &Slip, record: &SealedRecord, datagram: Option<Vec<u8>>) -> bool {
    if let Some(datagram) = datagram {
        // Not synced: it is checked when it is read, and the station sends another.
        let _ = fs::write(folder.path(slip, DATAGRAM), datagram);
    }
    folder
        .store(slip, record)
        .inspect_err(|error| tracing::error!("{error:#}; the record is held in memory alone"))
        .is_ok()
}

/// Takes up what the folder holds. Whoever altered it gains nothing: everything is checked as if it came from the network.
pub(super) fn restore(folder: &DropFolder, desk: &Desk) -> anyhow::Result<()> {
    for queued in folder.records()? {
        let restored = queued.and_then(|queued| {
            let Queued { record, receipt, path, .. } = queued;
            let authentic = desk.check(record.as_bytes().to_vec())?;
            let datagram = datagram_beside(&path, authentic.digest());
            desk.restore(&authentic, record, datagram, receipt.as_deref())?;
            anyhow::Ok(())
        });
        if let Err(error) = restored {
            tracing::warn!("a file of the spool is passed over: {error:#}");
        }
    }
    Ok(())
}

fn datagram_beside(path: &Path, digest: &RecordDigest) -> Option<Vec<u8>> {
    let path = path.with_extension(DATAGRAM);
    let bytes = path.exists().then(|| files::read(&path, (HEADER_LEN + cose::MAX_LEN) as u64).ok())??;
    let matches = Frame::parse(&bytes).and_then(|frame| frame.check_digest()).is_ok_and(|found| found == *digest);
    matches.then_some(bytes)
}
