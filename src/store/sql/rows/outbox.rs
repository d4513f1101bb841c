//! Rows of `outbox`: the messages that subscribers make of a transaction's outcomes, written by its commit.

use crate::domain::id::Seq;
use crate::domain::outbox::{OutboxMessage, OutcomeEvent, Subscriber, Subscribers};
use crate::domain::text::without_nul;
use crate::domain::time::Timestamp;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::outcomes::NewOutcome;
use crate::store::sql::statement::{Sql, Statement, query};
use std::sync::Arc;

/// A message with the name of its subscriber.
struct NewMessage {
    subscriber: String,
    /// Number of the outcome that the message is about.
    outcome: Seq,
    message: OutboxMessage,
}

/// Returns the statements that insert the messages for the outcomes `recorded`, whose numbers must be set. Returns no
/// statement if there is no subscriber, or none that wants one of the outcomes. `now` is the time of the transaction,
/// UTC.
pub(in crate::store) fn inserts(
    subscribers: &Subscribers,
    recorded: &[NewOutcome],
    now: Timestamp,
    dialect: Dialect,
) -> Vec<Statement> {
    if subscribers.is_empty() {
        return Vec::new();
    }
    let messages: Vec<NewMessage> = recorded.iter().flat_map(|new| messages(subscribers, new)).collect();
    messages.chunks(dialect.rows_per_statement()).map(|some| insert(some, now)).collect()
}

/// Returns true if a subscriber wants a message about one of the outcomes `recorded`.
pub(in crate::store) fn is_wanted(subscribers: &Subscribers, recorded: &[NewOutcome]) -> bool {
    recorded.iter().any(|new| !messages(subscribers, new).is_empty())
}

fn messages(subscribers: &Subscribers, new: &NewOutcome) -> Vec<NewMessage> {
    let message = |subscriber: &Arc<dyn Subscriber>| {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let event = OutcomeEvent { outcome: &new.outcome, text_changed: new.text_changed, id: &id };
        let message = subscriber.message(&event)?;
        Some(NewMessage { subscriber: subscriber.name().to_owned(), outcome: new.outcome.seq, message })
    };
    subscribers.iter().filter_map(message).collect()
}

/// Returns the statement that inserts a message which is about no outcome.
pub(in crate::store) fn insert_message(subscriber: String, message: OutboxMessage, now: Timestamp) -> Statement {
    let [key, payload] = [message.key, message.payload].map(without_nul);
    query("INSERT INTO @outbox (subscriber, key, payload, created_at, next_at) VALUES (?1, ?2, ?3, ?4, ?4)")
        .bind(subscriber)
        .bind(key)
        .bind(payload)
        .bind(now.micros())
}

fn insert(messages: &[NewMessage], now: Timestamp) -> Statement {
    let mut sql = Sql::new("INSERT INTO @outbox (subscriber, key, payload, created_at, next_at, outcome_seq) VALUES ");
    for (index, new) in messages.iter().enumerate() {
        if index > 0 {
            sql.push(", ");
        }
        // PostgreSQL cannot store U+0000, and a message must not prevent an attempt from being finished.
        let texts = [new.subscriber.clone(), new.message.key.clone(), new.message.payload.clone()].map(without_nul);
        sql.push("(");
        for text in texts {
            sql.bind(text).push(", ");
        }
        sql.bind(now.micros()).push(", ").bind(now.micros()).push(", ").bind(new.outcome.0).push(")");
    }
    sql.push(" ON CONFLICT (subscriber, key) DO NOTHING");
    sql.query()
}
