//! Pages from a count: results pages, charts and the message catalogue in three languages
