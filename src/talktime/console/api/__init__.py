"""The management API: what programs do with organisations, beside the pages for people."""
