//! Campaigns of the tags of one push.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::Pushed;
use crate::{
    campaigns::{self, Running},
    http::Problem,
    state::App,
};

/// Campaigns by the names that the push has for them; none where there is no such campaign.
#[derive(Default)]
pub struct Campaigns(HashMap<String, Known>);

struct Known {
    campaign: Result<Arc<Running>, Problem>,
    /// It was not taken from the cache, which may be older than what the volunteer saw.
    is_fresh: bool,
}

impl Campaigns {
    /// Loads the campaign once, and once more past the cache when it does not know the tag type.
    pub async fn learn(&mut self, app: &App, pushed: &Pushed) -> Result<(), Problem> {
        let name = &pushed.campaign;
        if !self.0.contains_key(name) {
            let campaign = campaigns::running(app, name).await;
            self.learn_this(name, campaign, false)?;
        }
        let has_type = |known: &Known| {
            let campaign = known.campaign.as_ref();
            campaign.is_ok_and(|found| found.tag_types.contains_key(&pushed.tag_type))
        };
        if !self
            .0
            .get(name)
            .is_some_and(|known| known.is_fresh || has_type(known))
        {
            let campaign = campaigns::load_running(app, name).await.map(Arc::new);
            self.learn_this(name, campaign, true)?;
        }
        Ok(())
    }

    fn learn_this(
        &mut self,
        name: &str,
        campaign: Result<Arc<Running>, Problem>,
        is_fresh: bool,
    ) -> Result<(), Problem> {
        match campaign {
            Err(problem) if !problem.status().is_client_error() => Err(problem),
            campaign => {
                let known = Known { campaign, is_fresh };
                self.0.insert(name.to_owned(), known);
                Ok(())
            }
        }
    }

    /// Errors: 404 for one that there is not.
    pub fn find(&self, name: &str) -> Result<&Running, Problem> {
        match self.0.get(name) {
            Some(Known {
                campaign: Ok(campaign),
                ..
            }) => Ok(campaign),
            Some(Known {
                campaign: Err(problem),
                ..
            }) => Err(problem.clone()),
            None => Err(Problem::internal(&"a campaign was not loaded")),
        }
    }

    /// Its id, as far as it is known.
    pub fn id(&self, name: &str) -> Option<Uuid> {
        match self.0.get(name) {
            Some(Known {
                campaign: Ok(campaign),
                ..
            }) => Some(campaign.id),
            _ => name.parse().ok(),
        }
    }
}
