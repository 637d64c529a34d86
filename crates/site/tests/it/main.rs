//! The site as a whole: its pages from a made-up night.

mod demo;
