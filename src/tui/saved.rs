//! The state that the console keeps from one run to the next: view, focus, filters, orders, and how the outcome panel
//! shows its entries.
//! The text is JSON. Of a text that is damaged or of another version, each part that can be read is used.

use super::model::last_visit::LastVisit;
use super::model::saved_filters::SavedFilters;
use super::model::{Focus, Model};
use super::scope::PaneId;
use super::table::order::ChosenOrder;
use super::views;
use super::views::catalog::ViewId;
use super::views::documents::column_id::ColumnId;
use super::views::documents::state::SORTS;
use super::views::outcomes::state::{EntryLines, TimeStyle, VisibleOutcomes};
use crate::domain::filter::{Filter, Subject};
use crate::domain::time::Timestamp;
use crate::store::Sort;
use serde_json::{Map, Value, json};

/// Longest filter that is kept, in bytes.
const MAX_FILTER: usize = 8_192;
/// Number of filters of each kind that are kept.
const MAX_FILTERS: usize = 50;
const SUBJECTS: [(Subject, &str); 2] = [(Subject::Documents, "documents"), (Subject::Outcomes, "outcomes")];

/// Returns what is kept, as JSON with a line feed at its end. `before` is the text that is kept now, of whose saved
/// filters those stay that this console has not changed.
pub fn text(model: &Model, before: Option<&str>) -> String {
    let before = before.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let saved = match &before {
        Some(before) => model.saved_filters.merged(saved_in(before)),
        None => model.saved_filters.all().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
    };
    let order = |order: ChosenOrder| json!({ "letter": order.letter, "descending": order.descending });
    let mut orders = Map::new();
    for view in ViewId::ALL {
        let chosen = views::for_pane(PaneId::View(*view)).rows(model).and_then(|rows| rows.order());
        if let Some(chosen) = chosen {
            orders.insert(view.word().to_owned(), order(chosen));
        }
    }
    let sort = model.documents.sort;
    if let Some((letter, ..)) = SORTS.iter().find(|(_, by, _)| *by == sort.by) {
        orders.insert(
            ViewId::Documents.word().to_owned(),
            order(ChosenOrder { letter: *letter, descending: sort.descending }),
        );
    }
    let filters = SUBJECTS.map(|(subject, word)| (word.to_owned(), json!(model.filters.of(subject))));
    let kept = json!({
        "view": model.active_view.word(),
        "filter": model.documents.filter_text,
        "orders": orders,
        "columns": model.documents.columns.as_ref().map(|shown| shown.iter().map(|id| id.word()).collect::<Vec<_>>()),
        "focus": model.focus.word(),
        "zoom": model.zoom,
        "looked_at": model.now.micros(),
        "utc": model.utc,
        "outcomes": {
            "filter": model.panel.filter_text,
            "visible": model.panel.visible.word(),
            "lines": model.panel.lines.word(),
            "times": model.panel.times.word(),
        },
        "filters": Map::from_iter(filters),
        "saved": saved,
    });
    format!("{kept:#}\n")
}

