//! The form: an officer enters a record figure by figure in a terminal, sees the sum grow, and reads in words what does
//! not add up before anything is sealed.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use tallyproof_record::definition::results::Figures;
use tallyproof_record::definition::{Contest, Figure, Station};
use tallyproof_record::rules::Finding;
use tallyproof_site::messages::{Messages, Text};

/// Longest answer read; a stuck key must not fill the memory.
const MAX_ANSWER: u64 = 4096;

/// A form in one language, over any pair of streams.
pub struct Form<'a> {
    input: &'a mut dyn BufRead,
    output: &'a mut dyn Write,
    messages: &'a Messages,
}

impl<'a> Form<'a> {
    /// A form that asks on `output` and reads the answers, one a line, from `input`.
    pub fn new(input: &'a mut dyn BufRead, output: &'a mut dyn Write, messages: &'a Messages) -> Self {
        Self { input, output, messages }
    }

    /// Asks for every figure of the contest's record. The error is also that of an input that ends too early.
    pub fn fill(&mut self, station: &Station, contest: &Contest) -> io::Result<Figures> {
        let title = [("station", station.id.as_str().into()), ("contest", contest.name.as_str().into())];
        let title = self.messages.with(Text::FormTitle, &title);
        writeln!(self.output, "{title}\n")?;
        let mut sum = 0;
        let mut counts = Vec::with_capacity(contest.lines.len());
        for line in &contest.lines {
            let question = self.messages.with(Text::FormCount, &[("line", line.name.as_str().into())]);
            let count = self.count(&question)?;
            counts.push(count);
            self.add(&mut sum, count)?;
        }
        let mut stated = BTreeMap::new();
        for figure in Figure::ALL {
            if let Some(count) = self.figure(figure, contest)? {
                stated.insert(figure, count);
                if matches!(figure, Figure::Blank | Figure::Null) {
                    self.add(&mut sum, count)?;
                }
            }
        }
        Ok(Figures { counts, stated })
    }

    /// Shows the record as a whole with what the rules find.
    pub fn summary(&mut self, contest: &Contest, figures: &Figures, findings: &[Finding]) -> io::Result<()> {
        let counts = contest.lines.iter().map(|line| line.name.clone()).zip(figures.counts.iter().copied());
        let stated = figures.stated.iter().map(|(&figure, &count)| (self.messages.text(figure.into()), count));
        let rows: Vec<_> = counts.chain(stated).collect();
        writeln!(self.output)?;
        for (name, count) in rows {
            writeln!(self.output, "{count:>10}  {name}")?;
        }
        writeln!(self.output, "\n{}", findings_text(self.messages, findings))
    }

    /// Asks whether to seal.
    pub fn confirm(&mut self) -> io::Result<bool> {
        let question = self.messages.text(Text::FormConfirm);
        let (yes, no) = (self.messages.text(Text::FormAnswerYes), self.messages.text(Text::FormAnswerNo));
        loop {
            let answer = self.ask(&question)?;
            match (means(&answer, &yes), means(&answer, &no)) {
                (true, false) => return Ok(true),
                (false, true) => return Ok(false),
                _ => {}
            }
        }
    }

    /// Asks for a figure beside the lines. Only the contest's required figures may not be left out here.
    fn figure(&mut self, figure: Figure, contest: &Contest) -> io::Result<Option<u32>> {
        let name = self.messages.text(figure.into());
        if contest.figures.contains(&figure) {
            let question = self.messages.with(Text::FormCount, &[("line", name.as_str().into())]);
            return self.count(&question).map(Some);
        }
        let question = self.messages.with(Text::FormFigure, &[("figure", name.as_str().into())]);
        loop {
            let answer = self.ask(&question)?;
            if answer.is_empty() {
                return Ok(None);
            }
            if let Some(count) = self.parse(&answer)? {
                return Ok(Some(count));
            }
        }
    }

    fn count(&mut self, question: &str) -> io::Result<u32> {
        loop {
            let answer = self.ask(question)?;
            if let Some(count) = self.parse(&answer)? {
                return Ok(count);
            }
        }
    }

    fn parse(&mut self, answer: &str) -> io::Result<Option<u32>> {
        let digits = !answer.is_empty() && answer.bytes().all(|byte| byte.is_ascii_digit());
        let count = answer.parse().ok().filter(|_| digits);
        if count.is_none() {
            let text = self
                .messages
                .with(Text::FormNotACount, &[("input", answer.escape_debug().to_string().as_str().into())]);
            writeln!(self.output, "{text}")?;
        }
        Ok(count)
    }

