//! What a sceptic takes from outside the bundle: which definition, and whose log.

use serde::Deserialize;
use tallyproof_log::note::{PublicKey, VerifierKey};
use tallyproof_record::{Problem, definition::DefinitionHash};
use toml::Spanned;

/// Every stable code of a trust file's mistakes, with its meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TR-01", "The file is not the TOML of a trust file: `definition` and `log`, and nothing else."),
    ("TR-02", "The definition hash is not 64 hex digits."),
    ("TR-03", "The log's key is not a C2SP verifier key of an Ed25519 key."),
];

/// A trust anchor. With it a verification can say more than that a bundle agrees with itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The definition hash.
    pub definition: DefinitionHash,
    /// The log's key.
    pub log: VerifierKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    definition: Spanned<String>,
    log: Spanned<String>,
}

impl Trust {
    /// The trust file; [`Trust::parse`] reads it back.
    pub fn to_toml(&self) -> String {
        // A key's name may hold quotes, which TOML escapes.
        let log = toml::Value::from(self.log.to_string());
        format!("definition = \"{}\"\nlog = {log}\n", self.definition)
    }

    /// Reads a trust file (`docs/spec/bundle.md`). `name` stands in the problems' places.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Vec<Problem>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            vec![Problem::new("TR-01", format!("{name}:byte {}", error.valid_up_to()), "not UTF-8 text")]
        })?;
        let file: File = toml::from_str(text).map_err(|error| {
            let place = place(name, text, error.span().map_or(0, |span| span.start));
            vec![Problem::new(
                "TR-01",
                place,
                format!("{}; expected: definition = \"<64 hex>\" and log = \"<verifier key>\"", error.message()),
            )]
        })?;
        let problem = |code, field: &Spanned<String>, what: String| {
            Problem::new(code, place(name, text, field.span().start), what)
        };
        let definition = file.definition.as_ref().parse().map_err(|error| {
            problem("TR-02", &file.definition, format!("not a definition hash of 64 hex digits: {error}"))
        });
        let log = parse_log_key(file.log.as_ref()).map_err(|what| problem("TR-03", &file.log, what));
        match (definition, log) {
            (Ok(definition), Ok(log)) => Ok(Self { definition, log }),
            (definition, log) => Err(definition.err().into_iter().chain(log.err()).collect()),
        }
    }
}

fn parse_log_key(text: &str) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|error| format!("{error}"))?;
    match key.public_key() {
        PublicKey::Ed25519(_) => Ok(key),
        PublicKey::Unsupported { .. } => Err("a log's key has to be an Ed25519 key".into()),
    }
}

/// `name:line:column` of a byte offset.
fn place(name: &str, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("{name}:{line}:{column}")
}

#[cfg(test)]
mod tests {
    use tallyproof_log::note::{SignerKey, VerifierKey};

    use super::Trust;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    /// From the tests of the Go module golang.org/x/mod/sumdb/note.
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    fn codes(text: &str) -> Vec<(String, &'static str)> {
        Trust::parse(text.as_bytes(), "trust.toml").unwrap_err().into_iter().map(|p| (p.place, p.code)).collect()
    }

    #[test]
    fn every_mistake_has_its_place() {
        assert_eq!(
            codes("definition = \"00\"\nlog = \"x\"\n"),
            [("trust.toml:1:14".into(), "TR-02"), ("trust.toml:2:7".into(), "TR-03")]
        );
        assert_eq!(codes(&format!("definition = \"{HASH}\"\n")), [("trust.toml:1:1".into(), "TR-01")]);
        assert_eq!(
            codes(&format!("definition = \"{HASH}\"\nlog = \"{KEY}\"\nmore = 1\n")),
            [("trust.toml:3:1".into(), "TR-01")]
        );
        assert_eq!(codes("definition"), [("trust.toml:1:11".into(), "TR-01")]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let plain: VerifierKey = KEY.parse().unwrap();
        let quoted = SignerKey::new(r#"log"\"#.parse().unwrap(), &[1; 32]).verifier().clone();
        for log in [plain, quoted] {
            let trust = Trust { definition: HASH.parse().unwrap(), log };
            assert_eq!(Trust::parse(trust.to_toml().as_bytes(), "trust.toml"), Ok(trust));
        }
    }
}
