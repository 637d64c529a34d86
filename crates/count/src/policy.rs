//! The witness policy that a definition states, as the log's readers understand it.

use tallyproof_log::{
    note::VerifierKey,
    policy::{Policy, PolicyError},
};

use crate::ledger::Ledger;

/// The whole policy: the log's own line, then `lines`, those of a C2SP tlog-policy without a log's. No lines ask for nobody.
///
/// The number of the line in an error counts `lines`, from 1.
pub fn of_lines(lines: &[String], log: &VerifierKey) -> Result<Policy, PolicyError> {
    let mut policy = parse(lines)?;
    policy.add_log(log.clone(), None)?;
    Ok(policy)
}

/// The policy that a log prefix puts in force: the one of its last policy statement, or else the definition's.
pub fn in_force(ledger: &Ledger, log: &VerifierKey) -> Result<Policy, PolicyError> {
    of_lines(ledger.policy_lines(), log)
}

/// The keys of `log/vkeys`: the log's, then those of every witness of every policy that was ever in force, so that what they
/// cosigned can be checked for ever.
pub fn vkeys(ledger: &Ledger, log: &VerifierKey) -> Vec<VerifierKey> {
    let policies = ledger.policies().filter_map(|lines| of_lines(lines, log).ok());
    let witnesses = policies.flat_map(|policy| policy.witnesses().iter().map(|it| it.key.clone()).collect::<Vec<_>>());
    let mut keys = vec![log.clone()];
    for key in witnesses {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// What is wrong with the lines, for whoever knows no log yet.
pub fn check(lines: &[String]) -> Result<(), PolicyError> {
    parse(lines).map(drop)
}

fn parse(lines: &[String]) -> Result<Policy, PolicyError> {
    if lines.is_empty() {
        return Ok(Policy::default());
    }
    let names_a_log = |line: &String| line.split([' ', '\t']).find(|word| !word.is_empty()) == Some("log");
    if let Some((line, text)) = (1..).zip(lines).find(|(_, line)| names_a_log(line)) {
        // Of which log a definition is, its own log says.
        return Err(PolicyError::Line { line, error: Box::new(PolicyError::Directive(text.clone())) });
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>().parse()
}

#[cfg(test)]
mod tests {
    use tallyproof_log::{
        cosignature::CosignerKey,
        note::SignerKey,
        policy::{Policy, PolicyError},
    };

    use super::{check, of_lines};

    fn witness() -> String {
        CosignerKey::ed25519("w.example".parse().unwrap(), &[3; 32]).verifier().to_string()
    }

    #[test]
    fn the_lines_and_the_log_make_the_policy() {
        let log = SignerKey::new("log.example".parse().unwrap(), &[1; 32]);
        let lines = [format!("witness w {} https://w.example", witness()), "quorum w".into()];
        let expected = format!("log {}\n{}\n{}\n", log.verifier(), lines[0], lines[1]);
        assert_eq!(of_lines(&lines, log.verifier()).unwrap().to_string(), expected);
        assert_eq!(of_lines(&[], log.verifier()), Policy::without_witnesses([log.verifier().clone()]));
    }

    #[test]
    fn a_mistake_has_its_line() {
        let line = |lines: &[&str]| match check(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>()) {
            Err(PolicyError::Line { line, .. }) => Some(line),
            Err(_) => None,
            Ok(()) => Some(0),
        };
        let witness = format!("witness w {}", witness());
        assert_eq!(line(&[&witness, "quorum w"]), Some(0));
        assert_eq!(line(&[&witness, "quorum v"]), Some(2));
        assert_eq!(line(&[&witness, "group g 2 w", "quorum g"]), Some(2));
        assert_eq!(line(&["witness w nonsense", "quorum w"]), Some(1));
        assert_eq!(line(&["quorum none", " log log.example+00000000+AQ=="]), Some(2));
        assert_eq!(line(&[&witness]), None, "no quorum");
    }
}
