//! Numbers, durations, answers and failures as text for people, shared by the command line and the console.
//!
//! Every function is pure and returns plain text without colours: the caller passes the current time, and makes
//! untrusted text safe first ([`SafeLine`](crate::domain::text::SafeLine)).

mod answer;
mod batch;
mod chatwoot_job;
mod disk;
mod document_json;
mod extraction;
mod failure;
mod faq;
mod number;
mod outcome;
mod sink;
mod source;
mod stages;
mod time;

pub use answer::{
    EarlierRequest, answer, answer_note, answer_word, answers, capitalized, skip_reason, skip_reason_short,
};
pub use batch::{EVERY_DOCUMENT, batch_phase, batch_results, batch_selection, batch_title};
pub use chatwoot_job::{chatwoot_job, chatwoot_job_note, chatwoot_job_time};
pub use disk::disk_use;
pub use document_json::{DocumentJson, document_record};
pub use extraction::{dropped_head, dropped_measures, dropped_row, reason_column, reason_width};
pub use failure::{error_code, failure, short_failure};
pub use faq::{faq_effects, faq_note, faqs};
pub use number::{bytes, chars, count, number, percent, rate, short_number};
pub use outcome::{logged_outcome, outcome};
pub use sink::sink_state;
pub use source::{read_counts, source_state};
pub use stages::{stage_duration, stage_name, stages};
pub use time::{
    age, age_changes_at, closed_window, closed_window_short, countdown, countdown_changes_at, duration, estimate,
    next_minute, next_second, until,
};
