//! Records and headers, made by hand.

use super::super::{NO_PRICE, NO_TIME, flag, kind};

pub(super) const LAST: u8 = flag::LAST;
pub(super) const SNAP: u8 = flag::SNAPSHOT;
/// 2024-01-02T00:00:00Z.
pub(super) const DAY: u64 = 1_704_153_600_000_000_000;

pub(super) fn record(of: u8, id: u32, at: u64, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from((16 + body.len()) / 4).unwrap();
    let mut bytes = vec![len, of];
    bytes.extend(1_u16.to_le_bytes());
    bytes.extend(id.to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend(body);
    bytes
}

/// An MBO record of instrument 7: order, action and side (`A+` adds a bid), price in whole units, size, flags.
pub(super) fn mbo(order: u64, what: &str, price: i64, size: u32, flags: u8) -> Vec<u8> {
    let [action, side] = what.as_bytes() else { panic!("{what}") };
    let side = match side {
        b'+' => b'B',
        b'-' => b'A',
        _ => b'N',
    };
    let mut body = order.to_le_bytes().to_vec();
    body.extend(if price == NO_PRICE { price } else { price * 1_000_000_000 }.to_le_bytes());
    body.extend(size.to_le_bytes());
    body.extend([flags, 0, *action, side]);
    body.extend((DAY + order).to_le_bytes());
    body.extend([0; 4]);
    body.extend(900_u32.to_le_bytes());
    record(kind::MBO, 7, DAY, &body)
}

/// A record with best prices: bid, ask, and sizes, level after level.
pub(super) fn mbp(of: u8, what: &str, flags: u8, pairs: &[(i64, u32, i64, u32)]) -> Vec<u8> {
    let [action, side] = what.as_bytes() else { panic!("{what}") };
    let mut body = 5_000_000_000_i64.to_le_bytes().to_vec();
    body.extend(3_u32.to_le_bytes());
    body.extend([*action, *side, flags, 0]);
    body.extend(NO_TIME.to_le_bytes());
    body.extend([0; 4]);
    body.extend(901_u32.to_le_bytes());
    let depth = match of {
        kind::TRADE => 0,
        kind::MBP_10 => 10,
        _ => 1,
    };
    for at in 0..depth {
        let (bid, bids, ask, asks) = pairs.get(at).copied().unwrap_or((NO_PRICE, 0, NO_PRICE, 0));
        for price in [bid, ask] {
            body.extend(if price == NO_PRICE { price } else { price * 1_000_000_000 }.to_le_bytes());
        }
        body.extend(bids.to_le_bytes());
        body.extend(asks.to_le_bytes());
        body.extend([0; 8]);
    }
    record(of, 7, DAY, &body)
}

pub(super) fn padded(text: &str, len: usize) -> Vec<u8> {
    let mut field = text.as_bytes().to_vec();
    field.resize(len, 0);
    field
}

/// A symbol, and the numbers that it was, each from a day to another.
pub(super) type Mapping<'a> = (&'a str, &'a [(u32, u32, &'a str)]);

/// A header of version 3.
pub(super) fn header(mappings: &[Mapping<'_>]) -> Vec<u8> {
    let mut body = padded("GLBX.MDP3", 16);
    body.extend([0; 26]);
    body.extend([1, 0, 0]);
    body.extend(71_u16.to_le_bytes());
    body.extend([0; 53]);
    body.extend([0; 16]);
    body.extend(u32::try_from(mappings.len()).unwrap().to_le_bytes());
    for (symbol, intervals) in mappings {
        body.extend(padded(symbol, 71));
        body.extend(u32::try_from(intervals.len()).unwrap().to_le_bytes());
        for (from, to, meant) in *intervals {
            body.extend(from.to_le_bytes());
            body.extend(to.to_le_bytes());
            body.extend(padded(meant, 71));
        }
    }
    let mut bytes = b"DBN\x03".to_vec();
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}
