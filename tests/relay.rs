//! Tests relays of the outbox on the real runner: each subscriber is served independently of the others' receivers.

use crate::support::deck::{START, fetcher, parts, settings};
use crate::support::limit::{until, within};
use crate::support::place::{Backend, Place};
use crate::support::site::{Site, html};
use async_trait::async_trait;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outbox::{
    Deliver, DeliveryError, OutboxMessage, OutcomeEvent, PendingDelivery, ReceiverState, Subscriber,
};
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::runner::handle::Handle;
use quarterdeck::runner::{self, Mode, Services};
use quarterdeck::store::{Access, AddResult, ManualClock, NewDocument, Options, Store, open_with};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};

const MICRO: Duration = Duration::from_micros(1);
/// Longer than any wait after a failure, so that a test can distinguish the two.
const LEASE: Duration = Duration::from_secs(24 * 3_600);

/// The receiver's response to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behaviour {
    Accepts,
    Refuses,
    Unavailable,
    /// Answers once the test allows it.
    Hangs,
}

/// A subscriber that wants every change of a text, and reports each delivery to the test.
struct Double {
    name: &'static str,
    behaviour: Mutex<Behaviour>,
    state: Mutex<ReceiverState>,
    release: Semaphore,
    deliveries: mpsc::UnboundedSender<PendingDelivery>,
}

impl Double {
    fn new(name: &'static str, behaviour: Behaviour) -> (Arc<Self>, mpsc::UnboundedReceiver<PendingDelivery>) {
        let (deliveries, seen) = mpsc::unbounded_channel();
        let state = Mutex::new(ReceiverState::Ready);
        let release = Semaphore::new(0);
        (Arc::new(Self { name, behaviour: Mutex::new(behaviour), state, release, deliveries }), seen)
    }

    fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("no test panics in it") = behaviour;
    }
}

impl Subscriber for Double {
    fn name(&self) -> &str {
        self.name
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        let message = || OutboxMessage { key: event.id.to_owned(), payload: event.outcome.url.to_string() };
        event.text_changed.then(message)
    }
}

#[async_trait]
impl Deliver for Double {
    async fn receiver_state(&self) -> ReceiverState {
        *self.state.lock().expect("no test panics in it")
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    async fn deliver(&self, message: &PendingDelivery, _now: Timestamp) -> Result<(), DeliveryError> {
        let behaviour = *self.behaviour.lock().expect("no test panics in it");
        self.deliveries.send(message.clone()).expect("the test listens");
        match behaviour {
            Behaviour::Accepts => Ok(()),
            Behaviour::Refuses => Err(DeliveryError::refused("not \u{1b}[1mthis\u{1b}[0m one")),
            Behaviour::Unavailable => Err(DeliveryError::unavailable("closed")),
            Behaviour::Hangs => {
                self.release.acquire().await.expect("it is never closed").forget();
                Ok(())
            }
        }
    }
}

struct Scene {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    runner: Handle,
    site: Site,
    place: Place,
}

impl Scene {
    async fn start(on: Backend, subscribers: &[&Arc<Double>]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = Place::new(on).await;
        let clock = Arc::new(ManualClock::at(START));
        let options = Options { clock: clock.clone(), ..Options::new(Access::Create) };
        let store = open_with(&place.url(), options).await.expect("a new store");
        let site = Site::start(|_, hit| html("T", &format!("text {hit}"))).await;
        let runner = Self::runner(&store, &site, subscribers);
        Self { store, clock, runner, site, place }
    }

    fn runner(store: &Arc<dyn Store>, site: &Site, subscribers: &[&Arc<Double>]) -> Handle {
        let subscribers = subscribers.iter().map(|double| Arc::clone(double) as Arc<dyn Deliver>).collect();
        let parts = Services { subscribers, ..parts(store, fetcher(site), None) };
        runner::start(parts, settings(), Mode::OnDemand)
    }

