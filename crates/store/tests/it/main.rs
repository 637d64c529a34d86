//! The store on a real file system.

mod bundle;
mod journal;
