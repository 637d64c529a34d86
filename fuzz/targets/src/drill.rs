//! Scripts of drills.

use tallyproof_drill::script::{self, Fault, Flood, Script};

/// A drill script: what parses is within every limit, and every mistake has a code that is documented.
pub fn script(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Script::parse(text, "script") {
        Ok(script) => check_limits(&script),
        Err(problems) => {
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|problem| script::CODES.iter().any(|(code, _)| *code == problem.code)));
        }
    }
}

fn check_limits(script: &Script) {
    assert!((1..=script::MAX_PATHS).contains(&script.paths.len()));
    assert!(script.faults.len() <= script::MAX_FAULTS && script.floods.len() <= script::MAX_FLOODS);
    assert!(script.floods.iter().map(Flood::most).sum::<u64>() <= script::MAX_HOSTILE);
    assert!(script.floods.iter().all(|flood| flood.during.until <= script::MAX_TIME));
    assert!(script.gives_up() <= 2 * script::MAX_TIME);
    for fault in &script.faults {
        match fault {
            Fault::Path { path, during, .. } => {
                assert!(*path < script.paths.len() && during.until <= script::MAX_TIME);
            }
            Fault::KillCentre { at } => assert!(*at <= script::MAX_TIME),
        }
    }
    let names = script.paths.iter().map(|path| &path.name).chain([&script.name]);
    assert!(names.into_iter().all(|name| !name.contains(['/', '\\', '\n']) && !name.starts_with('.')));
}
