//! A made day of a share market: orders that come, change, trade and go, as ITCH and as DBN would tell it.

/// What happens to an order.
#[derive(Clone, Copy)]
pub(super) enum Happens {
    Added(Order),
    /// All of it goes.
    Deleted(Order),
    /// A part of it goes.
    Cancelled(Order, u32),
    /// It trades in part or whole.
    Executed(Order, u32),
    /// It becomes another: what it was, and what it is.
    Replaced(Order, Order),
}

#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) id: u64,
    pub(super) share: u16,
    pub(super) buys: bool,
    /// In hundredths.
    pub(super) price: u32,
    pub(super) size: u32,
}

/// Of a hundred events, as days of Nasdaq have them: so many orders come and go, are replaced, trade, are cut.
const ADDED: u64 = 45;
const DELETED: u64 = ADDED + 42;
const REPLACED: u64 = DELETED + 9;
const EXECUTED: u64 = REPLACED + 3;
/// Orders that came last and go first.
const RECENT: usize = 20_000;

pub(super) struct Day {
    /// An order that is replaced keeps its number.
    keeps: bool,
    random: u64,
    shares: u16,
    /// Orders that rest when the market is in full swing.
    resting: usize,
    live: Vec<Order>,
    /// The price around which each share trades.
    middles: Vec<u32>,
    last_id: u64,
}

impl Day {
    pub(super) fn new(shares: u16, resting: usize, keeps: bool) -> Self {
        let mut day = Self {
            keeps,
            random: 88_172_645_463_325_252,
            shares,
            resting,
            live: Vec::new(),
            middles: Vec::new(),
            last_id: 0,
        };
        day.middles = (0..shares).map(|_| 2_000 + day.below(30_000)).collect();
        day
    }

    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.draw() % u64::from(bound.max(1))).unwrap_or(0)
    }

    /// A new order: a few shares have most of them, most are near the middle, a few far away.
    fn order(&mut self) -> Order {
        let part = f64::from(self.below(1 << 20)) / f64::from(1 << 20);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the shares")]
        let share = (part.powi(4) * f64::from(self.shares)) as u16;
        let middle = &mut self.middles[usize::from(share)];
        *middle = match self.random % 64 {
            0 => *middle + 1,
            1 => (*middle - 1).max(1_000),
            _ => *middle,
        };
        let middle = *middle;
        let far = self.draw().is_multiple_of(20);
        let away = if far { 1 + self.below(600) } else { 1 + self.below(12).min(self.below(12)) };
        let buys = self.draw() & 64 == 0;
        let price = if buys { middle.saturating_sub(away).max(1) } else { middle + away };
        self.last_id += 1 + u64::from(self.below(4));
        Order { id: self.last_id, share, buys, price, size: 100 * (1 + self.below(5)) }
    }

    /// An order that rests: mostly one that came not long ago.
    fn pick(&mut self) -> usize {
        let len = u32::try_from(self.live.len()).unwrap_or(u32::MAX);
        let recent = len.min(u32::try_from(RECENT).unwrap_or(u32::MAX));
        let at = if self.draw().is_multiple_of(4) { self.below(len) } else { len - 1 - self.below(recent) };
        at as usize
    }

    pub(super) fn next(&mut self) -> Happens {
        let chance = self.draw() % 100;
        if self.live.len() < self.resting / 2 || (chance < ADDED && self.live.len() < self.resting) {
            let order = self.order();
            self.live.push(order);
            return Happens::Added(order);
        }
        let at = self.pick();
        let was = self.live[at];
        let part = (was.size / 200).max(1) * 100;
        if chance < DELETED || was.size <= part {
            self.live.swap_remove(at);
            return if chance < REPLACED { Happens::Deleted(was) } else { Happens::Executed(was, was.size) };
        }
        if chance < REPLACED {
            let new = self.order();
            let id = if self.keeps { was.id } else { new.id };
            let now = Order { id, share: was.share, buys: was.buys, price: was.price + 1, ..new };
            self.live[at] = now;
            return Happens::Replaced(was, now);
        }
        self.live[at].size -= part;
        if chance < EXECUTED { Happens::Executed(was, part) } else { Happens::Cancelled(was, part) }
    }
}

