//! Figures as text: thousands apart, shares by integer arithmetic.

use crate::messages::Lang;

/// Narrow no-break space: groups digits without breaking a line, alike in all languages.
const THIN_SPACE: char = '\u{202f}';

/// `1234567` with its thousands apart.
pub fn grouped(count: u64) -> String {
    group_digits(&count.to_string())
}

/// A change with its sign, its thousands apart: `+1234`, `−21`, `0`.
pub(crate) fn signed(change: i64) -> String {
    let digits = grouped(change.unsigned_abs());
    match change {
        0 => digits,
        1.. => format!("+{digits}"),
        _ => format!("\u{2212}{digits}"),
    }
}

/// Sets the thousands of a run of digits apart.
pub(crate) fn group_digits(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(THIN_SPACE);
        }
        text.push(digit);
    }
    text
}

/// Thousandths as a decimal with the language's mark and no more decimals than it needs: 2500 is `2.5`.
pub(crate) fn decimal(thousandths: u64, lang: Lang) -> String {
    let (whole, rest) = (grouped(thousandths / 1_000), thousandths % 1_000);
    if rest == 0 {
        return whole;
    }
    format!("{whole}{}{}", lang.decimal_mark(), format!("{rest:03}").trim_end_matches('0'))
}

/// `value × by / over`, rounded half up; 0 where there is nothing to divide by, the largest number where it overflows.
pub(crate) fn scaled(value: u64, by: u64, over: u64) -> u64 {
    let (product, over) = (u128::from(value) * u128::from(by), u128::from(over));
    let rounded = (product + over / 2).checked_div(over).unwrap_or(0);
    u64::try_from(rounded).unwrap_or(u64::MAX)
}

/// A part of a whole in hundredths of a per cent, rounded half up from the exact fraction, never from a rounded one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

impl Share {
    /// `part` of `whole`; `None` if there is no whole to be a part of.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        let (part, whole) = (u128::from(part), u128::from(whole));
        let doubled = (part * 20_000 + whole).checked_div(2 * whole)?;
        u64::try_from(doubled).ok().map(Self)
    }

    /// Such as `39.71 %`, with the language's decimal mark.
    pub fn text(self, lang: Lang) -> String {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        format!("{whole}{}{hundredths:02}{}%", lang.decimal_mark(), lang.before_per_cent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (12_345_678, "12 345 678")] {
            assert_eq!(grouped(count).replace(THIN_SPACE, " "), text);
        }
    }

    #[test]
    fn changes_have_their_sign() {
        let text = |change| signed(change).replace(THIN_SPACE, " ");
        assert_eq!([0, 1_234, -21].map(text), ["0", "+1 234", "−21"]);
        assert_eq!(text(i64::MIN), "−9 223 372 036 854 775 808");
    }

    #[test]
    fn shares_round_half_up_from_the_exact_fraction() {
        let text = |part, whole| Share::of(part, whole).map(|share| share.text(Lang::En));
        assert_eq!(text(1, 3).as_deref(), Some("33.33%"));
        assert_eq!(text(2, 3).as_deref(), Some("66.67%"));
        assert_eq!(text(1, 20_000).as_deref(), Some("0.01%"));
        assert_eq!(text(1, 20_001).as_deref(), Some("0.00%"));
        assert_eq!(text(u64::MAX, u64::MAX).as_deref(), Some("100.00%"));
        assert_eq!(text(0, 0), None);
    }

    #[test]
    fn decimals_are_no_more_than_needed() {
        let text = |thousandths, lang| decimal(thousandths, lang).replace(THIN_SPACE, " ");
        assert_eq!(text(2_500, Lang::En), "2.5");
        assert_eq!(text(1_007, Lang::Pt), "1,007");
        assert_eq!(text(1_234_000, Lang::Es), "1 234");
        assert_eq!(text(0, Lang::En), "0");
    }

    #[test]
    fn scaling_rounds_half_up_and_never_fails() {
        assert_eq!((scaled(1, 1, 2), scaled(1, 1, 3), scaled(5, 3, 0)), (1, 0, 0));
        assert_eq!(scaled(u64::MAX, u64::MAX, 1), u64::MAX);
    }

    #[test]
    fn the_decimal_mark_is_the_languages() {
        let share = Share::of(1, 8).unwrap();
        assert_eq!(Lang::ALL.map(|lang| share.text(lang)), ["12.50%", "12,50\u{202f}%", "12,50%"]);
    }
}
