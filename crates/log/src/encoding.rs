//! The two text encodings every C2SP format shares, each with exactly one accepted form.
//!
//! One value, one spelling: otherwise whoever carries a signed text could change its bytes and keep it valid.

use base64::{Engine, engine::general_purpose::STANDARD};

/// RFC 4648 section 4 base64, padded.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of padded base64; refuses missing padding, non-zero trailing bits and foreign characters.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// An ASCII decimal without sign or leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{decimal, from_base64};

    #[test]
    fn decimal_has_one_spelling() {
        assert_eq!(decimal("0"), Some(0));
        assert_eq!(decimal("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "18446744073709551616", "1_0", "١"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(from_base64("AA=="), Some(vec![0]));
        for bad in ["AA", "AA=", "AB==", "AA==\n", " AA==", "A-==", "AA==AA=="] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
    }
}
