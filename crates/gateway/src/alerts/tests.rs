//! Alerts, by scripts and held against the plain way.

use std::str::FromStr;

use fanout::Sequencer;
use model::{Body, Instrument, Price, Side, Size, Symbol, Tick, Trade, UnixNanos, Venue};
use proptest::prelude::*;

use wire::{AlertEntry, AlertState, Bound};

use super::*;

const NOW: UnixNanos = UnixNanos(7);

/// Trades of one symbol, in their order.
struct Market {
    sequencer: Sequencer,
    alerts: Alerts,
}

impl Market {
    fn new() -> Self {
        Self { sequencer: Sequencer::default(), alerts: Alerts::default() }
    }

    fn trade(&mut self, price: &str) -> SymbolId {
        let instrument = Arc::new(Instrument::named(symbol(), Venue::new("v"), "B"));
        let (price, size) = (Price::parse(price).unwrap(), Size::parse("1").unwrap());
        let body = Body::Trade(Trade { id: None, price, size, side: Side::Buy });
        let tick = Tick { instrument, ts_event: None, ts_source: None, ts_recv: None, body };
        let event = self.sequencer.push(tick, UnixNanos(7)).unwrap().unwrap();
        self.alerts.look(std::slice::from_ref(&event));
        event.topic.symbol
    }

    fn set(&self, owner: &Owner, name: &str, bound: Bound, repeat: bool) -> bool {
        let set = AlertSet {
            alert: name.to_owned(),
            symbol: symbol(),
            field: AlertField::LastPrice,
            bound,
            repeat,
            armed: false,
        };
        self.alerts.set(owner, set, id(), NOW).unwrap().0
    }

    fn is_idle(&self) -> bool {
        self.alerts.lock().lines.iter().flatten().all(Line::is_idle)
    }

    fn news(&self, owner: &Owner, since: u64) -> (Vec<AlertEntry>, u64) {
        let (told, edition) = self.alerts.news(owner, since);
        (told.into_iter().map(Told::entry).collect(), edition)
    }

    fn list(&self, owner: &Owner) -> Vec<AlertEntry> {
        self.alerts.list(owner).into_iter().map(Told::entry).collect()
    }
}

fn symbol() -> Symbol {
    Symbol::parse("BTC-USD").unwrap()
}

/// The symbol's number, the same in every market.
fn id() -> SymbolId {
    Market::new().trade("1")
}

