"""Benchmarks: each figure is a ratio to a floor, or to a peer, measured in the same run."""
