//! What a message comes to.

use crate::tui::effect::Effect;

/// What a message came to.
#[derive(Debug, Default)]
pub struct Update {
    /// The screen shows something that has changed.
    pub redraw: bool,
    /// What is to be done outside, in order.
    pub effects: Vec<Effect>,
}

impl Update {
    pub(super) fn redraw(&mut self) {
        self.redraw = true;
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}
