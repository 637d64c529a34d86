//! The faces: which glyph stands for a character, and how wide it is.

use std::sync::LazyLock;

use skrifa::{
    FontRef, MetadataProvider,
    instance::{LocationRef, Size},
};

/// Shown for what the face lacks.
const REPLACEMENT: char = '\u{fffd}';

/// The weights that are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// A glyph of one face.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Glyph {
    /// Its number; 0 for none.
    pub(super) id: u16,
    /// Its width in units of the face.
    advance: u16,
}

/// One weight.
pub(super) struct Face {
    /// The font file.
    pub(super) data: &'static [u8],
    units: f32,
    /// By code point.
    glyphs: Vec<Glyph>,
    replacement: Glyph,
}

/// Both weights.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

/// The faces, read once.
pub(super) fn faces() -> Option<&'static Faces> {
    static FACES: LazyLock<Option<Faces>> = LazyLock::new(|| {
        Some(Faces { regular: Face::read(notosans::REGULAR_TTF)?, bold: Face::read(notosans::BOLD_TTF)? })
    });
    FACES.as_ref()
}

impl Faces {
    pub(super) fn get(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

impl Face {
    fn read(data: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(data).ok()?;
        let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let units = f32::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        let mut glyphs = Vec::new();
        for (code, glyph) in font.charmap().mappings() {
            let Some(place) = char::from_u32(code).filter(|&it| is_shown(it)).and(usize::try_from(code).ok()) else {
                continue;
            };
            if glyphs.len() <= place {
                glyphs.resize(place + 1, Glyph::default());
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a font's units are 16 bits wide"
            )]
            let advance = metrics.advance_width(glyph)? as u16;
            glyphs[place] = Glyph { id: u16::try_from(glyph.to_u32()).ok()?, advance };
        }
        let replacement = *glyphs.get(REPLACEMENT as usize).filter(|glyph| glyph.id > 0)?;
        Some(Self { data, units, glyphs, replacement })
    }

    /// The character's glyph.
    fn own(&self, character: char) -> Option<Glyph> {
        self.glyphs.get(character as usize).copied().filter(|glyph| glyph.id > 0)
    }

    /// Whether every character has its glyph.
    pub(super) fn has_all(&self, text: &str) -> bool {
        text.chars().all(|it| self.own(it).is_some())
    }

    /// The character's glyph, or that which stands for what the face lacks.
    pub(super) fn glyph(&self, character: char) -> Glyph {
        self.own(character).unwrap_or(self.replacement)
    }

    /// The glyph's width for a size of 1.
    pub(super) fn advance(&self, glyph: Glyph) -> f32 {
        f32::from(glyph.advance) / self.units
    }

    /// The text's width.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|it| f32::from(self.glyph(it).advance)).sum::<f32>() / self.units * size
    }

    /// The text in lines of at most `width`, broken at spaces and, where a word is wider than a line, inside it.
    pub(super) fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
        let space = self.width(" ", size);
        for word in text.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
            let needed = self.width(word, size);
            if line.is_empty() || used + space + needed <= width {
                if !line.is_empty() {
                    line.push(' ');
                    used += space;
                }
            } else {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if needed <= width {
                line.push_str(word);
                used += needed;
                continue;
            }
            for character in word.chars() {
                let advance = self.advance(self.glyph(character)) * size;
                if used + advance > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(character);
                used += advance;
            }
        }
        if !line.is_empty() {
            lines.push(line);
        }
        lines
    }
}

/// Whether the character has a form of its own: what a file for archives may not hold is replaced.
fn is_shown(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fffe}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regular() -> &'static Face {
        faces().expect("the font that is built in").get(Weight::Regular)
    }

    #[test]
    fn the_face_has_the_letters_of_latin_greek_and_cyrillic_and_what_figures_need() {
        for weight in [Weight::Regular, Weight::Bold] {
            let face = faces().unwrap().get(weight);
            assert!(face.has_all("Ñandú ação Łódź Ἑλλάς Ελλάδα Україна Ђорђе 12\u{202f}345 −7 – ÷ “x” ’ · …"));
            assert!(!face.has_all("\u{7}") && !face.has_all("\u{e000}") && !face.has_all("漢"));
        }
    }

    #[test]
    fn every_digit_is_as_wide_as_the_others() {
        let widths = "0123456789".chars().map(|it| regular().glyph(it).advance);
        assert_eq!(widths.collect::<std::collections::BTreeSet<_>>().len(), 1);
    }

    #[test]
    fn lines_fit_and_lose_no_word() {
        let text = "a few words of which the last is averyveryverylongwordthatfitsnoline";
        let lines = regular().lines(text, 10.0, 90.0);
        assert!(lines.len() > 3 && lines.iter().all(|line| regular().width(line, 10.0) <= 90.001), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert!(regular().lines("  ", 10.0, 90.0).is_empty());
        assert_eq!(regular().lines("ab", 10.0, 1.0), ["a", "b"], "a line holds a character at least");
    }
}
