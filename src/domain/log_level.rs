//! Levels of the log of the program itself.

use super::word_enum::word_enum;

word_enum! {
    /// Least severe messages that are written to the log of the program (`log.level`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum LogLevel {
        /// Nothing is written.
        Off = "off",
        Error = "error",
        #[default]
        Warn = "warn",
        Info = "info",
        Debug = "debug",
        Trace = "trace",
    }
}