    /// Adds a page whose text changes with each sync.
    async fn add(&self, path: &str) -> DocumentId {
        let link = Link::parse(&self.site.url(path)).expect("a link");
        let (account_id, assistant_id) = (AccountId(1), AssistantId(1));
        let new = NewDocument { link, name: None, account_id, assistant_id };
        match self.store.add(&[new]).await.expect("the store answers")[..] {
            [AddResult::New(id)] => id,
            ref other => panic!("{other:?}"),
        }
    }

    async fn sync(&self, documents: &[DocumentId]) {
        let request =
            Request { kind: RequestKind::Sync, class: QueueClass::Manual, by: "ana".into(), scope: RequestScope::Bulk };
        self.store.request(documents, &request).await.expect("the store answers");
        self.runner.wake();
    }

    /// Commits a change, which makes the relays poll the outbox.
    async fn commit(&self) {
        let scope = PauseScope::Account(AccountId(9));
        self.store.pause(&scope, &"ana".into()).await.expect("the store answers");
        self.store.resume(&scope).await.expect("the store answers");
    }

    /// Waits until a subscriber's only message has failed `attempts` times; returns the time of its next delivery.
    async fn failed(&self, attempts: u32) -> Timestamp {
        let sql = format!(
            "SELECT coalesce(max(next_at), 0) FROM outbox WHERE attempts = {attempts} AND last_error IS NOT NULL \
             AND next_at <> {}",
            self.store.now().plus(LEASE).micros(),
        );
        let next =
            until(format!("{attempts} failures"), async || self.place.number(&sql).await.filter(|next| *next > 0));
        Timestamp::from_micros(next.await)
    }

