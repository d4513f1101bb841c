//! A small complete installation: a store in a file, a manual clock, a runner, and pages on loopback.

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

/// Start of the clock, a round number so that times in failures are easy to read.
pub const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

/// A store, a runner and a site, as the module describes.
pub struct Deck {
    pub store: Arc<dyn Store>,
    pub clock: Arc<ManualClock>,
    pub runner: Handle,
    pub site: Site,
    /// Redis with the documents' locks; `None` without locks.
    pub redis: Option<Arc<Redis>>,
    /// Outcomes so far, in order.
    pub seen: Vec<Outcome>,
    events: broadcast::Receiver<Event>,
    tail: mpsc::Receiver<TailItem>,
    /// The store's database.
    pub place: Place,
}

impl Deck {
    /// Starts a deck on `site` with its store on `on`; the runner has Chatwoot's retry waits.
    pub async fn start(on: Backend, site: Site) -> Self {
        Self::start_with(on, site, None, settings()).await
    }

    /// Starts a deck that locks its documents in a Redis, and fetches more than two at a time from its only host.
    pub async fn start_locked(on: Backend, site: Site, lock: Option<lock::Settings>) -> Self {
        Self::start_with(on, site, lock, eager_settings()).await
    }

    /// Starts a deck with these settings of the runner.
    pub async fn start_with(on: Backend, site: Site, lock: Option<lock::Settings>, settings: Settings) -> Self {
        Self::open(Place::new(on).await, site, lock, settings, FetchSettings::default()).await
    }

    /// Starts a deck on this database, with these settings of the fetcher.
    pub async fn start_in(place: Place, site: Site, settings: Settings, fetch: FetchSettings) -> Self {
        Self::open(place, site, None, settings, fetch).await
    }

    async fn open(
        place: Place,
        site: Site,
        lock: Option<lock::Settings>,
        settings: Settings,
        fetch: FetchSettings,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(ManualClock::at(START));
        let url = place.url();
        let options = Options { clock: clock.clone(), ..Options::new(Access::Create) };
        let store = open_with(&url, options).await.expect("a new store");
        let fetcher = fetcher_with(&[&site], fetch);
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

    pub async fn add(&self, path: &str) -> DocumentId {
        self.add_url(&self.site.url(path)).await
    }

    async fn add_url(&self, url: &str) -> DocumentId {
        let document = NewDocument {
            link: Link::parse(url).expect("a link"),
            name: Some("as added".into()),
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        };
        match self.store.add(&[document]).await.expect("the store answers")[..] {
            [AddResult::New(id)] => id,
            ref other => panic!("{other:?}"),
        }
    }

    /// Requests a sync of one document as a person.
    pub async fn sync(&self, document: DocumentId) -> RequestAnswer {
        self.ask(document, RequestKind::Sync, QueueClass::Manual, RequestScope::Named).await
    }

    /// Sends any request for one document.
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

    /// Cancels one document as a person.
    pub async fn cancel(&self, document: DocumentId) -> RequestAnswer {
        let mut answers = self.store.cancel(&[document], &"ana".into()).await.expect("the store answers");
        assert_eq!(answers.len(), 1);
        answers.remove(0).answer
    }

    /// Waits until `count` outcomes have been recorded in all, and returns the result words of the new ones.
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

    /// Moves the clock to the next attempt's time according to the last outcome; returns the distance.
    pub fn wait_for_next(&self) -> Duration {
        let last = self.seen.last().expect("an outcome");
        let next = last.next_attempt_at.expect("a next attempt");
        let wait = next.since(last.at);
        self.clock.set(next);
        self.runner.wake();
        wait
    }

    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.runner.wake();
    }

    /// Moves the clock, and lets a claim end that has read it before: with the old time it takes jobs that are requested
    /// only now. To know that it has ended, a page of another host is synced, since a runner claims one group after the
    /// other; the fetcher refuses that page's address.
    pub async fn pass_between_claims(&mut self, time: Duration) {
        self.pass(time);
        let count = self.seen.len() + 1;
        let other = self.add_url(&format!("http://127.0.0.1:1/{count}")).await;
        self.sync(other).await;
        assert_eq!(self.until(count).await, ["permanent_failure"]);
    }

    /// Returns the document as lists show it.
    pub async fn row(&self, document: DocumentId) -> DocumentRow {
        let mut rows = self.store.find(&DocumentRef::Id(document)).await.expect("the store answers");
        assert_eq!(rows.len(), 1, "one document");
        rows.remove(0)
    }

    pub async fn content(&self, document: DocumentId) -> Option<String> {
        self.store.content(document).await.expect("the store answers").map(|content| content.text)
    }

    /// Runs SQL on the database, as another program would; returns the number of affected rows.
    pub async fn sql(&self, sql: &str) -> u64 {
        self.place.sql(sql).await
    }

    /// Returns `sync_status` and `last_sync_error_code` from `captain_documents`.
    pub async fn store_row(&self, document: DocumentId) -> (Option<i64>, Option<String>) {
        let of = format!("from captain_documents where id = {document}");
        let code = self.place.either("'$.last_sync_error_code'", "'last_sync_error_code'");
        (
            self.place.number(&format!("select sync_status {of}")).await,
            self.place.text(&format!("select metadata ->> {code} {of}")).await,
        )
    }

    /// Returns one text from the database.
    pub async fn text(&self, sql: &str) -> Option<String> {
        self.place.text(sql).await
    }

    /// Returns the number of error reports once `attempts` attempts are over: an attempt reports before it ends.
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

    /// Waits until the document's row satisfies `is`.
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

    /// Waits until the page at `path` was requested `hits` times.
    #[track_caller]
    pub fn until_hit(&self, path: &str, hits: u32) -> impl Future<Output = ()> + use<> {
        self.site.until_hit(path, hits)
    }
}

/// Returns the services of a test's worker.
pub fn parts(store: &Arc<dyn Store>, fetcher: Arc<Fetcher>, redis: Option<Arc<Redis>>) -> Services {
    Services { store: store.clone(), fetcher, redis, subscribers: Vec::new(), name: "test:1".into() }
}

/// Returns the default settings with fewer slots.
pub fn settings() -> Settings {
    Settings { slots: 4, ..Settings::default() }
}

/// Returns [`settings`] with a cap per host that is as large as the number of slots.
pub fn eager_settings() -> Settings {
    Settings { slots: 8, per_host: 16, ..settings() }
}

/// Returns a fetcher that may connect to `site` and no other private host. Its time-outs are as long as a test's limit:
/// a page that the test delays keeps its slot until the test releases it.
pub fn fetcher(site: &Site) -> Arc<Fetcher> {
    fetcher_of(&[site])
}

/// Returns the same fetcher for several sites.
pub fn fetcher_of(sites: &[&Site]) -> Arc<Fetcher> {
    fetcher_with(sites, FetchSettings::default())
}

/// Returns the same fetcher with other settings besides.
pub fn fetcher_with(sites: &[&Site], settings: FetchSettings) -> Arc<Fetcher> {
    let limits = FetchSettings {
        connect_timeout: PATIENCE,
        read_timeout: PATIENCE,
        total_timeout: PATIENCE,
        allow_private_hosts: sites.iter().map(|site| site.host().parse().expect("a host and port")).collect(),
        ..settings
    };
    Arc::new(Fetcher::new(limits).expect("a fetcher"))
}
