#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| tallyproof_fuzz_targets::recipe(data));
