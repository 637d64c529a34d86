//! Where the centre keeps what must last: the SQLite journal and the bundle folder
