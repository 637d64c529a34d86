//! Glob patterns: `*` stands for any text, `?` for one character. Linear memory, no backtracking explosion.

/// Whether `text` matches `pattern` as a whole.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to resume after a mismatch: the last `*` and the text position it has eaten up to.
    let mut star: Option<(usize, usize)> = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(&want) if want == '?' || want == c => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((after, eaten)) = star else { return false };
                star = Some((after, eaten + 1));
                p = after;
                t = eaten + 1;
            }
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, text, want) in [
            ("*", "", true),
            ("TOTAL*", "TOTAL VOTES CAST", true),
            ("*%*", "share % of valid", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("exact", "Exact", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} on {text}");
        }
    }
}
