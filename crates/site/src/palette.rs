//! The colours of the pages, light and dark, held to WCAG 2.2 contrast by a test.

use std::fmt::Write;

/// A colour by its role: its name in the style sheet, on light paper, on dark paper.
struct Colour {
    name: &'static str,
    light: u32,
    dark: u32,
}

const fn colour(name: &'static str, light: u32, dark: u32) -> Colour {
    Colour { name, light, dark }
}

/// What everything is drawn on.
const PAPER: [Colour; 2] = [colour("paper", 0xfd_fd_fb, 0x15_17_18), colour("panel", 0xf3_f3_ee, 0x1f_22_24)];

/// Colours that words are set in.
const TEXT: [Colour; 5] = [
    colour("ink", 0x1b_1d_1f, 0xe9_e8_e3),
    colour("quiet", 0x55_58_5b, 0xa9_ac_ae),
    colour("accent", 0x1a_5a_8a, 0x8f_c4_ee),
    colour("quarantined", 0x8a_55_00, 0xe8_b0_4b),
    colour("missing", 0x66_69_6c, 0x9b_9e_a1),
];

/// Colours of marks: bars and squares. The eight bars differ in hue and lightness for colour-blind readers too.
const MARKS: [Colour; 10] = [
    colour("counted", 0x3b_5f_7c, 0x7f_a9_c9),
    colour("k0", 0x3b_5f_7c, 0x7f_a9_c9),
    colour("k1", 0x00_6b_a6, 0x5b_b6_ea),
    colour("k2", 0xa0_70_00, 0xe3_b3_43),
    colour("k3", 0x8f_3f_77, 0xd9_8c_c0),
    colour("k4", 0x00_7d_63, 0x3b_bd_97),
    colour("k5", 0xc2_55_12, 0xf0_8f_52),
    colour("k6", 0x5a_4b_a8, 0xa9_9d_ef),
    colour("k7", 0x6b_6e_22, 0xb9_bd_5e),
    colour("k8", 0x5f_63_68, 0xac_b0_b5),
];

/// Hairlines and the stripes of the drill banner: decoration that carries no meaning of its own.
const RULES: [Colour; 1] = [colour("rule", 0xd9_d9_d2, 0x3a_3e_41)];

/// How many candidates get a colour each; where there are more, all share one.
pub(crate) const HUES: usize = 8;

/// The custom properties of one theme.
pub(crate) fn properties(dark: bool) -> String {
    let mut css = String::new();
    for colour in PAPER.iter().chain(&TEXT).chain(&MARKS).chain(&RULES) {
        let _ = write!(css, "--{}:#{:06x};", colour.name, if dark { colour.dark } else { colour.light });
    }
    css
}

/// A colour on light paper, as `0xrrggbb`; ink for a name that the palette lacks.
pub(crate) fn light(name: &str) -> u32 {
    let mut colours = PAPER.iter().chain(&TEXT).chain(&MARKS).chain(&RULES);
    colours.find(|colour| colour.name == name).unwrap_or(&TEXT[0]).light
}

/// The colour of bars with this number, on light paper.
pub(crate) fn hue(number: usize) -> u32 {
    light(&format!("k{}", number.min(HUES)))
}

/// A colour as pale as a bar's reach is on the pages: 16 % of it on white.
pub(crate) fn pale(colour: u32) -> u32 {
    let bytes = colour.to_be_bytes().map(|byte| (u32::from(byte) * 16 + 255 * 84) / 100);
    bytes.into_iter().skip(1).fold(0, |all, byte| all << 8 | byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2, relative luminance.
    fn luminance(colour: u32) -> f64 {
        let [_, red, green, blue] = colour.to_be_bytes().map(|byte| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(a: u32, b: u32) -> f64 {
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        a.max(b) / a.min(b)
    }

    fn hold(colours: &[Colour], least: f64) {
        for colour in colours {
            for paper in &PAPER {
                for (theme, ratio) in
                    [("light", contrast(colour.light, paper.light)), ("dark", contrast(colour.dark, paper.dark))]
                {
                    assert!(ratio >= least, "{} on {} ({theme}): {ratio:.2}", colour.name, paper.name);
                }
            }
        }
    }

    #[test]
    fn words_and_marks_stand_out_from_paper() {
        assert!((contrast(0x00_00_00, 0xff_ff_ff) - 21.0).abs() < 1e-9, "the formula itself");
        hold(&TEXT, 4.5);
        hold(&MARKS, 3.0);
    }

    #[test]
    fn the_drill_banner_is_ink_reversed() {
        let (paper, ink) = (&PAPER[0], &TEXT[0]);
        assert!(contrast(paper.light, ink.light) >= 7.0 && contrast(paper.dark, ink.dark) >= 7.0);
    }

    #[test]
    fn every_hue_has_its_property() {
        let css = properties(false);
        assert!((0..=HUES).all(|k| css.contains(&format!("--k{k}:"))));
    }

    #[test]
    fn paper_has_the_colours_of_the_pages() {
        assert_eq!((light("ink"), hue(1), hue(99)), (TEXT[0].light, 0x00_6b_a6, hue(HUES)));
        assert_eq!((pale(0), pale(0xff_ff_ff)), (0xd6_d6_d6, 0xff_ff_ff));
    }
}
