//! The signed tally record: election definition, tally, rules, seal, wire frame and receipt (pure)