/// Restores what an earlier run has kept, before the first read.
pub fn restore(model: &mut Model, text: &str) {
    let Ok(kept) = serde_json::from_str::<Value>(text) else { return };
    let word = |value: &Value| value.as_str().map(str::to_owned);
    if let Some(view) = word(&kept["view"]).and_then(|view| ViewId::ALL.iter().find(|known| known.word() == view)) {
        model.active_view = *view;
    }
    model.focus = word(&kept["focus"]).and_then(|word| Focus::parse(&word)).unwrap_or(model.focus);
    model.zoom = kept["zoom"].as_bool().unwrap_or(model.zoom);
    if let Some(at) = kept["looked_at"].as_i64().filter(|at| (0..=model.now.micros()).contains(at)) {
        model.last_visit = LastVisit::since(Timestamp::from_micros(at));
    }
    model.utc = kept["utc"].as_bool().unwrap_or(model.utc);
    let outcomes = &kept["outcomes"];
    let panel = &mut model.panel;
    panel.visible = word(&outcomes["visible"]).and_then(|word| VisibleOutcomes::parse(&word)).unwrap_or(panel.visible);
    panel.lines = word(&outcomes["lines"]).and_then(|word| EntryLines::parse(&word)).unwrap_or(panel.lines);
    panel.times = word(&outcomes["times"]).and_then(|word| TimeStyle::parse(&word)).unwrap_or(panel.times);
    for view in ViewId::ALL {
        if let Some(order) = chosen_order(&kept["orders"][view.word()]) {
            restore_order(model, *view, order);
        }
    }
    if let Some(columns) = kept["columns"].as_array() {
        let mut shown = Vec::new();
        for id in columns.iter().filter_map(Value::as_str).filter_map(ColumnId::parse) {
            if !shown.contains(&id) {
                shown.push(id);
            }
        }
        model.documents.columns = Some(shown).filter(|shown| shown.contains(&ColumnId::Document));
    }
    for (subject, word) in SUBJECTS {
        let filters = kept["filters"][word].as_array().map(Vec::as_slice).unwrap_or_default();
        let known =
            filters.iter().filter_map(Value::as_str).filter(|filter| readable(model, filter, subject).is_some());
        let known: Vec<String> = known.take(MAX_FILTERS).map(str::to_owned).collect();
        known.iter().for_each(|filter| model.filters.remember(subject, filter));
    }
    for (name, text) in saved_in(&kept) {
        // A name that no filter can have is left out.
        let _ = model.saved_filters.restore(&name, &text);
    }
    if let Some(text) = kept["filter"].as_str()
        && let Some(filter) = readable(model, text, Subject::Documents)
    {
        (model.documents.filter, model.documents.filter_text) = (filter, text.to_owned());
    }
    if let Some(text) = kept["outcomes"]["filter"].as_str()
        && let Some(filter) = readable(model, text, Subject::Outcomes)
    {
        (model.panel.filter, model.panel.filter_text) = (filter, text.to_owned());
    }
}

/// Returns the filter that a kept state has saved under a name.
pub fn named(text: &str, name: &str) -> Option<String> {
    let kept: Value = serde_json::from_str(text).ok()?;
    saved_in(&kept).into_iter().find_map(|(known, text)| (known == name).then_some(text))
}

/// Returns a kept state with these saved filters in place of its own, except for those that another console has changed.
/// A damaged state is replaced.
pub fn with_filters(text: &str, filters: &SavedFilters) -> String {
    let mut kept: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let before = kept.get("saved").map(|saved| json!({ "saved": saved })).unwrap_or_default();
    kept.insert("saved".to_owned(), json!(filters.merged(saved_in(&before))));
    format!("{:#}\n", Value::Object(kept))
}

/// Returns name and text of the filters that a kept state has saved.
fn saved_in(kept: &Value) -> Vec<(String, String)> {
    let filters = kept["saved"].as_object().into_iter().flatten();
    let short = filters.filter_map(|(name, text)| Some((name, text.as_str().filter(|text| text.len() <= MAX_FILTER)?)));
    short.map(|(name, text)| (name.clone(), text.to_owned())).collect()
}

/// Returns the filter that a text says; `None` if it cannot be used in this store.
fn readable(model: &Model, text: &str, subject: Subject) -> Option<Filter> {
    let filter = Filter::parse_for(text, subject).ok().filter(|_| text.len() <= MAX_FILTER)?;
    (!filter.is_about_faqs() || model.options.faqs_unknown.is_none()).then_some(filter)
}

fn chosen_order(value: &Value) -> Option<ChosenOrder> {
    let letter = value["letter"].as_str()?.chars().next()?;
    Some(ChosenOrder { letter, descending: value["descending"].as_bool().unwrap_or(false) })
}

fn restore_order(model: &mut Model, view: ViewId, order: ChosenOrder) {
    match views::for_pane(PaneId::View(view)).rows_mut(model) {
        Some(rows) if rows.orders().iter().any(|(letter, _)| *letter == order.letter) => rows.set_order(Some(order)),
        Some(_) => {}
        None => {
            if let Some((_, by, _)) = SORTS.iter().find(|(letter, ..)| *letter == order.letter) {
                model.documents.sort = Sort { by: *by, descending: order.descending };
            }
        }
    }
}
