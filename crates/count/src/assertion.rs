//! The linear assertion: Σ weight · votes + constant > 0, in integers.
//!
//! An outcome is a set of assertions that all hold. A vote more moves an assertion by its option's weight; the worst that
//! n votes can do to it is n times its smallest weight.

/// A statement about the votes of a contest that holds or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    weights: Vec<i128>,
    constant: i128,
}

impl Assertion {
    /// `weights` has one weight for each option. Weights up to 10^15 with votes up to [`crate::seats::MAX_VOTES`] are far
    /// from overflow.
    pub fn new(weights: Vec<i128>) -> Self {
        Self { weights, constant: 0 }
    }

    /// The assertion that Σ weight · votes is zero or more.
    pub fn not_below_zero(weights: Vec<i128>) -> Self {
        Self { weights, constant: 1 }
    }

    /// What the sum has above zero; the assertion holds if that is positive.
    pub fn margin(&self, votes: &[u64]) -> i128 {
        self.weights.iter().zip(votes).map(|(weight, votes)| weight * i128::from(*votes)).sum::<i128>() + self.constant
    }

    /// Whether the assertion holds for these votes.
    pub fn holds(&self, votes: &[u64]) -> bool {
        self.margin(votes) > 0
    }

    /// The worst that a vote more can do: the smallest weight, or zero, as a vote may also not be cast.
    pub fn worst_weight(&self) -> i128 {
        self.weights.iter().copied().min().unwrap_or_default().min(0)
    }

    /// The fewest further votes with which the assertion can fail; `None` if no number of votes is enough.
    pub fn lead(&self, votes: &[u64]) -> Option<u64> {
        let margin = self.margin(votes).max(0);
        if margin == 0 {
            return Some(0);
        }
        let worst = -self.worst_weight();
        (worst > 0).then(|| u64::try_from((margin + worst - 1) / worst).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Assertion;

    #[test]
    fn a_lead_is_the_first_number_of_votes_with_which_it_fails() {
        let first = Assertion::new(vec![1, -1, 0]);
        assert_eq!((first.margin(&[7, 4, 9]), first.lead(&[7, 4, 9]), first.lead(&[4, 7, 9])), (3, Some(3), Some(0)));
        let half = Assertion::new(vec![1, -2, -1]);
        assert_eq!(half.lead(&[7, 0, 0]), Some(4), "after 4 votes to the second: 7 - 8 < 0");
        assert_eq!(Assertion::new(vec![1, 0]).lead(&[1, 0]), None);
        assert_eq!(Assertion::not_below_zero(vec![1, -1]).lead(&[3, 3]), Some(1));
    }
}