    fn add(&mut self, sum: &mut u64, count: u32) -> io::Result<()> {
        *sum = sum.saturating_add(count.into());
        let text = self.messages.with(Text::FormSum, &[("n", (*sum).into())]);
        writeln!(self.output, "    {text}")
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        write!(self.output, "{question} ")?;
        self.output.flush()?;
        let mut answer = String::new();
        if io::Read::take(&mut *self.input, MAX_ANSWER).read_line(&mut answer)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the input ended before the form was complete"));
        }
        Ok(answer.trim().to_owned())
    }
}

/// Whether an answer is `word`, its first letter, or it without its accents, which not every keyboard has.
fn means(answer: &str, word: &str) -> bool {
    let mut answer = answer.chars().flat_map(char::to_lowercase);
    let mut word = word.chars();
    let initial = answer.next();
    initial.is_some()
        && initial == word.next()
        && answer.all(|letter| word.next().is_some_and(|w| w == letter || !w.is_ascii()))
}

/// What the rules find, in words.
pub fn findings_text(messages: &Messages, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return messages.text(Text::FormNoFindings);
    }
    let mut text = messages.with(Text::FormFindings, &[("n", (findings.len() as u64).into())]);
    for finding in findings {
        let words = messages.rule(finding.rule);
        let severity = messages.text(finding.severity.into());
        let code = finding.rule.code();
        let lines = [
            format!("{code} ({severity})"),
            words.text.into_owned(),
            finding.detail.clone(),
            words.remedy.into_owned(),
        ];
        text.push_str("\n  ");
        text.push_str(&lines.join("\n    "));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tallyproof_record::Election;
    use tallyproof_record::definition::package::{self, Files};
    use tallyproof_site::messages::Lang;

    use super::*;

    fn election() -> Election {
        let toml = "format = 1\nid = \"e\"\nname = \"E\"\ndate = \"2026-07-01\"\nphase = \"drill\"\n\
                    [[contest]]\nid = \"m\"\nname = \"Mayor\"\narea = \"all\"\nfigures = [\"null\"]\n";
        let files = [
            ("election.toml", toml),
            ("areas.csv", "id,parent,name,kind\nall,,All,\n"),
            ("stations.csv", "id,area,registered\nS1,all,100\n"),
            ("ballot.csv", "contest,line\nm,A\nm,B\n"),
        ];
        let files: Files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
        package::parse(&files).unwrap()
    }

    fn fill(answers: &str) -> (io::Result<Figures>, String) {
        let (election, messages, mut output) = (election(), Messages::new(Lang::En), Vec::new());
        let mut input = answers.as_bytes();
        let figures =
            Form::new(&mut input, &mut output, &messages).fill(&election.stations()[0], &election.contests()[0]);
        (figures, String::from_utf8(output).unwrap())
    }

    #[test]
    fn wrong_answers_are_asked_again_and_optional_figures_may_be_left_out() {
        let (figures, output) = fill("12\nmany\n-3\n30\n\n\n4\n\n\n90\n");
        let expected = BTreeMap::from([(Figure::Null, 4), (Figure::Total, 90)]);
        assert_eq!(figures.unwrap(), Figures { counts: vec![12, 30], stated: expected });
        assert!(output.contains("“many” is not a count") && output.contains("“-3” is not a count"), "{output}");
        assert!(output.contains("Sum so far: 46"), "{output}");
    }

    #[test]
    fn an_input_that_ends_gives_no_figures() {
        assert_eq!(fill("12\n").0.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn accents_may_be_left_out() {
        for (answer, word) in [("sí", "sí"), ("si", "sí"), ("s", "sí"), ("Sim", "sim"), ("nao", "não")] {
            assert!(means(answer, word), "{answer}");
        }
        for (answer, word) in [("", "sí"), ("sin", "sí"), ("no", "sí"), ("sam", "sim")] {
            assert!(!means(answer, word), "{answer}");
        }
    }

    #[test]
    fn only_a_clear_answer_confirms() {
        for (answers, expected) in
            [("maybe\nyesterday\nyes\n", true), ("no\n", false), ("YES\n", true), ("\ny\n", true)]
        {
            let (messages, mut output) = (Messages::new(Lang::En), Vec::new());
            let mut input = answers.as_bytes();
            assert_eq!(Form::new(&mut input, &mut output, &messages).confirm().unwrap(), expected);
        }
    }
}
