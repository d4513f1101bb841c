//! The result of applying a message: the need to redraw, and the effects to perform.

use crate::tui::effect::Effect;

/// The result of applying a message: the need to redraw, and the effects to perform.
#[derive(Debug, Default)]
pub struct Update {
    /// The screen has to be drawn again.
    pub redraw: bool,
    /// Effects to perform, in this order.
    pub effects: Vec<Effect>,
}

impl Update {
    /// Requests a redraw.
    pub(super) fn redraw(&mut self) {
        self.redraw = true;
    }

    /// Appends an effect.
    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}
