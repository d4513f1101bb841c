//! State of the hosts view: its rows and their order.

use crate::domain::host_backoff::BackoffKind;
use crate::domain::text::SafeLine;
use crate::format;
use crate::store::{HostSummary, Listing};
use crate::tui::table::order::{ColumnOrder, largest_first, largest_share_first};
use crate::tui::table::state::{TableRow, TableState};
use std::cmp::Reverse;

/// The table behind the hosts view.
pub type HostsTable = TableState<Listing<HostSummary>>;

impl TableRow for HostSummary {
    type Key = SafeLine;

    const ORDERS: &'static [ColumnOrder<Self>] = &[
        ColumnOrder { letter: 'h', heading: "host", compare: |a, b| a.host.cmp(&b.host) },
        ColumnOrder { letter: 'd', heading: "docs", compare: |a, b| largest_first(a.documents, b.documents) },
        ColumnOrder {
            letter: 'f',
            heading: "failed",
            compare: |a, b| largest_share_first((a.failed, a.documents), (b.failed, b.documents)),
        },
        ColumnOrder {
            letter: 'r',
            heading: "429/503",
            compare: |a, b| largest_share_first((a.rate_limited, a.last_hour), (b.rate_limited, b.last_hour)),
        },
        ColumnOrder {
            letter: 'l',
            heading: "latency",
            compare: |a, b| largest_first(a.median_duration, b.median_duration),
        },
        ColumnOrder { letter: 'b', heading: "busy", compare: |a, b| largest_first(a.running, b.running) },
    ];

    fn key(&self) -> SafeLine {
        self.host.clone()
    }

    fn arrange(rows: &mut [Self]) {
        rows.sort_by_cached_key(badness);
    }

    fn fades(&self) -> bool {
        self.last_hour > 0
    }
}

/// Returns the sort key of a host, worst first: a cool-down after failures, then a back-off that the host requested,
/// then hosts without back-off. Within each of these groups the larger of two percentages decides: failed documents,
/// and 429 or 503 responses. The percentages are whole numbers as on the screen, so that rows keep their order while
/// nothing visible changes. The number of documents and then the name break ties.
fn badness(summary: &HostSummary) -> impl Ord + use<> {
    let worst = format::percent(summary.failed, summary.documents)
        .max(format::percent(summary.rate_limited, summary.last_hour));
    let cooling = summary.backoff.as_ref().map(|backoff| backoff.kind == BackoffKind::CoolDown);
    (Reverse(cooling), Reverse(worst), Reverse(summary.documents), summary.host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::host_backoff::HostBackoff;
    use crate::domain::time::Timestamp;
    use crate::tui::table::state::TableData as _;

    fn host(name: &str, documents: u64, failed: u64, rate_limited: u64) -> HostSummary {
        HostSummary {
            host: name.into(),
            documents,
            failed,
            last_hour: 100,
            rate_limited,
            median_duration: None,
            running: 0,
            ready: 0,
            backoff: None,
        }
    }

    #[test]
    fn the_worst_come_first_and_the_order_has_no_ties() {
        let backoff = |kind| Some(HostBackoff { until: Timestamp::from_micros(9), kind, reason: "so it is".into() });
        let rows = vec![
            host("b.test", 10, 0, 0),
            host("a.test", 10, 0, 0),
            host("large.test", 90, 0, 0),
            host("failing.test", 10, 4, 0),
            host("limiting.test", 10, 0, 41),
            HostSummary { backoff: backoff(BackoffKind::RetryAfter), ..host("asks.test", 9, 9, 0) },
            HostSummary { backoff: backoff(BackoffKind::CoolDown), ..host("cools.test", 1, 0, 0) },
            // 40.1 per cent is shown as 40.
            host("much.test", 1_000, 401, 0),
        ];
        let mut summary = Listing { rows, total: 8 };
        let order = |summary: &Listing<HostSummary>| summary.keys().iter().map(ToString::to_string).collect::<Vec<_>>();
        summary.arrange();
        let sorted = order(&summary);
        assert_eq!(
            sorted,
            ["cools.test", "asks.test", "limiting.test", "much.test", "failing.test", "large.test", "a.test", "b.test"]
        );
        summary.rows.reverse();
        summary.arrange();
        assert_eq!(order(&summary), sorted);
    }
}
