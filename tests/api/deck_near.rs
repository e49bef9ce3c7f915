//! `near`: a volunteer stays in one neighbourhood, at whichever server, and outruns nobody.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::{
    App, Cell,
    fixtures::{at_once, cells_of, claims},
    json,
};

#[tokio::test]
async fn who_stays_near_walks_from_neighbour_to_neighbour() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(12, 12).open().await;
    let volunteer = app.volunteer().await;
    let mut at = campaign.cells[0].step(5, 5);
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let dealt = campaign
            .wish(&volunteer, json!({"near": at.middle()}))
            .await;
        let next = cells_of(&dealt)[0];
        assert_eq!(dealt["assignments"][0]["reason"], "near");
        assert!(at.distance(next) <= 4, "{at} to {next}");
        assert!(seen.insert(next), "{next} twice");
        campaign.look_at(&volunteer, next).await;
        at = next;
    }
}

#[tokio::test]
async fn near_does_not_outrun_the_others() {
    let app = App::start().await;
    let campaign = app.campaign().cells(8, 8).looks_wanted(9).open().await;
    let centre = campaign.cells[0].step(4, 4);
    let mut times: BTreeMap<Cell, u32> = BTreeMap::new();
    for _ in 0..40 {
        let wish = json!({"near": centre.middle(), "count": 4});
        for cell in cells_of(&campaign.wish(&app.volunteer().await, wish).await) {
            *times.entry(cell).or_default() += 1;
        }
    }
    let most = times.values().max().unwrap();
    let least = campaign
        .cells
        .iter()
        .map(|cell| times.get(cell).copied().unwrap_or_default())
        .min()
        .unwrap();
    assert!(most - least <= 2, "{times:?}");
}

#[tokio::test]
async fn who_stays_near_in_a_large_campaign_is_never_led_away() {
    let app = App::builder().servers(2).start().await;
    let campaign = app.campaign().cells(60, 60).open().await;
    let crowd = app.volunteers(6).await;
    let mut places: Vec<Cell> = (0..6)
        .map(|n| campaign.cells[0].step(10 + 8 * n, 50 - 8 * n))
        .collect();
    let mut steps = Vec::new();
    for round in 0..25 {
        let asked = at_once(crowd.iter().zip(&places).map(|(volunteer, place)| {
            let server = &app.servers[round % 2].url;
            let path = campaign.path("/assignments");
            let wish = json!({"near": place.middle()});
            volunteer.at(server).post(&path).json(wish)
        }))
        .await;
        for (place, answer) in places.iter_mut().zip(&asked) {
            let dealt = answer.expect(200);
            assert_eq!(dealt["assignments"][0]["reason"], "near", "{dealt}");
            let next = cells_of(&dealt)[0];
            steps.push(place.distance(next));
            *place = next;
        }
    }
    let farthest = *steps.iter().max().unwrap();
    assert!(farthest <= 12, "{steps:?}");
    steps.sort_unstable();
    assert!(steps[steps.len() / 2] <= 4, "{steps:?}");
}

#[tokio::test]
async fn the_nearest_squares_come_first() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(40, 40).open().await;
    let centre = campaign.cells[0].step(20, 20);
    let wish = json!({"near": centre.middle(), "count": 9});
    let dealt = cells_of(&campaign.wish(&app.volunteer().await, wish).await);
    assert_eq!(dealt[0], centre);
    assert!(
        dealt.iter().all(|cell| centre.distance(*cell) <= 2),
        "{dealt:?}"
    );
}

#[tokio::test]
async fn many_near_many_places_cost_few_statements() {
    let app = App::builder().servers(1).start().await;
    let campaign = app.campaign().cells(64, 64).looks_wanted(50).open().await;
    let crowd = app.volunteers(16).await;
    let place = |n: usize| {
        let n = u32::try_from(n).unwrap();
        campaign.cells[0].step(8 + 16 * (n % 4), 8 + 16 * (n / 4))
    };
    let ask_all = || {
        at_once(crowd.iter().enumerate().map(|(n, volunteer)| {
            let path = campaign.path("/assignments");
            volunteer
                .post(&path)
                .json(json!({"near": place(n).middle()}))
        }))
    };
    ask_all().await;
    let before = claims(&app).await;
    for _ in 0..100 {
        for answer in ask_all().await {
            assert_eq!(answer.expect(200)["assignments"][0]["reason"], "near");
        }
    }
    // A claim is three statements.
    let claims = claims(&app).await - before;
    assert!(claims * 3.0 / 1600.0 <= 0.02, "{claims} claims");
}
