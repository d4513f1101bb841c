//! The demo site: a real HTTP server on twelve loopback ports whose pages change, fail, hang and recover.
//!
//! `behaviour` says what a page does, `catalogue` which pages there are, `language`, `article` and `page` write them,
//! `answer` decides what a request gets (from seed, page and hit number alone), `server` sends it.

mod answer;
mod article;
mod behaviour;
mod catalogue;
mod draw;
mod language;
mod page;
mod server;

pub use behaviour::{Behaviour, Charset, Hops};

use catalogue::{Catalogue, HOSTS};
use server::Shared;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A page of the site, as a document of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoDocument {
    /// `http://127.0.0.1:PORT/…`; no two documents share one.
    pub url: String,
    /// Name before its first sync; the page's title also names the site.
    pub name: String,
    /// 1 to 4.
    pub account_id: i64,
    /// Two for each account.
    pub assistant_id: i64,
    /// Behaviour of the page.
    pub behaviour: Behaviour,
}

/// A running site. Dropping it, or [`Site::stop`], ends its servers and every answer that is under way.
#[must_use = "the servers end when the site is dropped"]
pub struct Site {
    shared: Arc<Shared>,
    documents: Vec<DemoDocument>,
}

impl Site {
    /// Starts twelve servers on free ports of 127.0.0.1 with `documents` pages.
    ///
    /// What a page answers depends on `seed`, the page and how often it was asked for, never on ports or time, but for
    /// [`Switch`]; the
    /// time-outs it is made for are 2 s for a read and 4 s in all. Fails when no port can be bound.
    pub async fn start(seed: u64, documents: usize) -> io::Result<Self> {
        let mut listeners = Vec::with_capacity(HOSTS);
        let mut hosts = Vec::with_capacity(HOSTS);
        for _ in 0..HOSTS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            hosts.push(listener.local_addr()?.to_string());
            listeners.push(listener);
        }
        let catalogue = Catalogue::new(seed, documents);
        let documents = catalogue
            .plans()
            .iter()
            .map(|plan| DemoDocument {
                url: format!("http://{}{}", hosts[plan.host()], catalogue.path(plan)),
                name: catalogue.title(plan),
                account_id: plan.account_id(),
                assistant_id: plan.assistant_id(),
                behaviour: plan.behaviour,
            })
            .collect::<Vec<_>>();
        let shared = Arc::new(Shared {
            hits: documents.iter().map(|_| AtomicU64::new(0)).collect(),
            catalogue,
            hosts,
            answering: watch::Sender::new(0),
            down: AtomicUsize::new(HOSTS),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        for (host, listener) in listeners.into_iter().enumerate() {
            shared.tasks.spawn(server::accept(Arc::clone(&shared), host, listener));
        }
        Ok(Self { shared, documents })
    }

    /// Every page, in the order in which they should be added.
    pub fn documents(&self) -> &[DemoDocument] {
        &self.documents
    }

    /// The twelve hosts, as `127.0.0.1:PORT`.
    pub fn hosts(&self) -> Vec<String> {
        self.shared.hosts.clone()
    }

    /// Returns the switch that takes hosts down and brings them back.
    pub fn switch(&self) -> Switch {
        Switch(Arc::clone(&self.shared))
    }

    /// Returns the number of requests being answered, the silent ones included.
    pub fn answering(&self) -> watch::Receiver<usize> {
        self.shared.answering.subscribe()
    }

    /// Ends every server and answer, and returns when their ports are free.
    pub async fn stop(self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// Takes a host of a site down and brings it back.
#[derive(Clone)]
pub struct Switch(Arc<Shared>);

impl Switch {
    /// From now on `host` (0 to 11) answers 503 whatever it is asked for, and no other does; with `None` none does. What
    /// is asked for then is no hit of its page.
    pub fn down(&self, host: Option<usize>) {
        self.0.down.store(host.unwrap_or(HOSTS), Ordering::Relaxed);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}
