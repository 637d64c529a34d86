//! What each correction changed: *as counted*, and the sum of all effects, is *as it stands*.

use tallyproof_record::definition::Figure;

use crate::{
    ledger::{FiguresView, Ledger, SlotStatus},
    statements::CorrectionView,
};

/// The difference that a correction makes to what stood before it: the station's counted record, or the correction that it replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// 1 if the station was not counted before and is now, −1 the other way round.
    pub stations: i64,
    /// Votes per ballot line, in ballot order.
    pub lines: Vec<i64>,
    /// Stated figures, in the order of [`Figure::ALL`]; what is not stated counts 0.
    pub figures: [i64; Figure::ALL.len()],
}

impl Ledger {
    /// Every correction that took effect, with what it changed, in log order. What stood before the first one of a slot is the slot
    /// *as counted* now: a record that came later may have changed that.
    pub fn effects(&self) -> impl ExactSizeIterator<Item = (CorrectionView<'_>, Effect)> {
        (0..self.book().corrections().len()).map(|position| {
            let correction = self.book().view(position);
            let before = match self.book().corrections()[position].previous {
                Some(previous) => self.book().view(previous).figures,
                None => self.counted_figures(&correction),
            };
            (correction, Effect::between(before, correction.figures, self.lines(&correction)))
        })
    }

    fn counted_figures(&self, correction: &CorrectionView<'_>) -> Option<FiguresView<'_>> {
        let slot = self.slot(correction.station, correction.contest)?;
        slot.figures.filter(|_| slot.status == SlotStatus::Counted)
    }

    fn lines(&self, correction: &CorrectionView<'_>) -> usize {
        self.definition().election().contest(correction.contest).map_or(0, |contest| contest.lines.len())
    }
}

impl Effect {
    fn between(before: Option<FiguresView<'_>>, after: Option<FiguresView<'_>>, lines: usize) -> Self {
        let mut effect = Self { stations: 0, lines: vec![0; lines], figures: [0; Figure::ALL.len()] };
        effect.add(before, -1);
        effect.add(after, 1);
        effect
    }

    fn add(&mut self, figures: Option<FiguresView<'_>>, sign: i64) {
        let Some(figures) = figures else { return };
        self.stations += sign;
        for (sum, &count) in self.lines.iter_mut().zip(figures.counts) {
            *sum += sign * i64::from(count);
        }
        for (figure, value) in figures.figures() {
            self.figures[figure as usize] += sign * i64::from(value);
        }
    }
}
