//! Stand-ins for rooms that are not in this branch. To join the rooms: delete this file and `mod shim;`, and write
//! `crate::` for `super::shim::` and `shim::` in this folder.
#![expect(dead_code, reason = "gone with the first merge")]

pub(super) mod store {
    use crate::store::{Result, Store, StoreError};
    use std::sync::Arc;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Access {
        Create,
        Write,
        ReadOnly,
    }

    pub async fn open(_url: &str, _access: Access) -> Result<Arc<dyn Store>> {
        Err(StoreError::Unusable("this build has no store".to_owned()))
    }
}

pub(super) mod fetch {
    use std::str::FromStr;
    use std::time::Duration;

    #[derive(Clone, Debug)]
    pub struct AllowedHost(String);
    impl FromStr for AllowedHost {
        type Err = String;
        fn from_str(text: &str) -> Result<Self, String> {
            Ok(Self(text.to_owned()))
        }
    }

    #[derive(Clone, Debug)]
    pub struct Limits {
        pub connect_timeout: Duration,
        pub read_timeout: Duration,
        pub total_timeout: Duration,
        pub max_body: u64,
        pub max_redirects: u32,
        pub user_agent: String,
        pub allow_private_hosts: Vec<AllowedHost>,
        pub denied_ports: Vec<u16>,
    }

    pub struct Fetcher(Limits);
    impl Fetcher {
        pub fn new(limits: Limits) -> Self {
            Self(limits)
        }
    }
}

pub(super) mod runner {
    use super::fetch::Fetcher;
    use crate::domain::retry::RetryPolicy;
    use crate::domain::text::SafeLine;
    use crate::runner::handle::Handle;
    use crate::store::Store;
    use std::sync::Arc;
    use std::time::Duration;

    pub mod log {
        use std::path::PathBuf;
        #[derive(Clone, Debug)]
        pub struct LogSettings {
            pub dir: PathBuf,
            pub keep_days: u32,
        }
    }

    #[derive(Clone, Debug)]
    pub struct Settings {
        pub slots: u32,
        pub per_host: u32,
        pub per_account: Option<u32>,
        pub lease: Duration,
        pub heartbeat: Duration,
        pub drain: Duration,
        pub policy: RetryPolicy,
        pub worker_name: SafeLine,
        pub log: Option<log::LogSettings>,
        pub drain_when_idle: bool,
    }

    pub fn start(_store: Arc<dyn Store>, _fetcher: Arc<Fetcher>, _settings: Settings) -> Handle {
        unreachable!("no store opens in this build")
    }
}

pub(super) mod demo {
    use std::io;

    #[derive(Clone, Debug)]
    pub struct DemoDocument {
        pub url: String,
        pub name: String,
        pub account_id: i64,
        pub assistant_id: i64,
    }

    pub struct Site;
    impl Site {
        pub async fn start(_seed: u64, _documents: usize) -> io::Result<Self> {
            Err(io::Error::other("this build has no demo site"))
        }
        pub fn documents(&self) -> &[DemoDocument] {
            &[]
        }
        pub fn hosts(&self) -> Vec<String> {
            Vec::new()
        }
        pub async fn stop(self) {}
    }
}

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

    pub fn keys_text() -> String {
        String::new()
    }
}
