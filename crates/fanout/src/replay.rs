//! What a reader that comes back is sent first.

use crate::coalesce::{Rest, Turn, changes, oldest, snapshot};
use crate::item::{GapCause, Item};
use crate::ledger::Account;
use crate::options::Options;
use crate::out::{Facts, Out};
use crate::topic::{Log, Topic};

/// Sends what a reader that came back lacks, event by event, up to `until`. What has left the log
/// meanwhile is lost.
pub(crate) fn replay(
    topic: &mut Topic,
    options: &Options,
    until: u64,
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = Facts::of(topic);
    let mut out = Out::new(&facts, options, account, items);
    match &mut topic.log {
        Log::Trades(views) => oldest(views.open(options.filter.as_ref()), until, &mut out),
        Log::Newest(views) => oldest(views.open(options.filter.as_ref()), until, &mut out),
        Log::Each(lane) => oldest(lane, until, &mut out),
        Log::Bars(bars) => oldest(&mut bars.lane, until, &mut out),
        Log::Books(books) => {
            let Some(index) = books.view(options.depth, options.checksum) else { return Turn::default() };
            let lack = books.views[index].lane.ring.lack(out.account.stands());
            if lack.overrun {
                out.turn.rest = Rest::Overrun;
            } else {
                changes(&mut books.views[index], until, &mut out);
            }
        }
    }
    let turn = out.turn;
    if turn.rest == Rest::Overrun { lost(topic, options, true, account, items) } else { turn }
}

/// What the reader lacks is no longer kept: says so, and sends the state. `ranged`: its place is known.
pub(crate) fn lost(
    topic: &mut Topic,
    options: &Options,
    ranged: bool,
    account: &mut Account,
    items: &mut Vec<Item>,
) -> Turn {
    let facts = Facts::of(topic);
    let head = topic.head_of(options);
    let mut out = Out::new(&facts, options, account, items);
    if !ranged {
        out.stranger();
    } else if out.account.place < head {
        out.gap(head, GapCause::CursorExpired);
    }
    let weight = out.turn.weight;
    let turn = snapshot(topic, options, account, items);
    Turn { weight: turn.weight + weight, ..turn }
}
