//! The console's views and [`for_pane`], the registry that finds the view of a pane. Each view has a folder with its
//! state, its texts and its drawing.

pub mod accounts;
pub mod catalog;
pub mod dashboard;
pub mod detail;
pub mod documents;
pub mod failures;
pub mod hosts;
pub mod jobs;
pub mod outcomes;
pub mod selected;
pub mod sources;
pub mod view;
pub mod workers;

use super::scope::PaneId;
use catalog::ViewId;
use view::View;

/// Returns the view that `pane` shows.
pub fn for_pane(pane: PaneId) -> &'static dyn View {
    match pane {
        PaneId::View(ViewId::Documents) => &documents::DocumentsView,
        PaneId::View(ViewId::Failures) => &failures::FailuresView,
        PaneId::View(ViewId::Jobs) => &jobs::JobsView,
        PaneId::View(ViewId::Hosts) => &hosts::HostsView,
        PaneId::View(ViewId::Accounts) => &accounts::AccountsView,
        PaneId::View(ViewId::Workers) => &workers::WorkersView,
        PaneId::View(ViewId::Sources) => &sources::SourcesView,
        PaneId::View(ViewId::Dashboard) => &dashboard::DashboardView,
        PaneId::Outcomes => &outcomes::OutcomesView,
        PaneId::Detail => &detail::DetailView,
    }
}
