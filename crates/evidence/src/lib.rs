//! Other people's figures: declared mappings from tables to evidence sets (bytes in, sets out)
