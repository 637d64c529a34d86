//! Text as HTML in all three languages at once; the style sheet shows one.

use askama::filters::Safe;

use crate::{
    messages::{Lang, Messages, RuleWords, Text, Value},
    number::Share,
};
use tallyproof_record::rules::RuleId;

/// The catalogue, each text marked up once and then reused on every page.
pub(crate) struct Words {
    catalogues: [Messages; 3],
    /// By position in [`Text::ALL`]; texts with open values are formatted when they are asked for.
    plain: Vec<String>,
}

impl Words {
    pub(crate) fn new() -> Self {
        let catalogues = Lang::ALL.map(Messages::new);
        let plain = Text::ALL.iter().map(|&text| spans(&catalogues, |messages| messages.text(text))).collect();
        Self { catalogues, plain }
    }

    /// A text that leaves nothing open.
    pub(crate) fn t(&self, text: Text) -> Safe<&str> {
        Safe(self.plain.get(text as usize).map_or("", String::as_str))
    }

    /// A text with its values.
    pub(crate) fn with(&self, text: Text, values: &[(&'static str, Value<'_>)]) -> Safe<String> {
        Safe(spans(&self.catalogues, |messages| messages.with(text, values)))
    }

    /// A text with one count, named `n`.
    pub(crate) fn n(&self, text: Text, count: u64) -> Safe<String> {
        self.with(text, &[("n", Value::Count(count))])
    }

    /// A share with each language's decimal mark; a dash where there is no whole.
    pub(crate) fn share(&self, share: Option<Share>) -> Safe<String> {
        let Some(share) = share else { return Safe("–".to_owned()) };
        Safe(spans(&self.catalogues, |messages| share.text(messages.lang())))
    }

    /// What a rule asks.
    pub(crate) fn rule_text(&self, rule: RuleId) -> Safe<String> {
        Safe(spans(&self.catalogues, |messages| messages.rule(rule).text.into_owned()))
    }

    /// What to do about a finding.
    pub(crate) fn rule_remedy(&self, rule: RuleId) -> Safe<String> {
        Safe(spans(&self.catalogues, |messages| {
            let RuleWords { remedy, .. } = messages.rule(rule);
            remedy.into_owned()
        }))
    }

    /// One text by language, for places that show all of them.
    pub(crate) fn every(&self, text: Text) -> Vec<(&'static str, String)> {
        self.catalogues.iter().map(|messages| (messages.lang().tag(), messages.text(text))).collect()
    }
}

/// One element per language. Values may hold foreign text, so everything is escaped.
fn spans(catalogues: &[Messages; 3], text: impl Fn(&Messages) -> String) -> String {
    let mut html = String::new();
    for messages in catalogues {
        html.push_str("<span lang=\"");
        html.push_str(messages.lang().tag());
        html.push_str("\">");
        escape(&text(messages), &mut html);
        html.push_str("</span>");
    }
    html
}

/// Foreign text as HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    escape(text, &mut html);
    html
}

/// Appends foreign text as HTML.
pub(crate) fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_in_every_language() {
        let words = Words::new();
        let html = words.with(Text::FiguresSource, &[("source", Value::Text("<b title=\"x\">&'"))]).0;
        assert_eq!(html.matches("&lt;b title=&quot;x&quot;&gt;&amp;&#39;").count(), 3);
        assert!(!html.contains("<b"));
    }
}
