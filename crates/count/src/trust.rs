//! What a sceptic takes from outside the bundle: which definition, whose log, and which witnesses.

use serde::Deserialize;
use tallyproof_log::{
    note::{PublicKey, VerifierKey},
    policy::Policy,
};
use tallyproof_record::{Problem, definition::DefinitionHash, problem::place};
use toml::Spanned;

/// Every stable code of a trust file's mistakes, with its meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TR-01", "The file is not the TOML of a trust file: `definition`, `log`, optionally `policy`, and nothing else."),
    ("TR-02", "The definition hash is not 64 hex digits."),
    ("TR-03", "The log's key is not a C2SP verifier key of an Ed25519 key."),
    ("TR-04", "The policy is not a C2SP trust policy that names the log's key."),
];

/// A trust anchor. With it a verification can say more than that a bundle agrees with itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The definition hash.
    pub definition: DefinitionHash,
    /// The log's key.
    pub log: VerifierKey,
    /// Whose cosignatures are asked for; it takes the place of the bundle's own policy.
    pub policy: Option<Policy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    definition: Spanned<String>,
    log: Spanned<String>,
    policy: Option<Spanned<String>>,
}

impl Trust {
    /// The trust file; [`Trust::parse`] reads it back.
    pub fn to_toml(&self) -> String {
        // A key's name may hold quotes, which TOML escapes.
        let log = toml::Value::from(self.log.to_string());
        let policy = self.policy.as_ref().map(|policy| format!("policy = {}\n", toml::Value::from(policy.to_string())));
        format!("definition = \"{}\"\nlog = {log}\n{}", self.definition, policy.unwrap_or_default())
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
        let policy = file
            .policy
            .as_ref()
            .map(|field| parse_policy(field.as_ref(), log.as_ref().ok()).map_err(|what| problem("TR-04", field, what)));
        match (definition, log, policy.transpose()) {
            (Ok(definition), Ok(log), Ok(policy)) => Ok(Self { definition, log, policy }),
            (definition, log, policy) => {
                Err(definition.err().into_iter().chain(log.err()).chain(policy.err()).collect())
            }
        }
    }
}

fn parse_log_key(text: &str) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|error| format!("{error}"))?;
    match key.public_key() {
        PublicKey::Ed25519(_) => Ok(key),
        _ => Err("a log's key has to be an Ed25519 key".into()),
    }
}

fn parse_policy(text: &str, log: Option<&VerifierKey>) -> Result<Policy, String> {
    // Some editors end lines in their own way; a policy file knows one.
    let policy: Policy = text.replace("\r\n", "\n").parse().map_err(|error| format!("{error}"))?;
    if log.is_some_and(|log| !policy.trusts(log)) {
        return Err("the log's key is not in the policy".into());
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use tallyproof_log::{
        note::{SignerKey, VerifierKey},
        policy::Policy,
    };

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
            for policy in [None, Some(Policy::without_witnesses([log.clone()]).unwrap())] {
                let trust = Trust { definition: HASH.parse().unwrap(), log: log.clone(), policy };
                assert_eq!(Trust::parse(trust.to_toml().as_bytes(), "trust.toml"), Ok(trust));
            }
        }
    }

    fn with_policy(policy: &str) -> String {
        format!("definition = \"{HASH}\"\nlog = \"{KEY}\"\npolicy = \"\"\"\n{policy}\"\"\"\n")
    }

    #[test]
    fn a_policy_stands_in_the_file_as_it_is_whatever_ends_its_lines() {
        let text = with_policy(&format!("# ours\nlog {KEY}\nquorum none\n"));
        for text in [text.replace('\n', "\r\n"), text] {
            let trust = Trust::parse(text.as_bytes(), "trust.toml").unwrap();
            assert_eq!(trust.policy, Policy::without_witnesses([trust.log]).ok());
        }
    }

    #[test]
    fn a_policy_of_another_log_or_a_mistaken_one_is_refused() {
        for policy in ["quorum none\n".to_owned(), format!("log {KEY}\n"), format!("log {KEY}\nquorum w\n")] {
            assert_eq!(codes(&with_policy(&policy)), [("trust.toml:3:10".into(), "TR-04")], "{policy}");
        }
    }
}
