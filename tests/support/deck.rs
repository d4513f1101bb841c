//! A whole small installation: a store in a file, a clock that the test moves, a runner, pages on loopback.

use super::limit::{PATIENCE, within};
use super::place::{Backend, Place};
use super::site::Site;
use quarterdeck::domain::document::DocumentRow;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::request::{Request, RequestAnswer, RequestKind, RequestScope};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::fetch::{FetchSettings, Fetcher};
use quarterdeck::lock::{self, Redis, Role};
use quarterdeck::runner::event::Event;
use quarterdeck::runner::handle::Handle;
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::runner::{self, Mode, Services, Settings};
use quarterdeck::store::{Access, AddResult, DocumentRef, ManualClock, NewDocument, Options, Store, open_with};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};

/// Where the clock starts, so that times in failures are easy to read.
pub const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// See the module.
pub struct Deck {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub runner: Handle,
    pub site: Site,
    /// Where its documents are locked, if they are.
    pub redis: Option<Arc<Redis>>,
    /// Outcomes seen so far, in order.
    pub seen: Vec<Outcome>,
    events: broadcast::Receiver<Event>,
    tail: mpsc::Receiver<TailItem>,
    /// Where the store is.
    pub place: Place,
}

impl Deck {
    /// A deck on `site`, its store on `on`, its runner started with upstream's retry waits.
    pub async fn start(on: Backend, site: Site) -> Self {
        Self::start_with(on, site, None, settings()).await
    }

    /// The same with documents locked in a Redis, and with more than two at a time on the one host that there is.
    pub async fn start_locked(on: Backend, site: Site, lock: Option<lock::Settings>) -> Self {
        Self::start_with(on, site, lock, eager_settings()).await
    }

    /// The same with a runner of one's own settings.
    pub async fn start_with(on: Backend, site: Site, lock: Option<lock::Settings>, settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = Place::new(on).await;
        let clock = Arc::new(ManualClock::at(START));
        let url = place.url();
        let options = Options { clock: clock.clone(), ..Options::new(Access::Create) };
        let store = open_with(&url, options).await.expect("a new store");
        let fetcher = fetcher(&site);
        let redis = match lock {
            Some(lock) => {
                let role = Role::Worker { renew: settings.heartbeat };
                Redis::start(&lock, role, store.id().await.expect("the store answers")).expect("an address")
            }
            None => None,
        };
        let runner = runner::start(parts(&store, fetcher, redis.clone()), settings, Mode::OnDemand);
        let events = runner.subscribe();
        let tail = follow(store.clone(), Seq::START);
        Self { store, clock, runner, site, redis, seen: Vec::new(), events, tail, place }
    }

    /// Adds the page at `path`.
    pub async fn add(&self, path: &str) -> DocumentId {
        let document = NewDocument {
            link: Link::parse(&self.site.url(path)).expect("a link"),
            name: Some("as added".into()),
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        };
        match self.store.add(&[document]).await.expect("the store answers")[..] {
            [AddResult::New(id)] => id,
            ref other => panic!("{other:?}"),
        }
    }

    /// A person asks for a sync of one document.
    pub async fn sync(&self, document: DocumentId) -> RequestAnswer {
        self.ask(document, RequestKind::Sync, QueueClass::Manual, RequestScope::Named).await
    }

    /// Any request for one document.
    pub async fn ask(
        &self,
        document: DocumentId,
        verb: RequestKind,
        class: QueueClass,
        scope: RequestScope,
    ) -> RequestAnswer {
        let request = Request { kind: verb, class, by: "ana".into(), scope };
        let mut answers = self.store.request(&[document], &request).await.expect("the store answers");
        self.runner.wake();
        assert_eq!(answers.len(), 1);
        answers.remove(0).answer
    }

    /// A person cancels one document.
    pub async fn cancel(&self, document: DocumentId) -> RequestAnswer {
        let mut answers = self.store.cancel(&[document], &"ana".into()).await.expect("the store answers");
        assert_eq!(answers.len(), 1);
        answers.remove(0).answer
    }

