//! Why a correction is made, and what an endorser may add: small tables, so that every reader can count by reason.

macro_rules! numbered {
    ($(#[$doc:meta])* $type:ident $table:ident $table_doc:literal $($name:ident $number:literal $code:literal $text:literal)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $(#[doc = $text] $name),* }

        #[doc = $table_doc]
        pub const $table: &[(&str, &str)] = &[$(($code, $text)),*];

        impl $type {
            /// All, in table order.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number in the payload.
            pub fn number(self) -> u8 {
                match self { $(Self::$name => $number),* }
            }

            /// The one with this number.
            pub fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The one with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// What it means.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

numbered! {
    /// Why a correction is made.
    Reason REASONS "Every reason's code and meaning; `RE-07` has number 7 in the payload."
    Transcription 1 "RE-01" "A figure was entered wrongly; the station's paper record has the right one."
    PaperRecord 2 "RE-02" "The station's paper record itself was wrong; the authority has established the right figures."
    NoRecord 3 "RE-03" "No record came that could be counted; these are the figures of the paper record."
    Conflict 4 "RE-04" "Different records came; these figures hold."
    Cleared 5 "RE-05" "A rule kept the record apart; its figures were examined, and these hold."
    Recount 6 "RE-06" "The ballots were counted again."
    Ruling 7 "RE-07" "A court or electoral body has ruled."
    Annulment 8 "RE-08" "The station's poll was annulled."
    Rerun 9 "RE-09" "The station's poll was held again."
    EarlierCorrection 10 "RE-10" "An earlier correction was wrong."
}

numbered! {
    /// What an endorser adds to his signature.
    Remark REMARKS "Every remark's code and meaning; `EN-02` has number 2 in the payload."
    PaperCopy 1 "EN-01" "The figures are those of the signer's own copy of the paper record."
    Present 2 "EN-02" "The signer was present at the count."
    Objection 3 "EN-03" "The signer has noted an objection on the paper record."
}
