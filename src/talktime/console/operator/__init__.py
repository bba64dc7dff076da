"""The operator's pages: all organisations, what is sold, the books, the service."""
