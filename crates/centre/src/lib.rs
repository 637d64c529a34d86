//! The totalisation centre: gate, intake, journal and sequencer (pure)
