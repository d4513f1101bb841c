//! The real loop on a scripted input, a screen without a terminal, and a store in memory, on a clock that jumps.
