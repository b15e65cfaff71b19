"""Measures the engine on this machine, alone and beside its peers; see docs/benchmarks.md."""
