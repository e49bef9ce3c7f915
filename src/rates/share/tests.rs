//! Servers, recalls and batches in any order over one number.

use proptest::prelude::*;

use super::*;

/// Servers that count one caller in one window together, with recalls that arrive late.
struct Model {
    limit: u32,
    shared: Option<u64>,
    servers: Vec<Share>,
    /// Servers that have not heard of a recall.
    unheard: Vec<bool>,
    passed: u32,
}

#[derive(Clone, Debug)]
enum Event {
    /// A call at a server, and what other calls wait there for.
    Call {
        server: usize,
        units: u32,
        waiting: u32,
    },
    /// A server hears of the recalls.
    Hear { server: usize },
    /// A server gives back what it does not need.
    GiveBack { server: usize },
    /// A call at a server was taken and then refused for another reason.
    PutBack { server: usize },
}

impl Model {
    fn new(limit: u32, servers: usize) -> Self {
        Self {
            limit,
            shared: None,
            servers: vec![Share::new(1000); servers],
            unheard: vec![false; servers],
            passed: 0,
        }
    }

    fn give_back(&mut self, server: usize) {
        let units = u64::from(self.servers[server].take_spare());
        self.shared = self.shared.map(|used| used - units);
    }

    fn hear(&mut self, server: usize) {
        if std::mem::take(&mut self.unheard[server]) {
            self.servers[server].tighten(1);
            self.give_back(server);
        }
    }

    /// One trial of a call: whether it passed.
    fn trial(&mut self, server: usize, units: u32) -> bool {
        let share = &mut self.servers[server];
        if share.take(units) {
            return true;
        }
        let step = share.step(self.limit, units);
        let stepped = step.apply(self.shared);
        if !stepped.is_unchanged {
            self.shared = Some(stepped.used());
        }
        if share.granted(self.limit, step, stepped, 1) {
            self.unheard.fill(true);
            self.unheard[server] = false;
        }
        share.take(units)
    }

    /// A call, which waits for recalls before it is refused.
    fn call(&mut self, server: usize, units: u32) -> bool {
        let mut passes = self.trial(server, units);
        if !passes {
            for server in 0..self.servers.len() {
                self.hear(server);
                if self.servers[server].tight_since_ms != 0 || !is_leased(self.limit) {
                    self.give_back(server);
                }
            }
            passes = self.trial(server, units);
        }
        if passes {
            self.passed += units;
        }
        passes
    }
}

fn events(servers: usize) -> impl Strategy<Value = Vec<Event>> {
    let server = 0..servers;
    let units = prop_oneof![8 => Just(1_u32), 1 => 2..40_u32, 1 => 100..500_u32];
    let waiting = prop_oneof![4 => Just(0_u32), 1 => 1..30_u32];
    let event = prop_oneof![
        16 => (server.clone(), units, waiting)
            .prop_map(|(server, units, waiting)| Event::Call { server, units, waiting }),
        1 => server.clone().prop_map(|server| Event::Hear { server }),
        1 => server.clone().prop_map(|server| Event::GiveBack { server }),
        1 => server.prop_map(|server| Event::PutBack { server }),
    ];
    prop::collection::vec(event, 1..400)
}

fn case() -> impl Strategy<Value = (u32, usize, Vec<Event>)> {
    let limit = prop_oneof![1..40_u32, 400..700_u32, 1_000..6_000_u32];
    (limit, 1..6_usize)
        .prop_flat_map(|(limit, servers)| (Just(limit), Just(servers), events(servers)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_more_than_the_limit_passes_and_nothing_less_is_refused((limit, servers, events) in case()) {
        let mut model = Model::new(limit, servers);
        for event in events {
            match event {
                Event::Call { server, units, waiting } => {
                    model.servers[server].waiting = units + waiting;
                    let passes = model.call(server, units);
                    model.servers[server].waiting = 0;
                    prop_assert!(model.passed <= limit);
                    let held: u32 = (0..servers).filter(|other| *other != server).map(|other| model.servers[other].spare()).sum();
                    if !passes {
                        prop_assert_eq!(held, 0, "others hold units while a call is refused");
                        prop_assert!(model.passed + units > limit, "{} of {} passed, {} refused", model.passed, limit, units);
                    }
                }
                Event::Hear { server } => model.hear(server),
                Event::GiveBack { server } => model.give_back(server),
                Event::PutBack { server } => {
                    if model.trial(server, 1) {
                        model.servers[server].put_back(1);
                    }
                }
            }
            let held: u32 = model.servers.iter().map(Share::spare).sum();
            prop_assert_eq!(model.shared.unwrap_or_default(), u64::from(model.passed + held));
        }
        // Whoever comes alone from now on gets all that is left, to the last unit.
        while model.passed < limit {
            prop_assert!(model.call(0, 1), "{} of {} passed", model.passed, limit);
        }
        prop_assert!(!model.call(servers - 1, 1));
    }

    #[test]
    fn alone_a_server_lets_its_limit_pass_and_tells_it_later(
        limit in 1..2_000_u32, before in 0..600_u32, alone in 0..600_u32, lost in any::<bool>(),
    ) {
        let mut model = Model::new(limit, 1);
        let mut passed = 0;
        for _ in 0..before {
            passed += u32::from(model.call(0, 1));
        }
        for _ in 0..alone {
            passed += u32::from(model.servers[0].take_alone(limit, 1));
        }
        prop_assert_eq!(passed, limit.min(before + alone));
        if lost {
            model.shared = None;
        }
        // Back again: what passed meanwhile counts, also when all was lost.
        while model.call(0, 1) {
            passed += 1;
        }
        prop_assert_eq!(passed, limit);
    }
}

#[test]
fn a_server_asks_for_one_call_in_many_while_much_is_left() {
    let mut model = Model::new(12_000, 1);
    let mut asked = 0;
    for _ in 0..2_000 {
        let before = model.shared;
        assert!(model.call(0, 1));
        asked += u32::from(model.shared != before);
    }
    assert!(asked <= 24, "{asked}");
}

#[test]
fn leases_shrink_and_end_before_the_limit() {
    assert_eq!(ahead(1_000_000), 512);
    assert_eq!(ahead(12_000), 93);
    assert_eq!(ahead(512), 4);
    assert_eq!(ahead(511), 0);
    assert!(is_leased(512) && !is_leased(511));
}
