//! Pages of the sorted, filtered list of documents, and the ids that match a filter.

use crate::domain::document::{DocumentRow, StatusCounts};
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use crate::store::chatwoot::faqs;
use crate::store::queries::counts::{numbers, stored_counts, stored_total};
use crate::store::queries::documents::rows_within;
use crate::store::queries::order::{Direction, Key, Members, Segment, segments};
use crate::store::queries::words::SearchedFilter;
use crate::store::queue::shadow;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Value};
use crate::store::sql::status::push_status;
use crate::store::{DocumentPage, PagePosition, PageQuery, Result, Sort, SortBy};

/// Maximum number of documents that match a filter and are counted by status: this takes as long as to read the list.
const MAX_COUNTED_BY_STATUS: u64 = 100_000;

/// A filtered, sorted list of documents at one time, read in one snapshot.
struct List<'a> {
    reader: &'a mut Reader,
    /// The table that the list starts with.
    source: StatusSource,
    /// The table by which the whole list is counted.
    count_source: StatusSource,
    filter: SearchedFilter,
    /// The order, as segments one after the other.
    segments: Vec<Segment>,
    /// The number of documents at each status, once it was read.
    by_status: Option<StatusCounts>,
    now: Timestamp,
}

/// The place of a document in the order: its segment, and its values of the segment's keys.
struct Anchor {
    id: i64,
    segment: usize,
    values: Vec<Value>,
}

pub(in crate::store) async fn page(db: &Database, request: &PageQuery) -> Result<DocumentPage> {
    let mut reader = db.reader().await?;
    // One snapshot, so that total, offset and rows describe the same instant.
    reader.enter_snapshot().await?;
    let source = shadow::source_for(db, &mut reader, &request.filter).await?;
    let mut list = List::open(&mut reader, source, &request.filter, request.sort, db.now()).await?;
    let page = list.page(request).await?;
    reader.leave_snapshot().await?;
    Ok(page)
}

/// Returns the ids of the documents that match `filter`, in the order of `sort`; at most `limit` if it is set.
pub(in crate::store) async fn matching(
    db: &Database,
    filter: &Filter,
    sort: Sort,
    limit: Option<u64>,
) -> Result<Vec<DocumentId>> {
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let source = shadow::source_for(db, &mut reader, filter).await?;
    let ids = read_matching(db, &mut reader, source, filter, sort, limit).await?;
    reader.leave_snapshot().await?;
    Ok(ids)
}

/// Returns the ids of the documents that match `filter` by what the database says now, in order.
pub(in crate::store) async fn matching_exactly(db: &Database, filter: &Filter) -> Result<Vec<DocumentId>> {
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    if filter.is_about_faqs() {
        faqs::ensure_readable(db, &mut reader).await?;
    }
    let source = if db.is_chatwoot_database() { StatusSource::Computed } else { StatusSource::Stored };
    let ids = read_matching(db, &mut reader, source, filter, Sort::BY_ID, None).await?;
    reader.leave_snapshot().await?;
    Ok(ids)
}

async fn read_matching(
    db: &Database,
    reader: &mut Reader,
    source: StatusSource,
    filter: &Filter,
    sort: Sort,
    limit: Option<u64>,
) -> Result<Vec<DocumentId>> {
    let mut list = List::open(reader, source, filter, sort, db.now()).await?;
    // Room for all documents at once: a list that grows is copied, and takes up to three times as much for a moment.
    let expected = if filter.terms.is_empty() && limit.is_none() { list.total().await? } else { 0 };
    let mut ids = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    for segment in 0..list.segments.len() {
        let left = limit.map(|limit| limit.saturating_sub(ids.len() as u64));
        if left == Some(0) {
            break;
        }
        list.read_ids(segment, Ahead::All, left, 0, &mut ids).await?;
    }
    Ok(ids.into_iter().map(DocumentId).collect())
}

