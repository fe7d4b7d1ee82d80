//! Helpers of the contract suite.
