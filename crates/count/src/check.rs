//! The one table of what a verification checks.

use tallyproof_record::Problem;

macro_rules! checks {
    ($($name:ident $code:literal $text:literal)*) => {
        /// A check of the bundle, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Check { $(#[doc = $text] $name),* }

        /// Every check with its stable code and what it asks, in the order of [`Check`].
        pub const TABLE: &[(&str, &str)] = &[$(($code, $text)),*];

        impl Check {
            /// The stable code, such as `BN-07`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

checks! {
    Missing "BN-01" "Every file that the bundle's layout or its manifest asks for is there."
    Unreadable "BN-02" "Every file can be read."
    Unlisted "BN-03" "The manifest lists every file that the log's layout does not explain."
    Unexplained "BN-04" "Every file below log/ has its place in the log's layout, within the checkpoint's tree size."
    NoteFormat "BN-05" "The checkpoints and the manifest are signed notes in their one form."
    NoteSignature "BN-06" "The log's key signed the checkpoints and the manifest, and no signature on them is false."
    UnknownSigner "BN-07" "Every signature of the checkpoints and the manifest is of a key in log/vkeys or of a policy's witness, once each."
    VerifierKeys "BN-08" "log/vkeys holds verifier keys, one a line, the log's Ed25519 key first."
    Policy "BN-09" "log/policy is a trust policy that names the log's key."
    ManifestLog "BN-10" "The manifest is of this log: its origin, a tree size within the checkpoint's, the root at that size."
    FileHash "BN-11" "Every file has the SHA-256 that the manifest lists for it."
    NotCovered "BN-12" "The manifest lists the definition, log/vkeys, log/policy and the index."
    EntryTile "BN-13" "Every entry bundle holds exactly the entries that its path announces."
    EntryAltered "BN-14" "Every entry is the one whose hash the log's tree has."
    Root "BN-15" "The root recomputed from all entries is the checkpoint's."
    HashTile "BN-16" "Every hash tile has the bytes that the entries give."
    LeftOver "BN-17" "Every partial tile of an earlier tree size is a prefix of the log."
    FirstEntry "BN-18" "Entry 0, and no other, is the manifest of the definition in election/."
    EntryType "BN-19" "Every entry is of a type that this version knows."
    RecordForm "BN-20" "Every record is a sealed tally in its canonical form."
    RecordSignature "BN-21" "Every record's signature holds for its station's key in the register."
    Duplicate "BN-22" "No record stands in the log twice."
    Totals "BN-23" "index/totals.json is what the log gives."
    Index "BN-24" "index/stations.csv is what the log gives."
    TrustDefinition "BN-25" "The definition hash is the trusted one."
    TrustLog "BN-26" "The log's key is the trusted one."
    Quorum "BN-27" "The checkpoint bears the witnesses' cosignatures that the policy asks for: the trusted policy, or else the one in force. Unless the log is frozen, what is missing is a warning."
    PolicyStated "BN-28" "log/policy is byte for byte what the witness policy in force gives for this log: the definition's, or that of the last policy statement in effect."
    Cosigned "BN-29" "log/cosigned, if there is one, is a checkpoint of a prefix of the log with the cosignatures that the policy in force asks for."
    Frozen "BN-30" "log/frozen, if there is one, is byte for byte the checkpoint, and the manifest is of its size and lists it."
    Forked "BN-31" "No proof is at hand that the log's key signed two checkpoints that exclude each other."
    StatementForm "BN-32" "Every statement is in its one canonical form, and of the kind that its entry's type announces."
    StatementSignature "BN-33" "Every signature on a statement by a key of the definition holds."
    Statements "BN-34" "index/statements.json is what the log gives."
    Bulletin "BN-35" "Every bulletin in effect states the log's root and the totals' SHA-256 at its tree size, and the SHA-256 of the document that the log gives."
    BulletinFile "BN-36" "bulletin.json and bulletin.csv of every bulletin in effect are what the log gives; its page and its PDFs too, which `bulletin check` renders again."
    BulletinCheckpoint "BN-37" "The checkpoint beside every bulletin in effect is one of a prefix of the log, not smaller than the bulletin's, with the cosignatures that the policy in force asks for. Unless the log is frozen, that there is none is a warning."
    BulletinStray "BN-38" "Every file below bulletins/ is one of a bulletin in effect."
}

impl Check {
    /// A finding of this check.
    pub fn problem(self, place: impl Into<String>, what: impl Into<String>) -> Problem {
        Problem::new(self.code(), place, what)
    }
}

#[cfg(test)]
mod tests {
    use super::TABLE;

    #[test]
    fn codes_are_numbered_without_gap() {
        for (number, (code, _)) in (1..).zip(TABLE) {
            assert_eq!(*code, format!("BN-{number:02}"));
        }
    }
}
