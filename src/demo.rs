//! The demo site: a real HTTP server on twelve loopback ports whose pages change, fail, hang and recover.
//!
//! `behaviour` defines the behaviours of pages, `catalogue` plans the pages, `language`, `article` and `page` write
//! them, `answer` decides on a response (from seed, page, hit number and position in a redirect chain alone), `server`
//! sends it. A *hit* is a counted request for a page: the redirects that follow from it belong to the same hit, and
//! requests to a host that is down do not count.

mod answer;
mod article;
mod behaviour;
mod catalogue;
mod draw;
mod language;
mod page;
mod server;

pub use behaviour::{Behaviour, Charset, Hops};

use catalogue::{Catalogue, HOSTS, name_of};
use server::Shared;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A page of the site, with the fields of a document for the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoDocument {
    /// URL of the page; unique.
    pub url: String,
    /// Name of the document before its first sync; the page's title also contains the site's name.
    pub name: String,
    /// Account id, 1 to 4.
    pub account_id: i64,
    /// Assistant id; each account has two.
    pub assistant_id: i64,
    pub behaviour: Behaviour,
}

/// Names of the hosts in the URLs of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostNames {
    /// `127.0.0.1:PORT`, which every client can reach.
    Addresses,
    /// `docs.osprey.localhost:PORT`, for people.
    Names,
}

/// A running site. Dropping it, or [`Site::stop`], ends its servers and all responses in progress.
#[must_use = "the servers end when the site is dropped"]
pub struct Site {
    shared: Arc<Shared>,
    documents: Vec<DemoDocument>,
}

impl Site {
    /// Starts a site whose URLs have addresses; see [`Site::start_with`].
    pub async fn start(seed: u64, documents: usize) -> io::Result<Self> {
        Self::start_with(seed, documents, HostNames::Addresses).await
    }

    /// Starts twelve servers on free ports of 127.0.0.1 with `documents` pages. Fails when a port cannot be bound.
    ///
    /// The response of a page depends on `seed`, the page and its number of hits, never on time, except for [`Switch`];
    /// ports occur only in redirects to other hosts. The site is made for clients with time-outs of 2 s for a read and
    /// 4 s in total.
    pub async fn start_with(seed: u64, documents: usize, names: HostNames) -> io::Result<Self> {
        let mut listeners = Vec::with_capacity(HOSTS);
        let mut hosts = Vec::with_capacity(HOSTS);
        for host in 0..HOSTS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = listener.local_addr()?;
            hosts.push(match names {
                HostNames::Addresses => address.to_string(),
                HostNames::Names => format!("{}:{}", name_of(host), address.port()),
            });
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

    /// Returns every page, in the order in which to add the documents.
    pub fn documents(&self) -> &[DemoDocument] {
        &self.documents
    }

    /// Returns the twelve hosts, each with its port, as they stand in the URLs.
    pub fn hosts(&self) -> Vec<String> {
        self.shared.hosts.clone()
    }

    /// Returns the switch that takes hosts down and brings them back.
    pub fn switch(&self) -> Switch {
        Switch(Arc::clone(&self.shared))
    }

    /// Returns a receiver of the number of requests in progress, including those that never get a response.
    pub fn answering(&self) -> watch::Receiver<usize> {
        self.shared.answering.subscribe()
    }

    /// Ends every server and response, and returns when the ports are free.
    pub async fn stop(self) {
        self.shared.stopping.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

/// Switch that takes a host of a site down and brings it back. Clones control the same site.
#[derive(Clone)]
pub struct Switch(Arc<Shared>);

impl Switch {
    /// Makes `host` (0 to 11) respond with 503 to every GET and HEAD, and brings all others back; `None` brings all
    /// back. Requests to a host that is down are not counted as hits.
    pub fn down(&self, host: Option<usize>) {
        self.0.down.store(host.unwrap_or(HOSTS), Ordering::Relaxed);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shared.stopping.cancel();
    }
}
