"""One verb per file around the books. The caller opens and commits the transaction."""
