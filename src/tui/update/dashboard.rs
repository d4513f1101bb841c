//! The way from a figure of the dashboard to its rows.

use super::effects::Update;
use super::{keys, outcomes, prompt, trail, views};
use crate::domain::filter::{Filter, FilterCondition, Subject, Term};
use crate::store::{Sort, SortBy};
use crate::tui::action::Action;
use crate::tui::model::{Focus, Model};
use crate::tui::scope::PaneId;
use crate::tui::table::order::ChosenOrder;
use crate::tui::views as registry;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::dashboard::text::{FigureRows, rows};

/// Shows the rows of the figure under the cursor.
pub(super) fn show_rows(model: &mut Model, up: &mut Update) {
    let Some(figure) = model.views.dashboard.figure() else { return };
    match rows(figure) {
        FigureRows::Documents(text) => {
            if let Ok(filter) = Filter::parse_for(text, Subject::Documents) {
                views::show_filtered(model, filter, up);
            }
        }
        FigureRows::Host(host) => {
            let condition = FilterCondition::Host(vec![host.to_string()]);
            views::show_filtered(model, Filter { terms: vec![Term { negated: false, condition }] }, up);
        }
        FigureRows::NextDue => {
            trail::leave(model);
            model.documents.sort = Sort { by: SortBy::Next, descending: false };
            prompt::restart_with_filter(model, Filter::default(), String::new(), up);
            views::show(model, ViewId::Documents, up);
        }
        FigureRows::Outcomes(text) => {
            if let Ok(filter) = Filter::parse_for(text, Subject::Outcomes) {
                (model.panel.filter, model.panel.filter_text) = (filter, text.to_owned());
                model.focus = Focus::Outcomes;
                outcomes::filter_changed(model, up);
            }
        }
        FigureRows::View(view, letter) => {
            trail::leave(model);
            if let Some(rows) = registry::for_pane(PaneId::View(view)).rows_mut(model)
                && let Some(letter) = letter
            {
                rows.set_order(Some(ChosenOrder { letter, descending: false }));
            }
            views::show(model, view, up);
        }
        FigureRows::DiskUse => keys::act(model, Action::Workers, up),
    }
}