fn owner(subject: &str) -> Owner {
    Owner { tenant: None, subject: subject.into(), is_guest: subject.starts_with("guest:") }
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

#[test]
fn it_happens_at_the_edge_and_once() {
    let (mut market, alice) = (Market::new(), owner("alice"));
    market.trade("99");
    assert!(!market.set(&alice, "up", Bound::Above(decimal("100")), false));
    for price in ["99.5", "100", "100.00"] {
        market.trade(price);
        assert_eq!(market.list(&alice)[0].fired, 0, "at {price} it is not above");
    }
    market.trade("100.010");
    let [entry] = &market.list(&alice)[..] else { panic!("there is one") };
    let last = entry.last.as_ref().unwrap();
    assert_eq!((entry.fired, entry.state, &*last.value, last.sequence), (1, AlertState::Done, "100.010", 5));
    market.trade("99");
    market.trade("101");
    assert_eq!(market.list(&alice)[0].fired, 1);
    assert_eq!(market.alerts.clear(&alice, "up"), Some(1));
    assert_eq!(market.alerts.clear(&alice, "up"), None);
    assert!(market.list(&alice).is_empty() && market.is_idle());
}

/// Who sets an alert on a value that is beyond is told so, and not that it crossed.
#[test]
fn what_is_beyond_has_to_come_back() {
    let (mut market, alice) = (Market::new(), owner("alice"));
    market.trade("99");
    assert!(market.set(&alice, "down", Bound::Below(decimal("100")), true));
    market.trade("98");
    assert_eq!((market.list(&alice)[0].fired, market.list(&alice)[0].state), (0, AlertState::Beyond));
    market.trade("100");
    assert_eq!(market.list(&alice)[0].state, AlertState::Armed);
    market.trade("99.99");
    assert_eq!((market.list(&alice)[0].fired, market.list(&alice)[0].state), (1, AlertState::Beyond));
    // Set anew, it begins anew.
    assert!(market.set(&alice, "down", Bound::Below(decimal("100")), true));
    assert_eq!(market.list(&alice)[0].fired, 0);
}

/// An alert that was armed elsewhere: what has crossed meanwhile is told, by the value that is there or by the first.
#[test]
fn an_edge_that_nobody_saw_is_told() {
    for comes_first in [true, false] {
        let (mut market, alice) = (Market::new(), owner("alice"));
        if comes_first {
            market.trade("101");
        }
        let edition = market.alerts.attend(&alice, NOW, &Arc::default());
        let bounds =
            [Bound::Above(decimal("100")), Bound::Below(decimal("102")), Bound::Above(decimal("101"))];
        for (n, bound) in bounds.into_iter().enumerate() {
            for armed in [true, false] {
                let alert = format!("{n}{armed}");
                let set = AlertSet {
                    alert,
                    symbol: symbol(),
                    field: AlertField::LastPrice,
                    bound,
                    repeat: n == 1,
                    armed,
                };
                market.alerts.set(&alice, set, id(), NOW).unwrap();
            }
        }
        if !comes_first {
            assert!(market.news(&alice, edition).0.is_empty());
            assert!(market.list(&alice).iter().all(|one| one.state == AlertState::Waiting));
            market.trade("101");
        }
        let (news, _) = market.news(&alice, edition);
        let news: Vec<_> = news.iter().map(|one| (&*one.alert, one.fired, one.state)).collect();
        assert_eq!(news, [("0true", 1, AlertState::Done), ("1true", 1, AlertState::Beyond)]);
        let (news, _) = market.news(&alice, edition);
        assert_eq!(news[0].last.as_ref().map(|last| (&*last.value, last.sequence)), Some(("101", 1)));
        market.trade("103");
        market.trade("101.5");
        let fired: Vec<_> = market.list(&alice).iter().map(|one| one.fired).collect();
        assert_eq!(fired, [0, 1, 1, 2, 1, 1], "by name: false before true");
    }
}

/// The first value that there is crosses nothing; from then on it is that of all.
#[test]
fn a_value_is_that_of_all() {
    let (mut market, alice) = (Market::new(), owner("alice"));
    assert!(!market.set(&alice, "up", Bound::Above(decimal("100")), false));
    market.trade("101");
    assert_eq!((market.list(&alice)[0].fired, market.list(&alice)[0].state), (0, AlertState::Beyond));
    let bob = owner("bob");
    assert!(!market.set(&bob, "up", Bound::Above(decimal("200")), false));
    assert!(market.set(&bob, "down", Bound::Below(decimal("200")), false));
    market.trade("201");
    let fired: Vec<_> = market.list(&bob).iter().map(|entry| (entry.alert.clone(), entry.fired)).collect();
    assert_eq!(fired, [("down".to_owned(), 0), ("up".to_owned(), 1)]);
}

/// Guests whose tokens have ended leave no alerts behind, and others have room whatever guests do.
#[test]
fn guests_make_room() {
    let (market, id) = (Market::new(), id());
    let guest = |n: usize| Owner {
        tenant: Some(format!("guest:{}", n / TENANT_ALERTS_MAX).into()),
        ..owner(&format!("guest:{n}"))
    };
    let set = || AlertSet {
        alert: "a".to_owned(),
        symbol: symbol(),
        field: AlertField::LastPrice,
        bound: Bound::Above(decimal("2")),
        repeat: false,
        armed: false,
    };
    let bell = Arc::new(Bell::default());
    market.alerts.attend(&guest(0), NOW.later(10), &bell);
    for n in 0..GUEST_ALERTS_MAX {
        market.alerts.attend(&guest(n), NOW.later(10), &Arc::default());
        market.alerts.set(&guest(n), set(), id, NOW).unwrap();
    }
    let late = guest(GUEST_ALERTS_MAX + TENANT_ALERTS_MAX);
    assert_eq!(market.alerts.set(&late, set(), id, NOW), Err(TooMany::Server));
    assert_eq!(market.alerts.set(&owner("alice"), set(), id, NOW), Ok((false, 0)));
    // Who is still there keeps what it has.
    assert_eq!(market.alerts.set(&late, set(), id, NOW.later(10)), Ok((false, 0)));
    let inner = market.alerts.lock();
    assert_eq!((inner.kept.len(), inner.of_guests, inner.tenants.len(), inner.owners.len()), (3, 2, 2, 3));
}

#[test]
fn alerts_are_their_owners() {
    let (mut market, alice, bob) = (Market::new(), owner("alice"), owner("bob"));
    market.trade("99");
    let hers = Owner { tenant: Some("acme".into()), ..alice.clone() };
    for (owner, at) in [(&alice, "100"), (&bob, "200"), (&hers, "300")] {
        market.set(owner, "up", Bound::Above(decimal(at)), false);
    }
    market.trade("150");
    let fired = [&alice, &bob, &hers].map(|owner| market.list(owner)[0].fired);
    assert_eq!(fired, [1, 0, 0]);
}

/// A session hears once of what happened since it last asked, however often it did.
#[test]
fn news_are_what_has_changed() {
    let (mut market, alice) = (Market::new(), owner("alice"));
    let bell = Arc::new(Bell::default());
    let cx = std::task::Context::from_waker(std::task::Waker::noop());
    market.trade("99");
    let mut edition = market.alerts.attend(&alice, NOW, &bell);
    market.set(&alice, "a", Bound::Above(decimal("100")), true);
    market.set(&alice, "b", Bound::Above(decimal("200")), true);
    assert!(!bell.poll_heard(&cx));
    for price in ["101", "99", "102"] {
        market.trade(price);
    }
    assert!(bell.poll_heard(&cx) && !bell.poll_heard(&cx));
    let (news, next) = market.news(&alice, edition);
    assert_eq!(news.iter().map(|entry| (&*entry.alert, entry.fired)).collect::<Vec<_>>(), [("a", 2)]);
    edition = next;
    assert!(market.news(&alice, edition).0.is_empty());
    market.trade("201");
    let (news, _) = market.news(&alice, edition);
    assert_eq!(news.iter().map(|entry| &*entry.alert).collect::<Vec<_>>(), ["b"]);
    // Nobody is left.
    market.alerts.leave(&alice, NOW, &bell);
    assert!(market.alerts.lock().owners[&alice].bells.is_empty());
    for name in ["a", "b"] {
        market.alerts.clear(&alice, name);
    }
    market.alerts.leave(&alice, NOW, &bell);
    assert!(market.alerts.lock().owners.is_empty());
}

#[test]
fn a_subject_has_so_many() {
    let (market, alice) = (Market::new(), owner("alice"));
    for n in 0..SUBJECT_ALERTS_MAX {
        market.set(&alice, &format!("a{n}"), Bound::Above(decimal("1")), false);
    }
    let set = |name: &str| AlertSet {
        alert: name.to_owned(),
        symbol: symbol(),
        field: AlertField::LastPrice,
        bound: Bound::Above(decimal("2")),
        repeat: false,
        armed: false,
    };
    let id = id();
    assert_eq!(market.alerts.set(&alice, set("one more"), id, NOW), Err(TooMany::Subject));
    assert_eq!(market.alerts.set(&alice, set("a7"), id, NOW), Ok((false, 0)), "in the place of another");
    for n in 0..ALERTS_MAX / SUBJECT_ALERTS_MAX - 1 {
        for m in 0..SUBJECT_ALERTS_MAX {
            market.alerts.set(&owner(&format!("s{n}")), set(&format!("{m}")), id, NOW).unwrap();
        }
    }
    assert_eq!(market.alerts.set(&owner("bob"), set("b"), id, NOW), Err(TooMany::Server));
}

#[test]
fn a_tenant_has_so_many() {
    let (market, id) = (Market::new(), id());
    let of = |n: usize| Owner { tenant: Some("acme".into()), ..owner(&format!("s{n}")) };
    for n in 0..TENANT_ALERTS_MAX {
        market.set(&of(n % 20), &format!("a{n}"), Bound::Above(decimal("1")), false);
    }
    let set = || AlertSet {
        alert: "more".to_owned(),
        symbol: symbol(),
        field: AlertField::LastPrice,
        bound: Bound::Above(decimal("2")),
        repeat: false,
        armed: false,
    };
    assert_eq!(market.alerts.set(&of(99), set(), id, NOW), Err(TooMany::Tenant));
    market.alerts.clear(&of(0), "a0");
    assert_eq!(market.alerts.set(&of(99), set(), id, NOW), Ok((false, 0)));
    for n in 0..TENANT_ALERTS_MAX {
        market.alerts.clear(&of(n % 20), &format!("a{n}"));
    }
    market.alerts.clear(&of(99), "more");
    assert!(market.alerts.lock().tenants.is_empty());
}

proptest! {
    /// Held against the plain way: each alert looks at each pair of values.
    #[test]
    fn crossings_are_those_of_the_plain_way(
        prices in prop::collection::vec(1_i64..12, 1..60),
        bounds in prop::collection::vec((1_i64..12, any::<bool>(), any::<bool>(), 0_usize..60), 1..12),
    ) {
        let (mut market, alice) = (Market::new(), owner("alice"));
        for (at, price) in prices.iter().enumerate() {
            for (n, (bound, above, repeat, when)) in bounds.iter().enumerate() {
                if *when == at {
                    let bound = Decimal::from(*bound);
                    let bound = if *above { Bound::Above(bound) } else { Bound::Below(bound) };
                    market.set(&alice, &format!("{n}"), bound, *repeat);
                }
            }
            market.trade(&price.to_string());
        }
        for entry in market.list(&alice) {
            let (bound, above, repeat, when) = bounds[entry.alert.parse::<usize>().unwrap()];
            let beyond = |price: i64| if above { price > bound } else { price < bound };
            let pairs = prices.windows(2).skip(when.saturating_sub(1));
            let crossed = pairs.filter(|pair| !beyond(pair[0]) && beyond(pair[1])).count() as u64;
            prop_assert_eq!(entry.fired, if repeat { crossed } else { crossed.min(1) }, "{:?}", entry);
        }
    }
}