/// The documents of a segment that are read, in the direction of the reading.
#[derive(Clone, Copy)]
enum Ahead<'a> {
    /// All, from the first one on.
    All,
    /// All, from the last one backwards.
    Backwards,
    /// The anchor and those after it.
    From(&'a Anchor),
    /// Those before the anchor, from it backwards.
    Before(&'a Anchor),
}

impl<'a> List<'a> {
    async fn open(
        reader: &'a mut Reader,
        source: StatusSource,
        filter: &Filter,
        sort: Sort,
        now: Timestamp,
    ) -> Result<Self> {
        let filter = SearchedFilter::search(reader, source, filter).await?;
        let count_source = source;
        let source = match sort.by {
            // Names and URLs stand in the documents' own table. SQLite need not even read it: an index of it has both.
            SortBy::Name | SortBy::Url if source == StatusSource::Stored && filter.has_only_words() => {
                StatusSource::Computed
            }
            _ => source,
        };
        let segments = segments(sort, source, filter.matches_few());
        Ok(Self { reader, source, count_source, filter, segments, by_status: None, now })
    }

    async fn page(&mut self, request: &PageQuery) -> Result<DocumentPage> {
        let total = self.total().await?;
        let last_page = total.saturating_sub(request.limit.max(1));
        let mut around = None;
        let offset = match request.position {
            // An offset within the list is kept even if its page is short: a caller that continues from the end of the
            // last page must not get earlier rows again.
            PagePosition::Offset(offset) if offset < total => offset,
            PagePosition::Offset(_) => last_page,
            PagePosition::Document { document, rows_above, fallback_offset } => match self.anchor(document).await? {
                Some(anchor) => {
                    let rank = self.count(Some(anchor.segment), Some(&anchor)).await?;
                    let before = self.before(anchor.segment).await?;
                    let offset = (before + rank).saturating_sub(rows_above).min(last_page);
                    around = Some((anchor, rank, before + rank - offset));
                    offset
                }
                None => fallback_offset.min(last_page),
            },
        };
        let ids = match around {
            // The page begins in the anchor's segment: read from the anchor in both directions.
            Some((anchor, rank, above)) if above <= rank => {
                let mut ids = self.ids(anchor.segment, Ahead::Before(&anchor), Some(above), 0).await?;
                ids.reverse();
                let left = request.limit.saturating_sub(above);
                ids.extend(self.ids(anchor.segment, Ahead::From(&anchor), Some(left), 0).await?);
                self.fill(ids, anchor.segment + 1, request.limit).await?
            }
            _ => self.ids_at_offset(total, offset, request.limit).await?,
        };
        let rows: Vec<DocumentRow> =
            rows_within(self.reader, &ids, self.now, self.count_source != StatusSource::Stored).await?;
        let matching = self.matching_by_status(total).await?;
        Ok(DocumentPage { rows, offset, total, matching })
    }

    /// Returns the number of documents.
    async fn total(&mut self) -> Result<u64> {
        if self.count_source.is_stored() && self.filter.is_empty() {
            return stored_total(self.reader).await;
        }
        self.count(None, None).await
    }

    /// Returns the number of documents at each status of the `total` that match the filter; `None` without a filter, and
    /// when they are too many to be counted with each page.
    async fn matching_by_status(&mut self, total: u64) -> Result<Option<StatusCounts>> {
        if self.filter.is_empty() || total > MAX_COUNTED_BY_STATUS {
            return Ok(None);
        }
        let source = self.count_source;
        let mut counts = StatusCounts::default();
        let mut sql = Sql::new("SELECT CAST(0 AS BIGINT) AS account_id, ");
        push_status(&mut sql, source, self.now);
        sql.push(" AS status, count(*) AS documents");
        self.filter.push(&mut sql, source, Joins::status(source), self.now)?;
        sql.push(" GROUP BY 2");
        for (_, status, documents) in numbers(self.reader, sql.query()).await? {
            counts.set(status, documents);
        }
        let mut sql = Sql::new("SELECT count(*)");
        self.filter.push(&mut sql, source, Joins::NONE, self.now)?;
        sql.push(" AND ").push(source.id());
        sql.push(" IN (SELECT h.document_id FROM @held_contents h WHERE h.rejected_at IS NULL)");
        counts.quarantined = self.counted(sql).await?;
        counts.max_age = (source == StatusSource::Shadow).then_some(shadow::MAX_AGE);
        Ok(Some(counts))
    }

    /// Returns the number of documents in the segments before this one.
    async fn before(&mut self, segment: usize) -> Result<u64> {
        let mut before = 0;
        for earlier in 0..segment {
            before += self.in_segment(earlier).await?;
        }
        Ok(before)
    }

    /// Returns the number of documents in a segment.
    async fn in_segment(&mut self, segment: usize) -> Result<u64> {
        match self.segments.get(segment).map(|segment| segment.members) {
            Some(Members::OfStatus(status)) if self.filter.is_empty() => {
                let counts = match self.by_status {
                    Some(counts) => counts,
                    None => stored_counts(self.reader, self.now).await?,
                };
                self.by_status = Some(counts);
                Ok(counts.of(status))
            }
            _ => self.count(Some(segment), None).await,
        }
    }

    /// Returns the number of documents in a segment, or in the whole list; with `before`, of those that come before it
    /// in its segment.
    async fn count(&mut self, segment: Option<usize>, before: Option<&Anchor>) -> Result<u64> {
        let mut sql = Sql::new("SELECT count(*)");
        let Some(segment) = segment.and_then(|index| self.segments.get(index)) else {
            self.filter.push_uncolumned(&mut sql, self.count_source, self.now)?;
            return self.counted(sql).await;
        };
        self.filter.push(&mut sql, self.source, segment.joins, self.now)?;
        segment.push_condition(&mut sql, self.source, self.now);
        if let Some(anchor) = before {
            let place = (&anchor.values[..], anchor.id);
            segment.push_comparison(&mut sql, self.source, self.now, before_sign(segment.direction), place);
        }
        self.counted(sql).await
    }

    async fn counted(&mut self, sql: Sql) -> Result<u64> {
        let count: i64 = get(&self.reader.one(sql.query()).await?, 0)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Returns the place of `document`; `None` if it does not match the filter.
    async fn anchor(&mut self, document: DocumentId) -> Result<Option<Anchor>> {
        for (index, segment) in self.segments.iter().enumerate() {
            let mut sql = Sql::new("SELECT 0");
            for key in &segment.keys {
                sql.push(", ");
                key.push(&mut sql, self.source, self.now);
            }
            self.filter.push(&mut sql, self.source, segment.joins, self.now)?;
            segment.push_condition(&mut sql, self.source, self.now);
            sql.push(" AND ").push(self.source.id()).push(" = ").bind(document.0);
            let Some(row) = self.reader.first(sql.query()).await? else { continue };
            let mut values = Vec::with_capacity(segment.keys.len());
            for (index, key) in segment.keys.iter().enumerate() {
                values.push(match key {
                    Key::Text(_) => Value::Text(get(&row, index + 1)?),
                    Key::Number(_) | Key::CurrentStatus => Value::Int(get(&row, index + 1)?),
                });
            }
            return Ok(Some(Anchor { id: document.0, segment: index, values }));
        }
        Ok(None)
    }

    /// Returns the ids of the page at `offset` of a list of `total` documents.
    async fn ids_at_offset(&mut self, total: u64, offset: u64, limit: u64) -> Result<Vec<i64>> {
        let (mut segment, mut within) = (0, offset);
        // A segment is counted only to find the offset in it: the first page needs none.
        let documents = loop {
            if within == 0 || segment + 1 >= self.segments.len() {
                break total.saturating_sub(offset - within);
            }
            let documents = self.in_segment(segment).await?;
            if within < documents {
                break documents;
            }
            within -= documents;
            segment += 1;
        };
        let wanted = limit.min(documents.saturating_sub(within));
        // Rows that are skipped cost as much as rows that are read, so the nearer end is the start.
        let ids = if within > documents / 2 {
            let skipped = documents.saturating_sub(within + wanted);
            let mut ids = self.ids(segment, Ahead::Backwards, Some(wanted), skipped).await?;
            ids.reverse();
            ids
        } else {
            self.ids(segment, Ahead::All, Some(wanted), within).await?
        };
        self.fill(ids, segment + 1, limit).await
    }

    /// Appends ids from the start of the segments from `next` on, until there are `limit`.
    async fn fill(&mut self, mut ids: Vec<i64>, next: usize, limit: u64) -> Result<Vec<i64>> {
        for segment in next..self.segments.len() {
            let left = limit.saturating_sub(ids.len() as u64);
            if left > 0 {
                ids.extend(self.ids(segment, Ahead::All, Some(left), 0).await?);
            }
        }
        Ok(ids)
    }

    /// Returns ids of a segment in the direction of `ahead`, at most `limit` after the first `skipped`.
    async fn ids(&mut self, segment: usize, ahead: Ahead<'_>, limit: Option<u64>, skipped: u64) -> Result<Vec<i64>> {
        let mut ids = Vec::new();
        self.read_ids(segment, ahead, limit, skipped, &mut ids).await?;
        Ok(ids)
    }

    /// Appends ids like those of [`ids`](Self::ids) to `ids`.
    async fn read_ids(
        &mut self,
        segment: usize,
        ahead: Ahead<'_>,
        limit: Option<u64>,
        skipped: u64,
        ids: &mut Vec<i64>,
    ) -> Result<()> {
        let (source, now) = (self.source, self.now);
        let Some(segment) = self.segments.get(segment) else { return Ok(()) };
        let mut sql = Sql::new("SELECT ");
        sql.push(source.id());
        self.filter.push(&mut sql, self.source, segment.joins, self.now)?;
        segment.push_condition(&mut sql, self.source, self.now);
        let direction = match ahead {
            Ahead::All => segment.direction,
            Ahead::Backwards => segment.direction.reversed(),
            Ahead::From(anchor) => {
                push_from(&mut sql, segment, source, now, anchor);
                segment.direction
            }
            Ahead::Before(anchor) => {
                let place = (&anchor.values[..], anchor.id);
                segment.push_comparison(&mut sql, source, now, before_sign(segment.direction), place);
                segment.direction.reversed()
            }
        };
        segment.push_order(&mut sql, source, now, direction);
        if let Some(limit) = limit {
            sql.push(" LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
        }
        if skipped > 0 {
            sql.push(" OFFSET ").bind(i64::try_from(skipped).unwrap_or(i64::MAX));
        }
        let take = |row: &Row| {
            ids.push(get(row, 0)?);
            Ok(())
        };
        self.reader.each(sql.query(), take).await
    }
}

/// Returns the comparison for documents that come before another one.
const fn before_sign(direction: Direction) -> &'static str {
    match direction {
        Direction::Ascending => "<",
        Direction::Descending => ">",
    }
}

fn push_from(sql: &mut Sql, segment: &Segment, source: StatusSource, now: Timestamp, anchor: &Anchor) {
    let sign = match segment.direction {
        Direction::Ascending => ">=",
        Direction::Descending => "<=",
    };
    segment.push_comparison(sql, source, now, sign, (&anchor.values, anchor.id));
}
