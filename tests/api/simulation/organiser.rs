//! The organiser: gives cells that were reported another imagery layer.

use std::time::Duration;

use super::World;
use crate::harness::{Value, json};

/// How often the list of reported cells is read.
const EVERY: Duration = Duration::from_secs(1);

/// Decides until the campaign is over; gives how many decisions were made.
pub async fn decides(world: &World) -> usize {
    let (app, campaign) = (&world.app, &world.campaign);
    // A cell may be reported once more on the new layer: it then gets the other one.
    let mut layers = Vec::new();
    for _ in 0..2 {
        layers.push(
            app.layer("https://radar.example.org/{z}/{x}/{y}")
                .create()
                .await,
        );
    }
    let path = campaign.path("/cells?state=bad_imagery");
    let mut decided = 0;
    while !world.is_over() {
        let listed = campaign.organiser.get(&path).await.expect(200);
        let reported = listed["cells"].as_array().unwrap().iter();
        let (on_first, others): (Vec<&Value>, Vec<&Value>) =
            reported.partition(|cell| cell["imagery_layer"] == *layers[0]);
        for (reported, layer) in [(on_first, &layers[1]), (others, &layers[0])] {
            let cells: Vec<&Value> = reported.iter().map(|cell| &cell["cell"]).collect();
            if cells.is_empty() {
                continue;
            }
            let told = campaign
                .organiser
                .patch(&campaign.path("/cells"))
                .json(json!({"cells": cells, "imagery_layer": layer}))
                .await
                .expect(200);
            for result in told["results"].as_array().unwrap() {
                assert_eq!(result["verdict"], "changed", "{result}");
                decided += 1;
            }
        }
        world.rest(EVERY).await;
    }
    decided
}
