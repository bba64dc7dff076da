"""Benchmarks that anyone can run: `make bench`. Every figure stands beside a comparator measured
in the same run."""
