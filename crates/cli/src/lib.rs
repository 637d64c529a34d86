//! The binary tallyproof: arguments, configuration, sockets, files and progress
