//! From bytes to rows of cells: unpack, decode, split, name the columns.

mod decode;
mod split;
mod table;
mod unpack;

use tallyproof_record::Problem;

pub(crate) use decode::decode;

pub(crate) use table::{Table, place};
pub(crate) use unpack::Budget;

use crate::mapping::InputSpec;

/// A file as it was found. `.xz`, `.gz`, `.zst` and `.zip` are recognised by their content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Name for messages.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// The tables in `input`: itself, or the members of the archive that it is. Names carry the member after `!`.
///
/// # Errors
/// A broken archive, one without a table, or more bytes than `budget` allows.
pub(crate) fn tables(input: &Input, spec: &InputSpec, budget: &mut Budget) -> Result<Vec<Input>, Problem> {
    unpack::tables(input, spec.member.as_deref(), budget)
}
