//! Compressed files and archives, recognised by content, with a cap on what they may unpack to.

use std::io::{self, Cursor, Read};

use tallyproof_record::Problem;

use super::Input;
use crate::pattern;
use crate::report::{NO_TABLE, NOT_UNPACKED, TOO_LARGE};

/// Dictionaries and windows above this are refused: a few header bytes must not reserve gigabytes.
const WINDOW_KIB: u32 = 256 * 1024;
/// Members looked at in one archive.
const MAX_MEMBERS: usize = 10_000;
const TABLE_ENDINGS: [&str; 8] = [".csv", ".tsv", ".tab", ".txt", ".dat", ".prn", ".psv", ".asc"];
const PACKED_ENDINGS: [&str; 3] = [".xz", ".gz", ".zst"];

/// Bytes that may still be unpacked. The guard against decompression bombs, shared by all inputs of an import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    left: u64,
    cap: u64,
}

impl Budget {
    pub(crate) fn new(cap: u64) -> Self {
        Self { left: cap, cap }
    }

    fn spend(&mut self, bytes: usize, name: &str) -> Result<(), Problem> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        match self.left.checked_sub(bytes) {
            Some(left) => self.left = left,
            None => return Err(self.exceeded(name)),
        }
        Ok(())
    }

    fn exceeded(&self, name: &str) -> Problem {
        let what =
            format!("unpacks to more than {} bytes in total; if that is right, raise `max_bytes` in [input]", self.cap);
        Problem::new(TOO_LARGE, name, what)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Xz,
    Gzip,
    Zstd,
    Zip,
}

fn packing(bytes: &[u8]) -> Packing {
    match bytes {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Xz,
        [0x1f, 0x8b, 8, ..] => Packing::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Packing::Zip,
        _ => Packing::Plain,
    }
}

/// See [`super::tables`].
pub(super) fn tables(input: &Input, member: Option<&str>, budget: &mut Budget) -> Result<Vec<Input>, Problem> {
    match packing(&input.bytes) {
        Packing::Plain => {
            budget.spend(input.bytes.len(), &input.name)?;
            Ok(vec![input.clone()])
        }
        Packing::Zip => members(input, member, budget),
        packed => {
            Ok(vec![Input { name: input.name.clone(), bytes: inflate(packed, &input.bytes, &input.name, budget)? }])
        }
    }
}

/// The members of a zip that are tables, in the archive's order. A member may be compressed once more (`.csv.xz`).
fn members(input: &Input, member: Option<&str>, budget: &mut Budget) -> Result<Vec<Input>, Problem> {
    let broken = |error: zip::result::ZipError| {
        Problem::new(NOT_UNPACKED, &input.name, format!("not a readable zip archive: {error}"))
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(input.bytes.as_slice())).map_err(broken)?;
    let mut names = Vec::new();
    let mut tables = Vec::new();
    for index in 0..archive.len().min(MAX_MEMBERS) {
        let mut file = archive.by_index(index).map_err(broken)?;
        let name = file.name().map_err(broken)?.into_owned();
        if file.is_dir() {
            continue;
        }
        let wanted = member.map_or_else(|| is_table(&name), |glob| pattern::matches(glob, &name));
        names.push(name.clone());
        if wanted {
            let name = format!("{}!{name}", input.name);
            let bytes = read_all(&mut file, &name, budget)?;
            tables.push(inner(Input { name, bytes }, budget)?);
        }
    }
    if tables.is_empty() {
        names.truncate(20);
        let wanted = member.map_or_else(|| "table".to_owned(), |glob| format!("member `{glob}`"));
        let what = format!(
            "the archive has no {wanted}; it has: {}. Name the one to read as `member` in [input]",
            names.join(", ")
        );
        return Err(Problem::new(NO_TABLE, &input.name, what));
    }
    Ok(tables)
}

fn is_table(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let bare = PACKED_ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    // Finder leaves a shadow of every file in this folder.
    !name.starts_with("__macosx/") && TABLE_ENDINGS.iter().any(|ending| bare.ends_with(ending))
}

/// Unpacks a member that is compressed itself; archives within archives are refused.
fn inner(member: Input, budget: &mut Budget) -> Result<Input, Problem> {
    match packing(&member.bytes) {
        Packing::Plain => Ok(member),
        Packing::Zip => {
            Err(Problem::new(NOT_UNPACKED, member.name, "an archive within an archive: unpack the outer one first"))
        }
        packed => {
            let bytes = inflate(packed, &member.bytes, &member.name, budget)?;
            Ok(Input { name: member.name, bytes })
        }
    }
}

