//! Stands in for the console until it is here. To join it: delete this file and `mod shim;`, and write `crate::tui` for
//! `super::shim::tui` in this folder.
#![expect(dead_code, reason = "gone with the console")]

pub(super) mod tui {
    use crate::domain::id::{AccountId, AssistantId};
    use crate::domain::text::SafeLine;
    use crate::runner::handle::Handle;
    use crate::store::Store;
    use jiff::tz::TimeZone;
    use std::io;
    use std::sync::Arc;

    #[derive(Debug)]
    pub enum Exit {
        Quit,
    }

    pub struct Options {
        pub read_only: bool,
        pub note: Option<SafeLine>,
        pub operator: SafeLine,
        pub zone: TimeZone,
        pub ascii: bool,
        pub mono: bool,
        pub per_host: u32,
        pub default_owner: (AccountId, AssistantId),
    }

    pub async fn run(_store: Arc<dyn Store>, _runner: Option<Handle>, _options: Options) -> io::Result<Exit> {
        Ok(Exit::Quit)
    }

    pub fn keys_markdown() -> String {
        String::new()
    }

    pub fn keys_text() -> String {
        String::new()
    }
}
