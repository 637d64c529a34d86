//! From bytes to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use tallyproof_record::Problem;

use crate::report::ENCODING;

/// Decodes a table. `named` is the encoding that the mapping names; without it a byte-order mark decides, then whether
/// the bytes are UTF-8, then a guess. The encoding used is returned for the report.
///
/// # Errors
/// Bytes that the encoding does not have, or a NUL (a binary file, or UTF-16 without a byte-order mark).
pub(crate) fn decode<'b>(
    bytes: &'b [u8],
    named: Option<&'static Encoding>,
    name: &str,
) -> Result<(Cow<'b, str>, &'static Encoding), Problem> {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = marked.or(named).unwrap_or_else(|| guess(bytes));
    let (text, used, broken) = encoding.decode(bytes);
    if broken {
        let at = bytes.len().min(Encoding::utf8_valid_up_to(bytes));
        let place = if used == UTF_8 { format!(" at byte {at}") } else { String::new() };
        let what = format!(
            "not valid {}{place}: name the right `encoding` in [input] (windows-1252 accepts any byte)",
            used.name()
        );
        return Err(Problem::new(ENCODING, name, what));
    }
    if text.contains('\0') {
        let what = "holds NUL characters: not a text table. If it is UTF-16 without a byte-order mark, set `encoding = \"utf-16le\"` in [input]";
        return Err(Problem::new(ENCODING, name, what));
    }
    Ok((text, used))
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, chardetng::Utf8Detection::Deny)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], named: Option<&'static Encoding>) -> (String, &'static str) {
        let (text, encoding) = decode(bytes, named, "f").unwrap();
        (text.into_owned(), encoding.name())
    }

    #[test]
    fn marks_validity_and_guesses() {
        assert_eq!(read(b"\xef\xbb\xbfPa\xc3\xads", None), ("País".into(), "UTF-8"));
        assert_eq!(read("País".as_bytes(), None), ("País".into(), "UTF-8"));
        assert_eq!(read(b"\xff\xfea\0b\0", None), ("ab".into(), "UTF-16LE"));
        let latin = b"Pa\xeds,Espa\xf1a,Regi\xf3n,Votaci\xf3n\nEspa\xf1a,Le\xf3n,M\xe9xico,a\xf1o\n";
        assert_eq!(read(latin, None).0.lines().next(), Some("País,España,Región,Votación"));
        assert_eq!(read(b"Pa\xeds", Some(encoding_rs::WINDOWS_1252)), ("País".into(), "windows-1252"));
    }

    #[test]
    fn wrong_encodings_and_binaries_are_errors() {
        assert!(decode(b"Pa\xeds", Some(UTF_8), "f").unwrap_err().what.contains("byte 2"));
        assert_eq!(decode(b"a\0b", None, "f").unwrap_err().code, ENCODING);
    }
}
