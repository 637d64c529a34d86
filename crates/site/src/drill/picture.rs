//! The drawings of the report. Each is stretched to its place on the page, in which its lines keep their width; the words
//! stand beside it as HTML, so that they keep their size. Coordinates are integers.

use std::fmt::Write;

use super::Second;

/// Width of a drawing in its own units; also a hundredth of a per cent of it.
pub(super) const WIDTH: u64 = 10_000;
const HEIGHT: u64 = 1_000;

/// A value axis from 0 in [`Scale::STEPS`] even steps.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    step: u64,
}

impl Scale {
    const STEPS: u64 = 4;

    /// The shortest axis with round steps that reaches `most`.
    pub(super) fn reaching(most: u64) -> Self {
        Self { step: round_up(most.div_ceil(Self::STEPS), &[10, 15, 20, 25, 30, 40, 50, 60, 80]) }
    }

    /// The values at its steps, from the top down to 0.
    pub(super) fn marks(self) -> impl Iterator<Item = u64> {
        (0..=Self::STEPS).rev().map(move |mark| self.step.saturating_mul(mark))
    }

    /// The value at its top.
    pub(super) fn top(self) -> u64 {
        self.step.saturating_mul(Self::STEPS)
    }

    fn y(self, value: u64) -> u64 {
        HEIGHT - place(value, self.top(), HEIGHT)
    }
}

/// The time axis, from the drill's beginning to its end.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    end_ms: u64,
}

impl Axis {
    pub(super) fn new(end_ms: u64) -> Self {
        Self { end_ms: end_ms.max(1) }
    }

    /// Where an instant is, in units of [`WIDTH`].
    pub(super) fn x(self, ms: u64) -> u64 {
        place(ms, self.end_ms, WIDTH)
    }

    /// Seconds to be written at the axis, at most seven.
    pub(super) fn marks(self) -> impl Iterator<Item = u64> {
        let seconds = self.end_ms / 1_000;
        let step = round_up(seconds.div_ceil(6), &[10, 20, 30, 50, 60]);
        (0..=seconds / step).map(move |mark| mark * step)
    }
}

/// `value` of `whole` in units of `length`, rounded down, never beyond it.
fn place(value: u64, whole: u64, length: u64) -> u64 {
    let units = u128::from(value) * u128::from(length) / u128::from(whole.max(1));
    u64::try_from(units).unwrap_or(length).min(length)
}

/// The smallest number of at least `least` that is one of `tens` tenths times a power of ten.
fn round_up(least: u64, tens: &[u64]) -> u64 {
    let mut power = 1u64;
    loop {
        let whole = tens.iter().filter(|&&ten| (ten * power).is_multiple_of(10)).map(|ten| ten * power / 10);
        if let Some(found) = whole.into_iter().find(|&candidate| candidate >= least.max(1)) {
            return found;
        }
        match power.checked_mul(10).filter(|power| power.checked_mul(100).is_some()) {
            Some(next) => power = next,
            None => return least,
        }
    }
}

/// A stretch of time in a drawing; a moment if it has no length.
#[derive(Clone, Copy)]
pub(super) struct Band {
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
}

/// A drawing over the time axis, layer by layer.
pub(super) struct Plot {
    axis: Axis,
    svg: String,
}

