//! The contract suite, one binary.
