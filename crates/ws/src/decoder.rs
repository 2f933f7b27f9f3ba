//! Frames of a client, decoded from slices of any cut.

use crate::assembly::Assembly;
use crate::fault::Fault;
use crate::frame::{CONTROL_BYTES_MAX, FIN, Opcode, RSV, RSV1};
use crate::input::Input;
use crate::mask;
use crate::message::Kind;

/// What a client may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes.
    pub message_bytes: usize,
    /// Longest message that came compressed, in bytes after inflating; no more than any other.
    pub inflated_bytes: usize,
    /// Most frames of one message.
    pub frames: u32,
}

/// Something that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A whole text message.
    Text(String),
    /// A whole binary message.
    Binary(Vec<u8>),
    /// A ping, with its payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// A close frame, with its code where it has one.
    Close(Option<u16>),
}

/// The decoder of one connection. Between messages it holds no buffer.
pub struct Decoder {
    limits: Limits,
    /// Compression was negotiated.
    deflate: bool,
    stage: Stage,
    head: [u8; HEAD_BYTES_MAX],
    filled: u8,
    frame: Frame,
    message: Option<Box<Assembly>>,
    control: Vec<u8>,
}

/// A client's frame header, at most.
const HEAD_BYTES_MAX: usize = 14;

/// Which part of a frame comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Flags, opcode, first byte of the length.
    Start,
    /// The rest of the length.
    Length,
    Mask,
    Payload,
}

/// The frame whose payload is under way.
#[derive(Clone, Copy, Debug)]
struct Frame {
    opcode: Opcode,
    last: bool,
    mask: [u8; 4],
    left: u64,
}

impl Decoder {
    /// A decoder at the beginning of a connection. `deflate`: compression was negotiated.
    #[must_use]
    pub const fn new(limits: Limits, deflate: bool) -> Self {
        let frame = Frame { opcode: Opcode::Continuation, last: false, mask: [0; 4], left: 0 };
        Self {
            limits,
            deflate,
            stage: Stage::Start,
            head: [0; HEAD_BYTES_MAX],
            filled: 0,
            frame,
            message: None,
            control: Vec::new(),
        }
    }

    /// Takes bytes from the front of `input`, which it unmasks in place, up to the end of the next
    /// thing that the client sent. `None` when all were taken and more are needed.
    ///
    /// # Errors
    /// The client broke a rule. There is no way to go on after that.
    pub fn decode(&mut self, input: &mut Input<'_>) -> Result<Option<Incoming>, Fault> {
        loop {
            if self.stage != Stage::Payload && !self.read_head(input)? {
                return Ok(None);
            }
            let incoming = self.read_payload(input)?;
            if incoming.is_some() || self.stage == Stage::Payload {
                return Ok(incoming);
            }
        }
    }

    /// Bytes of memory that are held for a message under way.
    #[must_use]
    pub fn held(&self) -> usize {
        self.control.capacity() + self.message.as_ref().map_or(0, |message| message.capacity())
    }

    /// Reads a header, and judges each part of it as soon as it is there.
    fn read_head(&mut self, input: &mut Input<'_>) -> Result<bool, Fault> {
        loop {
            let wanted = match self.stage {
                Stage::Start => 2,
                Stage::Length => 2 + self.length_bytes(),
                Stage::Mask | Stage::Payload => 6 + self.length_bytes(),
            };
            let filled = usize::from(self.filled);
            let part = input.take(wanted - filled);
            self.head[filled..filled + part.len()].copy_from_slice(part);
            self.filled += part.len().to_le_bytes()[0];
            if usize::from(self.filled) < wanted {
                return Ok(false);
            }
            match self.stage {
                Stage::Start => {
                    self.check_start()?;
                    self.stage = Stage::Length;
                }
                Stage::Length => {
                    self.frame.left = self.check_length()?;
                    self.stage = Stage::Mask;
                }
                Stage::Mask | Stage::Payload => {
                    self.frame.mask.copy_from_slice(&self.head[wanted - 4..wanted]);
                    self.begin();
                    return Ok(true);
                }
            }
        }
    }

