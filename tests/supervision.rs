//! Tests what a worker tells its supervisor: systemd's notifications on a local socket, and its signals to reload.

use crate::support::install::{Install, Process};
use crate::support::limit::{PATIENCE, until_blocking};
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The supervisor's end of the socket.
struct Notifications(UnixDatagram);

impl Notifications {
    fn at(install: &Install) -> (Self, String) {
        let path = install.folder().join("notify");
        let socket = UnixDatagram::bind(&path).expect("bound");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        (Self(socket), path.display().to_string())
    }

    fn next(&self) -> String {
        let mut message = [0; 4_096];
        let length = self.0.recv(&mut message).expect("a notification");
        String::from_utf8(message[..length].to_vec()).expect("text")
    }

    /// Skips notifications until one begins with `start`; returns it, and those that were skipped.
    fn until(&self, start: &str) -> (String, Vec<String>) {
        let mut skipped = Vec::new();
        loop {
            let message = self.next();
            if message.starts_with(start) {
                return (message, skipped);
            }
            skipped.push(message);
        }
    }
}

async fn install(reply: impl Fn(&str, u32) -> Reply + Send + Sync + 'static) -> Install {
    let install = Install::new(Site::start(reply).await, "");
    install.store().await.close().await;
    install
}

fn start(install: &Install, socket: &str, more: &[(&str, &str)]) -> Process {
    let mut env = vec![("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", "300000")];
    env.extend(more);
    install.start_with(&env, &["work"])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_is_ready_reloads_and_stops_in_the_words_of_systemd() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let install = install(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("A", "Text.")))).await;
    let (notifications, socket) = Notifications::at(&install);
    let work = start(&install, &socket, &[]);
    let (_, before) = notifications.until("READY=1");
    assert!(!before.iter().any(|message| message.starts_with("STOPPING")), "{before:?}");
    // Several in a row: a sign of life comes at each third of the period.
    for _ in 0..3 {
        notifications.until("WATCHDOG=1");
    }
    work.signal(Signal::HUP);
    let (reloading, _) = notifications.until("RELOADING=1");
    let since_boot = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").and_then(|text| text.parse::<u64>().ok());
    assert!(since_boot.is_some_and(|micros| micros > 0), "{reloading}");
    notifications.until("READY=1");

    install.fill(&["/a".to_owned()]).await;
    notifications.until("STATUS=1 of 16 slots busy");
    work.signal(Signal::TERM);
    notifications.until("STOPPING=1");
    // The drain may be long; signs of life go on.
    notifications.until("WATCHDOG=1");
    gate.add_permits(1);
    assert_eq!(work.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_may_have_an_abstract_name_and_another_process_its_watchdog() {
    let install = install(|_, _| html("A", "Text.")).await;
    let name = format!("quarterdeck-{}", install.folder().display());
    let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).expect("a name")).expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let notifications = Notifications(socket);
    let work = start(&install, &format!("@{name}"), &[("WATCHDOG_PID", "1")]);
    notifications.until("READY=1");
    work.signal(Signal::TERM);
    let (_, before) = notifications.until("STOPPING=1");
    assert!(!before.iter().any(|message| message.starts_with("WATCHDOG")), "{before:?}");
    assert_eq!(work.ended().code, Some(0));
}

#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_loop_is_stuck_gives_no_sign_of_life() {
    let install = install(|_, _| html("A", "Text.")).await;
    let (notifications, socket) = Notifications::at(&install);
    let faults = [("QUARTERDECK_FAULT", "claim_loop:panic:"), ("QUARTERDECK_LIMIT", "stall:1")];
    let _work = start(&install, &socket, &faults);
    notifications.until("STATUS=");
    // A few come in the second for which a loop may be silent.
    notifications.0.set_read_timeout(Some(std::time::Duration::from_secs(3))).expect("a socket");
    let mut message = [0; 64];
    until_blocking("silence", || notifications.0.recv(&mut message).is_err().then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_level_of_the_log_changes_while_a_worker_runs() {
    let install = install(|_, _| html("A", "Text.")).await;
    let settings = std::fs::read_to_string(install.folder().join("config.toml")).expect("settings");
    let with = |more: &str| install.write("config.toml", format!("{settings}{more}"));
    let folder = install.folder().join("log");
    with(&format!("log.dir = {folder:?}\n"));
    let log = || {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("quarterdeck."));
        ours.map(|entry| std::fs::read_to_string(entry.path()).expect("read")).collect::<String>()
    };
    let work = install.start(&["work"]);
    install.fill(&["/a".to_owned()]).await;
    until_blocking("the first sync", || (install.site.hits("/a") == 1).then_some(()));
    assert!(!log().contains("DEBUG"), "{}", log());
    with(&format!("log.dir = {folder:?}\nlog.level = \"debug\"\n"));
    work.signal(Signal::HUP);
    work.until_says("reloaded: changed log.level");
    install.fill(&["/b".to_owned()]).await;
    until_blocking("a line at the new level", || log().contains("DEBUG").then_some(()));
    assert!(!log().contains("hyper") && !log().contains("sqlx"), "libraries stay silent: {}", log());
    with("log.level = \"loud\"\n");
    work.signal(Signal::HUP);
    let said = work.until_says("must be one of");
    assert!(said.contains("loud"), "{said}");
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0), "HUP does not end a worker");
}
