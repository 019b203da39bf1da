"""Benchmarks: each prints its figures and appends a raw record per repeat; docs/benchmarks.md."""