impl Plot {
    /// An empty drawing with a line at each step of a value axis.
    pub(super) fn new(axis: Axis) -> Self {
        let svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">"
        );
        let mut plot = Self { axis, svg };
        let lines = (0..=Scale::STEPS).map(|step| format!("M0 {}H{WIDTH}", HEIGHT * step / Scale::STEPS));
        plot.path("grid", &lines.collect::<String>());
        plot
    }

    /// Stretches of time, each as high as the drawing.
    pub(super) fn bands(mut self, bands: &[Band]) -> Self {
        for band in bands {
            let (from, to) = (self.axis.x(band.from_ms), self.axis.x(band.to_ms));
            if to > from {
                let _ =
                    write!(self.svg, "<rect class=\"band\" x=\"{from}\" width=\"{}\" height=\"{HEIGHT}\"/>", to - from);
            }
            self.path("edge", &format!("M{from} 0V{HEIGHT}"));
        }
        self
    }

    /// A line at one instant.
    pub(super) fn instant(mut self, class: &str, ms: u64) -> Self {
        self.path(class, &format!("M{} 0V{HEIGHT}", self.axis.x(ms)));
        self
    }

    /// A value for each second as steps: `class` fills or strokes them. Seconds left out are at 0.
    pub(super) fn steps(
        mut self,
        class: &str,
        series: &[Second],
        scale: Scale,
        value: impl Fn(&Second) -> u64,
    ) -> Self {
        let (mut line, mut at) = (format!("M0 {HEIGHT}"), 0);
        for second in series {
            let (from, to) =
                (second.second.saturating_mul(1_000), second.second.saturating_add(1).saturating_mul(1_000));
            if from > at {
                let _ = write!(line, "V{HEIGHT}H{}", self.axis.x(from));
            }
            let _ = write!(line, "V{}H{}", scale.y(value(second)), self.axis.x(to));
            at = to;
        }
        let _ = write!(line, "V{HEIGHT}H{WIDTH}");
        self.path(class, &line);
        self
    }

    /// The whole drawing.
    pub(super) fn svg(self) -> String {
        self.svg + "</svg>"
    }

    fn path(&mut self, class: &str, line: &str) {
        let _ = write!(self.svg, "<path class=\"{class}\" d=\"{line}\"/>");
    }
}

/// One stretch of time as a bar on the time axis.
pub(super) fn lane(axis: Axis, band: Band) -> String {
    let (from, to) = (axis.x(band.from_ms), axis.x(band.to_ms));
    // A moment is still to be seen.
    let width = to.saturating_sub(from).max(40);
    bar("lane", from.min(WIDTH - width.min(WIDTH)), width)
}

/// A part of a whole as a bar.
pub(super) fn part(value: u64, whole: u64) -> String {
    bar("part", 0, place(value, whole, WIDTH))
}

fn bar(class: &str, from: u64, width: u64) -> String {
    format!(
        "<svg class=\"{class}\" viewBox=\"0 0 {WIDTH} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\" focusable=\"false\">\
         <rect class=\"track\" width=\"{WIDTH}\" height=\"10\"/><rect class=\"solid\" x=\"{from}\" width=\"{width}\" height=\"10\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_reaches_the_most_in_round_steps() {
        for (most, top) in [(0, 4), (1, 4), (5, 8), (497, 600), (600, 600), (601, 800), (397_112, 400_000)] {
            assert_eq!(Scale::reaching(most).top(), top, "{most}");
        }
        assert_eq!(Scale::reaching(600).marks().collect::<Vec<_>>(), [600, 450, 300, 150, 0]);
    }

    #[test]
    fn the_largest_figures_stay_in_the_drawing() {
        let (scale, axis) = (Scale::reaching(u64::MAX), Axis::new(u64::MAX));
        assert_eq!((scale.y(u64::MAX), axis.x(u64::MAX)), (0, WIDTH));
        assert!(axis.marks().count() <= 7);
        let last = Second { second: u64::MAX, receipts: u64::MAX, ..Second::default() };
        assert!(Plot::new(axis).steps("line", &[last], scale, |second| second.receipts).svg().ends_with("</svg>"));
    }

    #[test]
    fn time_is_marked_at_round_seconds() {
        let marks = |seconds: u64| Axis::new(seconds * 1_000).marks().collect::<Vec<_>>();
        assert_eq!(marks(75), [0, 20, 40, 60]);
        assert_eq!(marks(60), [0, 10, 20, 30, 40, 50, 60]);
        assert_eq!(marks(0), [0]);
    }

    #[test]
    fn a_second_that_is_left_out_is_at_zero() {
        let points = [1, 3].map(|second| Second { second, receipts: 4, ..Second::default() });
        let svg = Plot::new(Axis::new(5_000)).steps("line", &points, Scale::reaching(4), |point| point.receipts).svg();
        assert!(svg.contains("d=\"M0 1000V1000H2000V0H4000V1000H6000V0H8000V1000H10000\""), "{svg}");
    }
}
