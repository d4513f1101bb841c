//! Tests the metrics of a worker with the real Prometheus: what it reads, and what its checker says.

use crate::health;
use crate::support::db;
use crate::support::install::{Install, Process};
use crate::support::limit::{PATIENCE, until_blocking};
use crate::support::ports;
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// Sends a GET request; returns status, head and body.
fn get(address: &str, path: &str) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, head.to_ascii_lowercase(), body.to_owned()))
}

/// Returns the value of a sample, with its labels as they are written.
fn sample(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until a sample of a worker has a value.
fn until_sample(address: &str, name: &str, value: f64) -> String {
    until_blocking(format_args!("{name} {value}"), || {
        let (_, _, text) = get(address, "/metrics")?;
        (sample(&text, name) == Some(value)).then_some(text)
    })
}

/// A Prometheus that reads the metrics of one worker every second.
struct Prometheus {
    _process: Process,
    address: String,
}

impl Prometheus {
    fn of(install: &Install, target: &str) -> Self {
        let settings = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: quarterdeck\n  static_configs:\n  - targets: \
             [\"{target}\"]\n"
        );
        let file = install.write("prometheus.yml", settings);
        let address = format!("127.0.0.1:{}", ports::free());
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", install.folder().join("tsdb").display()));
        command.arg(format!("--web.listen-address={address}"));
        Self { _process: install.spawn(command), address }
    }

    /// Waits until a query has a result; returns labels and value of each of its series.
    fn until(&self, query: &str) -> Vec<(Value, f64)> {
        until_blocking(format_args!("a result of {query}"), || {
            let (_, _, body) = get(&self.address, &format!("/api/v1/query?query={query}"))?;
            let found: Value = serde_json::from_str(&body).ok()?;
            let series = found["data"]["result"].as_array()?;
            let value = |series: &Value| series["value"][1].as_str().and_then(|text| text.parse().ok());
            let all: Option<Vec<_>> = series.iter().map(|one| Some((one["metric"].clone(), value(one)?))).collect();
            all.filter(|all| !all.is_empty())
        })
    }
}

fn page(path: &str, _: u32) -> Reply {
    match path {
        "/gone" => Reply::Status(404, Vec::new()),
        _ => html("A", "Text."),
    }
}

/// A host that no URL can have: a label value is text of others all the same.
const HOST: &str = r#"a"} 5 \ {b="#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_reads_what_a_worker_did() {
    let install = Install::new(Site::start(page).await, "");
    install.fill(&["/a".to_owned(), "/b".to_owned(), "/gone".to_owned()]).await;
    for n in 0..60 {
        let host = if n == 59 { HOST.replace('\'', "''") } else { format!("h{n}.test") };
        let insert = format!(
            "INSERT INTO hosts_sched (host, held_until, held_kind) VALUES ('{host}', {} + {n} * 1000000, 'cool_down')",
            // The year 2100.
            4_102_444_800_000_000_i64
        );
        assert_eq!(db::execute(install.file(), &insert).await, 1);
    }
    let work = install.start(&["work", "--health", "0"]);
    let at = health::address(&work);
    let text = until_sample(&at, "quarterdeck_stage_duration_seconds_count{stage=\"write\"}", 3.0);
    let (status, head, _) = get(&at, "/metrics").expect("an answer");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    for (name, value) in [
        ("quarterdeck_attempts_total{result=\"unchanged\"}", 2.0),
        ("quarterdeck_attempts_total{result=\"permanent_failure\"}", 1.0),
        ("quarterdeck_attempts_total{result=\"worker_lost\"}", 0.0),
        ("quarterdeck_lease_losses_total", 0.0),
        ("quarterdeck_attempt_duration_seconds_count", 3.0),
        ("quarterdeck_attempt_duration_seconds_bucket{le=\"+Inf\"}", 3.0),
        ("quarterdeck_rescue_delay_seconds_count", 0.0),
        ("quarterdeck_stage_duration_seconds_count{stage=\"convert\"}", 2.0),
        ("quarterdeck_stage_duration_seconds_count{stage=\"tls\"}", 0.0),
        ("quarterdeck_store_up", 1.0),
        ("quarterdeck_store_connections{state=\"max\"}", 5.0),
        ("quarterdeck_hosts_waiting{kind=\"breaker\"}", 60.0),
    ] {
        assert_eq!(sample(&text, name), Some(value), "{name} in {text}");
    }
    assert_eq!(text.matches("quarterdeck_host_wait_seconds{").count(), 50);

    let prometheus = Prometheus::of(&install, &at);
    let read = prometheus.until("quarterdeck_attempts_total");
    let of = |result: &str| read.iter().find(|(labels, _)| labels["result"] == result).map(|(_, value)| *value);
    assert_eq!((of("unchanged"), of("permanent_failure")), (Some(2.0), Some(1.0)), "{read:?}");
    let waits = prometheus.until("quarterdeck_host_wait_seconds");
    assert_eq!(waits.len(), 50);
    assert!(waits.iter().any(|(labels, _)| labels["host"] == HOST), "{waits:?}");
    assert!(!waits.iter().any(|(labels, _)| labels["host"] == "h9.test"), "the ten shortest are left out");
    until_blocking("an empty queue", || (prometheus.until("sum(quarterdeck_jobs)")[0].1 == 0.0).then_some(()));
    check(&text);
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
}

/// Lets Prometheus' own checker read the text: it refuses what cannot be parsed and names that break the conventions.
fn check(text: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut checker = command.spawn().expect("it starts");
    checker.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let output = checker.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.is_empty(), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_a_port_of_their_own_and_go_on_without_the_database() {
    let install = Install::new(Site::start(page).await, "metrics.listen = \"127.0.0.1:0\"\n");
    install.fill(&["/a".to_owned()]).await;
    let work = install.start(&["work", "--health", "0"]);
    let line = work.until_says("metrics are served at http://");
    let (_, rest) = line.split_once("http://").expect("an address");
    let at = rest.trim_end_matches("/metrics");
    until_sample(at, "quarterdeck_attempts_total{result=\"unchanged\"}", 1.0);
    assert_eq!(get(at, "/health").map(|(status, ..)| status), Some(404));
    assert_eq!(get(&health::address(&work), "/metrics").map(|(status, ..)| status), Some(404));
    std::fs::rename(install.file(), install.folder().join("aside.db")).expect("moved");
    // The last figures are known for some seconds.
    let text = until_sample(at, "quarterdeck_store_up", 0.0);
    assert_eq!(sample(&text, "quarterdeck_attempts_total{result=\"unchanged\"}"), Some(1.0));
    assert!(!text.contains("quarterdeck_jobs{"), "{text}");
    check(&text);
}
