//! What can be made to go wrong, by name.

use std::str::FromStr;
use std::time::Duration;

macro_rules! kinds {
    ($($variant:ident $name:literal $stage:ident $doc:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name it goes by.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it does, in words.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }

            pub(crate) const fn stage(self) -> Stage {
                match self { $(Self::$variant => Stage::$stage,)* }
            }
        }
    };
}

/// Where it strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A connection comes.
    Connect,
    /// A client subscribes.
    Subscribe,
    /// A client pings.
    Ping,
    /// An update of a book goes out.
    Update,
    /// A book is asked for over REST.
    Rest,
}

kinds! {
    Refuse "refuse" Connect "The connection is closed before a word.",
    Hang "hang" Connect "The handshake is never answered.",
    GarbageHandshake "garbage_handshake" Connect "The handshake is answered with noise, as where TLS and plain meet.",
    Connect429 "connect_429" Connect "The handshake is answered 429, with Retry-After.",
    Connect418 "connect_418" Connect "The handshake is answered 418, with Retry-After.",
    Connect503 "connect_503" Connect "The handshake is answered 503.",
    BadAccept "bad_accept" Connect "The handshake is answered with a wrong key.",
    SlowHandshake "slow_handshake" Connect "The handshake is answered late (ms).",
    RefuseSubscribe "refuse_subscribe" Subscribe "A subscription is refused.",
    LoseAck "lose_ack" Subscribe "A subscription stands, but its answer is lost.",
    LoseSubscribe "lose_subscribe" Subscribe "A subscription is answered, but nothing comes of it.",
    NoSnapshot "no_snapshot" Subscribe "A subscription of a book is answered, but its snapshot is lost.",
    LateSnapshot "late_snapshot" Subscribe "The snapshot comes behind the first updates.",
    IgnorePing "ignore_ping" Ping "Pings are not answered, and nothing else is sent.",
    Drop "drop" Update "An update is lost.",
    Duplicate "duplicate" Update "An update comes twice.",
    Repeat "repeat" Update "An update comes again, after the next three.",
    Reorder "reorder" Update "Two updates change places.",
    Delay "delay" Update "Nothing comes for a while (ms), then all of it.",
    Cut "cut" Update "The connection ends in the middle of a frame.",
    Reset "reset" Update "The connection is reset.",
    Eof "eof" Update "The connection ends without a goodbye.",
    Close "close" Update "The connection is closed with a code.",
    Maintenance "maintenance" Update "The venue says that it ends the connection, and does (ms later).",
    Lifetime "lifetime" Update "The connection is closed as after 24 hours.",
    Freeze "freeze" Update "Nothing comes any more; the connection stays open.",
    HalfOpen "half_open" Update "Nothing is sent nor read any more.",
    Trickle "trickle" Update "The frame comes byte by byte (ms in all).",
    BadChecksum "bad_checksum" Update "The checksum is wrong.",
    WrongSequence "wrong_sequence" Update "The number is wrong.",
    SequenceReset "sequence_reset" Update "The numbering begins anew from far below.",
    ClockForward "clock_forward" Update "The venue's time is a day ahead.",
    ClockBack "clock_back" Update "The venue's time is a day behind.",
    Huge "huge" Update "A frame that says it has 40 MB.",
    BadUtf8 "bad_utf8" Update "A text that is no UTF-8.",
    Binary "binary" Update "A binary frame instead of text.",
    BadOpcode "bad_opcode" Update "A frame of a kind that is not.",
    ReservedBits "reserved_bits" Update "A frame with reserved bits.",
    Masked "masked" Update "A masked frame, which no server sends.",
    NotJson "not_json" Update "A text that is no JSON.",
    Truncated "truncated" Update "Half a JSON.",
    WrongTypes "wrong_types" Update "A list where a text should be.",
    LongNumber "long_number" Update "A price of forty digits.",
    NotNumber "not_number" Update "A price that is no number.",
    NegativeSize "negative_size" Update "A size below zero.",
    Crossed "crossed" Update "A bid above every offer.",
    UnknownSymbol "unknown_symbol" Update "Beside the update one of an instrument that nobody asked for.",
    UnknownChannel "unknown_channel" Update "Beside the update a message of an unknown kind.",
    ExtraFields "extra_fields" Update "Fields that nobody knows.",
    EmptyUpdate "empty_update" Update "Beside the update one without a level.",
    EmptyText "empty_text" Update "Beside the update an empty text.",
    Rest429 "rest_429" Rest "The snapshot is answered 429, with Retry-After.",
    Rest418 "rest_418" Rest "The snapshot is answered 418, with Retry-After.",
    Rest500 "rest_500" Rest "The snapshot is answered 500.",
    RestTimeout "rest_timeout" Rest "The snapshot is never answered.",
    RestReset "rest_reset" Rest "The connection is reset instead of an answer.",
    RestGarbage "rest_garbage" Rest "The snapshot is a page of HTML.",
    RestTruncated "rest_truncated" Rest "The snapshot ends in the middle.",
    RestStale "rest_stale" Rest "The snapshot is an old one.",
    RestRefuse "rest_refuse" Rest "The instrument is refused (400).",
    RestBadUtf8 "rest_bad_utf8" Rest "The snapshot is no UTF-8.",
}

