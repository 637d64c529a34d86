//! From log entries to results: ledger, totals and the verification of a whole bundle (pure)
