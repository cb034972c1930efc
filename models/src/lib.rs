//! Benchmark and example models of costate, one file a model.