/// So many messages of ITCH, one after the other in a file.
pub(super) fn itch(messages: usize) -> Vec<u8> {
    let mut day = Day::new(8_000, 600_000, false);
    let (mut bytes, mut time) = (Vec::with_capacity(messages * 34), 34_200_000_000_000_u64);
    for number in 0..messages as u64 {
        time += 1_000;
        let (of, share, body) = match day.next() {
            Happens::Added(order) => (b'A', order.share, [&id(&order)[..], &rest(&order)].concat()),
            Happens::Deleted(was) => (b'D', was.share, id(&was).to_vec()),
            Happens::Cancelled(was, size) => (b'X', was.share, [&id(&was)[..], &size.to_be_bytes()].concat()),
            Happens::Executed(was, size) => {
                (b'E', was.share, [&id(&was)[..], &size.to_be_bytes(), &number.to_be_bytes()].concat())
            }
            Happens::Replaced(was, now) => {
                let price = (now.price * 100).to_be_bytes();
                (b'U', was.share, [&id(&was)[..], &id(&now), &now.size.to_be_bytes(), &price].concat())
            }
        };
        let len = u16::try_from(11 + body.len()).unwrap_or(0);
        bytes.extend(len.to_be_bytes());
        bytes.push(of);
        bytes.extend((share + 1).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(&time.to_be_bytes()[2..]);
        bytes.extend(body);
    }
    bytes
}

fn id(order: &Order) -> [u8; 8] {
    order.id.to_be_bytes()
}

/// What an order of ITCH is, behind its number.
fn rest(order: &Order) -> Vec<u8> {
    let side = if order.buys { b'B' } else { b'S' };
    let name = format!("S{:<7}", order.share);
    [&[side][..], &order.size.to_be_bytes(), name.as_bytes(), &(order.price * 100).to_be_bytes()].concat()
}

const LAST: u8 = 128;
const DBN_HEADER: usize = 8 + 16 + 26 + 3 + 2 + 53 + 4 * 5;

/// So many records of MBO in DBN, behind a header.
pub(super) fn dbn(records: usize) -> Vec<u8> {
    let mut bytes = b"DBN\x03".to_vec();
    bytes.extend(u32::try_from(DBN_HEADER - 8).unwrap_or(0).to_le_bytes());
    bytes.extend(b"GLBX.MDP3");
    bytes.resize(8 + 16 + 26, 0);
    bytes[8 + 16 + 2 + 8..][..8].fill(0xff);
    bytes.extend([1, 0, 0, 71, 0]);
    bytes.resize(DBN_HEADER, 0);
    bytes.reserve(records * 56);
    let (mut day, mut made) = (Day::new(500, 100_000, true), 0);
    let mut record = |order: &Order, action: u8, size: u32, flags: u8, made: &mut usize| {
        let at = 1_704_153_600_000_000_000 + *made as u64 * 1_000;
        bytes.extend([14, 0xa0, 1, 0]);
        bytes.extend((u32::from(order.share) + 1).to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend(order.id.to_le_bytes());
        bytes.extend((i64::from(order.price) * 10_000_000).to_le_bytes());
        bytes.extend(size.to_le_bytes());
        bytes.extend([flags, 0, action, if order.buys { b'B' } else { b'A' }]);
        bytes.extend((at + 100).to_le_bytes());
        bytes.extend([0; 8]);
        *made += 1;
    };
    while made < records {
        match day.next() {
            Happens::Added(order) => record(&order, b'A', order.size, LAST, &mut made),
            Happens::Deleted(was) => record(&was, b'C', was.size, LAST, &mut made),
            Happens::Cancelled(was, size) => record(&was, b'C', size, LAST, &mut made),
            Happens::Executed(was, size) => {
                record(&was, b'T', size, 0, &mut made);
                record(&was, b'F', size, 0, &mut made);
                record(&was, b'C', size, LAST, &mut made);
            }
            Happens::Replaced(_, now) => record(&now, b'M', now.size, LAST, &mut made),
        }
    }
    bytes
}
