//! A polling station: the outbox of sealed records, its retries and its receipts (pure)