fn inflate(packing: Packing, bytes: &[u8], name: &str, budget: &mut Budget) -> Result<Vec<u8>, Problem> {
    match packing {
        Packing::Xz => read_all(&mut lzma_rust2::XzReader::new_mem_limit(bytes, true, WINDOW_KIB), name, budget),
        Packing::Gzip => read_all(&mut flate2::read::MultiGzDecoder::new(bytes), name, budget),
        Packing::Zstd => unzstd(bytes, name, budget),
        Packing::Plain | Packing::Zip => Ok(bytes.to_vec()),
    }
}

/// All frames of a Zstandard file, one after the other.
fn unzstd(bytes: &[u8], name: &str, budget: &mut Budget) -> Result<Vec<u8>, Problem> {
    let mut rest = bytes;
    let mut out = Vec::new();
    while !rest.is_empty() {
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, tail @ ..] = rest {
            let skip = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
            rest = tail.get(skip..).unwrap_or_default();
            continue;
        }
        let mut decoder =
            ruzstd::decoding::StreamingDecoder::new_with_max_window_size(&mut rest, u64::from(WINDOW_KIB) * 1024)
                .map_err(|error| Problem::new(NOT_UNPACKED, name, format!("not a readable .zst file: {error}")))?;
        out.extend(read_all(&mut decoder, name, budget)?);
    }
    Ok(out)
}

/// Everything in `reader`, never more than the budget allows.
fn read_all(reader: &mut impl Read, name: &str, budget: &mut Budget) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let read: io::Result<usize> = reader.take(budget.left.saturating_add(1)).read_to_end(&mut bytes);
    if let Err(error) = read {
        let what = format!("cannot be unpacked: {error}. The file is cut short or damaged: fetch it again");
        return Err(Problem::new(NOT_UNPACKED, name, what));
    }
    budget.spend(bytes.len(), name)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn unpack(bytes: Vec<u8>, member: Option<&str>, cap: u64) -> Result<Vec<Input>, Problem> {
        tables(&Input { name: "f".into(), bytes }, member, &mut Budget::new(cap))
    }

    #[test]
    fn every_packing_is_recognised_by_content() {
        let table = b"a,b\n1,2\n";
        let two_frames = [zstd(b"a,b\n"), vec![0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9], zstd(b"1,2\n")].concat();
        for bytes in [
            table.to_vec(),
            gzip(table),
            zstd(table),
            two_frames,
            zip_of(&[("t.csv", table)]),
            zip_of(&[("t.csv.gz", &gzip(table))]),
        ] {
            let tables = unpack(bytes, None, 1 << 20).unwrap();
            assert_eq!(tables.len(), 1);
            assert_eq!(tables[0].bytes, table);
        }
    }

    #[test]
    fn members_by_glob_or_by_ending() {
        let archive = zip_of(&[("readme.md", b"x"), ("__MACOSX/a.csv", b"x"), ("a.csv", b"1"), ("b.TSV", b"2")]);
        let names =
            |member| unpack(archive.clone(), member, 100).unwrap().into_iter().map(|t| t.name).collect::<Vec<_>>();
        assert_eq!(names(None), ["f!a.csv", "f!b.TSV"]);
        assert_eq!(names(Some("*.md")), ["f!readme.md"]);
        let problem = unpack(archive.clone(), Some("c.csv"), 100).unwrap_err();
        assert_eq!(problem.code, NO_TABLE);
        assert!(problem.what.contains("b.TSV"), "{problem}");
    }

    #[test]
    fn bombs_and_damage_are_errors() {
        let bomb = gzip(&vec![b'0'; 1 << 20]);
        assert_eq!(unpack(bomb.clone(), None, 1000).unwrap_err().code, TOO_LARGE);
        assert_eq!(unpack(zip_of(&[("a.csv", &bomb)]), None, 5000).unwrap_err().code, TOO_LARGE);
        assert_eq!(
            unpack(zip_of(&[("a.csv", &zip_of(&[("b.csv", b"1")]))]), None, 5000).unwrap_err().code,
            NOT_UNPACKED
        );
        assert_eq!(unpack(vec![b'x'; 2000], None, 1000).unwrap_err().code, TOO_LARGE);
        for bytes in [gzip(b"a,b\n1,2\n"), zstd(b"a,b\n1,2\n"), zip_of(&[("a.csv", b"a,b\n1,2\n")])] {
            let cut = bytes[..bytes.len() - 5].to_vec();
            assert_eq!(unpack(cut, None, 1000).unwrap_err().code, NOT_UNPACKED);
        }
    }
}
