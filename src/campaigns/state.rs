//! States of a campaign: `draft → preparing → open ⇄ paused → closed`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::Problem;

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Draft,
    /// Published; its cells are being made.
    Preparing,
    Open,
    Paused,
    Closed,
}

/// What an organiser does with a campaign.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    Publish,
    Pause,
    Resume,
    Close,
}

impl State {
    pub const ALL: [Self; 5] = [
        Self::Draft,
        Self::Preparing,
        Self::Open,
        Self::Paused,
        Self::Closed,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Preparing => "preparing",
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether volunteers may know of it.
    pub fn is_public(self) -> bool {
        matches!(self, Self::Open | Self::Paused | Self::Closed)
    }

    /// The state after an action. An action that was done already may be repeated.
    pub fn after(self, action: Action) -> Result<Self, Problem> {
        match (action, self) {
            (Action::Publish, Self::Draft) => Ok(Self::Preparing),
            (Action::Publish, Self::Preparing | Self::Open) => Ok(self),
            (Action::Pause, Self::Open | Self::Paused) => Ok(Self::Paused),
            (Action::Resume, Self::Paused | Self::Open) => Ok(Self::Open),
            (Action::Close, Self::Preparing | Self::Open | Self::Paused | Self::Closed) => {
                Ok(Self::Closed)
            }
            _ => Err(Problem::conflict("state_conflict", self.explain(action))),
        }
    }

    fn explain(self, action: Action) -> String {
        let (verb, needed) = match action {
            Action::Publish => ("published", "a draft; clone it to run it again"),
            Action::Pause => ("paused", "open"),
            Action::Resume => ("resumed", "paused"),
            Action::Close => ("closed", "published"),
        };
        format!(
            "The campaign is {}; to be {verb} it must be {needed}.",
            self.as_str()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_goes_from_draft_to_closed_and_never_back() {
        let mut state = State::Draft;
        state = state.after(Action::Publish).unwrap();
        assert_eq!(state, State::Preparing);
        assert!(state.after(Action::Pause).is_err());
        state = State::Open.after(Action::Pause).unwrap();
        state = state.after(Action::Resume).unwrap();
        state = state.after(Action::Close).unwrap();
        for action in [Action::Publish, Action::Pause, Action::Resume] {
            assert!(state.after(action).is_err());
        }
    }

    #[test]
    fn a_campaign_that_was_published_by_mistake_can_be_closed_while_it_is_prepared() {
        assert_eq!(
            State::Preparing.after(Action::Close).unwrap(),
            State::Closed
        );
        assert!(State::Draft.after(Action::Close).is_err());
    }

    #[test]
    fn an_action_may_be_repeated() {
        assert_eq!(
            State::Preparing.after(Action::Publish).unwrap(),
            State::Preparing
        );
        assert_eq!(State::Paused.after(Action::Pause).unwrap(), State::Paused);
        assert_eq!(State::Closed.after(Action::Close).unwrap(), State::Closed);
    }
}