    /// How many bytes the length has beside the first.
    const fn length_bytes(&self) -> usize {
        match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    fn check_start(&mut self) -> Result<(), Fault> {
        let [first, second, ..] = self.head;
        let opcode = Opcode::parse(first)?;
        let compressible = self.deflate && matches!(opcode, Opcode::Text | Opcode::Binary);
        let reserved = if compressible { RSV & !RSV1 } else { RSV };
        if first & reserved != 0 {
            return Err(Fault::ReservedBit);
        }
        if second & 0x80 == 0 {
            return Err(Fault::Unmasked);
        }
        let last = first & FIN != 0;
        match (opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(Fault::Continuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(Fault::Interleaved),
            _ if !opcode.is_control() => {}
            _ if usize::from(second & 0x7f) > CONTROL_BYTES_MAX => return Err(Fault::ControlTooLong),
            _ if !last => return Err(Fault::ControlFragmented),
            _ => {}
        }
        self.frame.opcode = opcode;
        self.frame.last = last;
        Ok(())
    }

    /// The length, if it is well-formed and within the limit.
    fn check_length(&self) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        let (length, shortest) = match self.length_bytes() {
            0 => (u64::from(self.head[1] & 0x7f), 0),
            2 => (u64::from(u16::from_be_bytes([self.head[2], self.head[3]])), 126),
            _ => {
                bytes.copy_from_slice(&self.head[2..10]);
                (u64::from_be_bytes(bytes), 0x1_0000)
            }
        };
        if length < shortest || length >> 63 != 0 {
            return Err(Fault::Length);
        }
        if self.frame.opcode.is_control() {
            return Ok(length);
        }
        let message = self.message.as_deref();
        let (received, frames) = message.map_or((0, 0), |message| (message.received, message.frames));
        if length > self.wire_bytes_max().saturating_sub(received) {
            return Err(Fault::MessageTooLong);
        }
        if frames >= self.limits.frames {
            return Err(Fault::TooManyFrames);
        }
        Ok(length)
    }

    /// What a message may have on the wire: data that cannot be compressed grows a little.
    const fn wire_bytes_max(&self) -> u64 {
        let bytes = self.limits.message_bytes as u64;
        if self.deflate { bytes + bytes / 16 + 64 } else { bytes }
    }

    fn begin(&mut self) {
        self.stage = Stage::Payload;
        let compressed = self.head[0] & RSV1 != 0;
        let kind = match self.frame.opcode {
            Opcode::Text => Kind::Text,
            Opcode::Binary => Kind::Binary,
            _ => {
                if let (Opcode::Continuation, Some(message)) = (self.frame.opcode, &mut self.message) {
                    message.frames += 1;
                }
                return;
            }
        };
        let mut message = Assembly::new(kind, compressed);
        message.frames = 1;
        self.message = Some(Box::new(message));
    }

    fn read_payload(&mut self, input: &mut Input<'_>) -> Result<Option<Incoming>, Fault> {
        let wanted = usize::try_from(self.frame.left).unwrap_or(usize::MAX);
        let bytes = input.take(wanted);
        mask::remove(bytes, &mut self.frame.mask);
        self.frame.left -= bytes.len() as u64;
        let opcode = self.frame.opcode;
        if opcode.is_control() {
            self.control.extend_from_slice(bytes);
        } else if let Some(message) = &mut self.message {
            message.push(bytes, &self.limits)?;
        }
        if self.frame.left > 0 {
            return Ok(None);
        }
        self.stage = Stage::Start;
        self.filled = 0;
        match opcode {
            Opcode::Ping => Ok(Some(Incoming::Ping(std::mem::take(&mut self.control)))),
            Opcode::Pong => {
                self.control = Vec::new();
                Ok(Some(Incoming::Pong))
            }
            Opcode::Close => {
                let payload = std::mem::take(&mut self.control);
                Ok(Some(Incoming::Close(crate::close::parse(&payload)?)))
            }
            _ if !self.frame.last => Ok(None),
            _ => self.message.take().map(|message| message.finish(&self.limits)).transpose(),
        }
    }
}