/// A fault that is to happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// After so many updates of books on a connection, or the so-many-th connection, subscription, request (from 0).
    pub at: u64,
    /// How often.
    pub count: u64,
    /// Only on the so-many-th connection (from 0).
    pub conn: Option<u64>,
    /// How long, where that means something; the seconds of `Retry-After` are these, rounded up.
    pub ms: u64,
    /// The close code.
    pub code: u16,
}

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultError {
    /// No such kind.
    #[error("unknown fault {0:?}; known are {known}", known = names())]
    Kind(String),
    /// No such argument.
    #[error("{0:?}: a fault is KIND or KIND:at=20,count=1,conn=0,ms=1000,code=1001")]
    Argument(String),
}

fn names() -> String {
    Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

impl Fault {
    /// A fault of that kind, as it is without arguments.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        let at = if matches!(kind.stage(), Stage::Update) { 20 } else { 0 };
        let count = match kind {
            Kind::ClockForward | Kind::ClockBack => 20,
            _ => 1,
        };
        Self { kind, at, count, conn: None, ms: 1_000, code: 1001 }
    }

    pub(crate) const fn pause(&self) -> Duration {
        Duration::from_millis(self.ms)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, arguments) = text.split_once(':').unwrap_or((text, ""));
        let kind = Kind::ALL.iter().find(|kind| kind.name() == name);
        let mut fault = Self::new(*kind.ok_or_else(|| FaultError::Kind(name.to_owned()))?);
        for argument in arguments.split(',').filter(|argument| !argument.is_empty()) {
            let refused = || FaultError::Argument(argument.to_owned());
            let (key, value) = argument.split_once('=').ok_or_else(refused)?;
            let number: u64 = value.parse().map_err(|_| refused())?;
            match key {
                "at" => fault.at = number,
                "count" => fault.count = number,
                "conn" => fault.conn = Some(number),
                "ms" => fault.ms = number,
                "code" => fault.code = u16::try_from(number).map_err(|_| refused())?,
                _ => return Err(refused()),
            }
        }
        Ok(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_written_as_kind_and_arguments() {
        assert_eq!("drop".parse(), Ok(Fault::new(Kind::Drop)));
        let fault = "close:at=3,count=2,conn=1,code=4000".parse::<Fault>().unwrap();
        assert_eq!((fault.at, fault.count, fault.conn, fault.code), (3, 2, Some(1), 4000));
        assert!("explode".parse::<Fault>().unwrap_err().to_string().contains("unknown fault \"explode\""));
        for bad in ["drop:at", "drop:at=x", "drop:when=3", "close:code=70000"] {
            assert!(matches!(bad.parse::<Fault>(), Err(FaultError::Argument(_))), "{bad}");
        }
        assert!(Kind::ALL.len() >= 40);
    }
}