    async fn nothing_is_pending(&self) {
        until("an empty outbox", async || {
            let pending = self.store.pending_deliveries().await.expect("the store answers");
            pending.is_empty().then_some(())
        })
        .await;
    }
}

async fn next(seen: &mut mpsc::UnboundedReceiver<PendingDelivery>) -> PendingDelivery {
    within("a delivery", seen.recv()).await.expect("the subscriber is there")
}

async fn a_slow_and_a_failing_subscriber_hold_up_no_other(on: Backend) {
    let (slow, mut to_slow) = Double::new("slow", Behaviour::Hangs);
    let (failing, mut to_failing) = Double::new("failing", Behaviour::Refuses);
    let (closed, mut to_closed) = Double::new("closed", Behaviour::Unavailable);
    let (good, mut to_good) = Double::new("good", Behaviour::Accepts);
    let scene = Scene::start(on, &[&slow, &failing, &closed, &good]).await;
    let ids = [scene.add("/1").await, scene.add("/2").await, scene.add("/3").await];
    scene.sync(&ids[..1]).await;
    for seen in [&mut to_slow, &mut to_failing, &mut to_closed, &mut to_good] {
        assert!(next(seen).await.payload.ends_with("/1"));
    }
    scene.sync(&ids[1..]).await;
    let mut paths: Vec<String> = Vec::new();
    for _ in 0..2 {
        paths.push(next(&mut to_good).await.payload);
    }
    paths.sort();
    assert!(paths[0].ends_with("/2") && paths[1].ends_with("/3"), "{paths:?}");
    // A refused message does not delay other messages of the same subscriber either.
    assert_eq!((next(&mut to_failing).await.attempts, next(&mut to_failing).await.attempts), (0, 0));
    assert!(to_slow.try_recv().is_err(), "it has one at a time");
    slow.release.add_permits(3);
    assert_eq!((next(&mut to_slow).await.attempts, next(&mut to_slow).await.attempts), (0, 0));
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
    let pending = scene.store.pending_deliveries().await.expect("the store answers");
    let pending: Vec<_> = pending.iter().map(|status| (status.subscriber.as_str(), status.pending)).collect();
    assert_eq!(pending, [("closed", 3), ("failing", 3)]);
}

async fn a_refused_message_is_tried_after_waits_that_grow_and_are_capped(on: Backend) {
    let (double, mut seen) = Double::new("double", Behaviour::Refuses);
    let scene = Scene::start(on, &[&double]).await;
    let id = scene.add("/1").await;
    scene.sync(&[id]).await;
    let mut waits = Vec::new();
    let mut key = None;
    for attempts in 1..=9 {
        let delivery = next(&mut seen).await;
        assert_eq!(delivery.attempts, attempts - 1);
        assert_eq!(*key.get_or_insert_with(|| delivery.key.clone()), delivery.key, "the key stays");
        let next_at = scene.failed(attempts).await;
        waits.push(next_at.since(scene.store.now()));
        let status = scene.store.pending_deliveries().await.expect("the store answers").remove(0);
        assert_eq!((status.pending, status.last_error.as_deref()), (1, Some("not this one")));
        scene.clock.advance(next_at.since(scene.store.now()) - MICRO);
        assert!(scene.store.due_deliveries("double", 9).await.expect("the store answers").is_empty(), "not before");
        scene.clock.advance(MICRO);
        if attempts == 9 {
            double.behave(Behaviour::Accepts);
        }
        scene.commit().await;
    }
    assert!(waits.is_sorted() && waits[0] < waits[4] && waits[7] == waits[8], "{waits:?}");
    assert!(waits[0] >= Duration::from_secs(1) && waits[8] <= Duration::from_secs(3_600), "{waits:?}");
    assert_eq!(next(&mut seen).await.attempts, 9);
    scene.nothing_is_pending().await;
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
}

async fn a_receiver_that_is_closed_gets_its_messages_when_it_opens(on: Backend) {
    let (double, mut seen) = Double::new("double", Behaviour::Unavailable);
    let scene = Scene::start(on, &[&double]).await;
    let ids = [scene.add("/1").await, scene.add("/2").await];
    scene.sync(&ids).await;
    next(&mut seen).await;
    double.behave(Behaviour::Accepts);
    // The clock stands still, so its messages are still due.
    scene.nothing_is_pending().await;
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
}

async fn what_a_runner_leaves_the_next_one_delivers(on: Backend) {
    let (double, mut seen) = Double::new("double", Behaviour::Unavailable);
    let scene = Scene::start(on, &[&double]).await;
    let id = scene.add("/1").await;
    scene.sync(&[id]).await;
    let first = next(&mut seen).await;
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
    while seen.try_recv().is_ok() {}
    double.behave(Behaviour::Accepts);
    let runner = Scene::runner(&scene.store, &scene.site, &[&double]);
    let again = next(&mut seen).await;
    assert_eq!((again.id, &again.key, &again.payload), (first.id, &first.key, &first.payload));
    scene.nothing_is_pending().await;
    runner.leave();
    within("the runner's end", runner.ended()).await;
}

async fn an_absent_receiver_costs_no_row(on: Backend) {
    let (absent, mut to_absent) = Double::new("absent", Behaviour::Accepts);
    *absent.state.lock().expect("no test panics in it") = ReceiverState::Absent;
    let (good, mut to_good) = Double::new("good", Behaviour::Accepts);
    let scene = Scene::start(on, &[&absent, &good]).await;
    let id = scene.add("/1").await;
    let rows = async || scene.place.number("SELECT count(*) FROM outbox WHERE subscriber = 'absent'").await;
    // Messages are created until its relay has polled for it.
    let settles = async {
        loop {
            let before = rows().await;
            scene.sync(&[id]).await;
            next(&mut to_good).await;
            if rows().await == before {
                return;
            }
        }
    };
    within("an outcome without a message", settles).await;
    assert!(to_absent.try_recv().is_err());
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_slow_and_a_failing_subscriber_hold_up_no_other,
    a_refused_message_is_tried_after_waits_that_grow_and_are_capped,
    a_receiver_that_is_closed_gets_its_messages_when_it_opens,
    what_a_runner_leaves_the_next_one_delivers,
    an_absent_receiver_costs_no_row,
}