    /// Waits until `count` outcomes have been recorded in all, and returns the words of those that are new.
    pub async fn until(&mut self, count: usize) -> Vec<&'static str> {
        let before = self.seen.len();
        while self.seen.len() < count {
            let seen = &self.seen;
            let tailed = within(format_args!("{count} outcomes, with only {seen:#?}"), self.tail.recv()).await;
            match tailed {
                Some(TailItem::Outcomes(outcomes)) => self.seen.extend(outcomes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(self.seen.len(), count, "no more than that: {:#?}", self.seen);
        self.seen[before..].iter().map(|outcome| outcome.result.word()).collect()
    }

    /// Moves the clock to the time at which the last outcome said it is tried again; how far that was.
    pub fn wait_for_next(&self) -> Duration {
        let last = self.seen.last().expect("an outcome");
        let next = last.next_attempt_at.expect("a next attempt");
        let wait = next.since(last.at);
        self.clock.set(next);
        self.runner.wake();
        wait
    }

    /// Moves the clock.
    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.runner.wake();
    }

    /// The document as lists show it.
    pub async fn row(&self, document: DocumentId) -> DocumentRow {
        let mut rows = self.store.find(&DocumentRef::Id(document)).await.expect("the store answers");
        assert_eq!(rows.len(), 1, "one document");
        rows.remove(0)
    }

    /// The stored text.
    pub async fn content(&self, document: DocumentId) -> Option<String> {
        self.store.content(document).await.expect("the store answers").map(|content| content.text)
    }

    /// What another program does to the database.
    pub async fn sql(&self, sql: &str) -> u64 {
        self.place.sql(sql).await
    }

    /// `sync_status` and `last_sync_error_code` as they stand in `captain_documents`.
    pub async fn store_row(&self, document: DocumentId) -> (Option<i64>, Option<String>) {
        let of = format!("from captain_documents where id = {document}");
        let code = self.place.either("'$.last_sync_error_code'", "'last_sync_error_code'");
        (
            self.place.number(&format!("select sync_status {of}")).await,
            self.place.text(&format!("select metadata ->> {code} {of}")).await,
        )
    }

    /// One text out of the database.
    pub async fn text(&self, sql: &str) -> Option<String> {
        self.place.text(sql).await
    }

    /// Reports that were made until `attempts` attempts were over: an attempt reports before it is.
    pub async fn reports(&mut self, attempts: usize) -> usize {
        let (mut reports, mut over) = (0, 0);
        while over < attempts {
            match within("the end of an attempt", self.events.recv()).await.expect("no event is missed") {
                Event::Reported { .. } => reports += 1,
                Event::Ended { .. } => over += 1,
                _ => {}
            }
        }
        reports
    }

    /// Waits until the document is as `is` says.
    #[track_caller]
    pub fn until_row(
        &self,
        document: DocumentId,
        is: impl Fn(&DocumentRow) -> bool,
    ) -> impl Future<Output = DocumentRow> {
        let mut changes = self.store.changes();
        within(format!("another row of document {document}"), async move {
            loop {
                changes.mark_unchanged();
                let row = self.row(document).await;
                if is(&row) {
                    return row;
                }
                changes.changed().await.expect("the store is open");
            }
        })
    }

    /// Waits until the page at `path` was asked for `hits` times.
    #[track_caller]
    pub fn until_hit(&self, path: &str, hits: u32) -> impl Future<Output = ()> + use<> {
        self.site.until_hit(path, hits)
    }
}

/// A test's worker.
pub fn parts(store: &Arc<dyn Store>, fetcher: Arc<Fetcher>, redis: Option<Arc<Redis>>) -> Services {
    Services { store: store.clone(), fetcher, redis, subscribers: Vec::new(), name: "test:1".into() }
}

/// The defaults with fewer slots.
pub fn settings() -> Settings {
    Settings { slots: 4, ..Settings::default() }
}

/// The same with as many at a time on one host as there are slots.
pub fn eager_settings() -> Settings {
    Settings { slots: 8, per_host: 16, ..settings() }
}

/// A fetcher that may reach `site` and nothing else that is private. It waits for a page as long as a test for
/// anything: a page that the test holds back keeps its slot until the test lets it go.
pub fn fetcher(site: &Site) -> Arc<Fetcher> {
    fetcher_of(&[site])
}

/// The same for several sites.
pub fn fetcher_of(sites: &[&Site]) -> Arc<Fetcher> {
    let limits = FetchSettings {
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        total_timeout: PATIENCE,
        allow_private_hosts: sites.iter().map(|site| site.host().parse().expect("a host and port")).collect(),
        ..FetchSettings::default()
    };
    Arc::new(Fetcher::new(limits).expect("a fetcher"))
}
