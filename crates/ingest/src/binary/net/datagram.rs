//! Datagrams of UDP out of packets, under Ethernet and its like, IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::bytes::array;
use super::super::error::BinaryError;

/// Kinds of networks.
const NULL: u32 = 0;
const ETHERNET: u32 = 1;
const RAW: [u32; 5] = [12, 14, 101, 228, 229];
const LOOP: u32 = 108;
const LINUX: u32 = 113;
const LINUX_2: u32 = 276;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
/// Tags of virtual networks.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const UDP: u8 = 17;

/// Where a datagram was sent: address and port, of a group of receivers mostly.
pub(crate) type Target = (IpAddr, u16);

/// What a datagram carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Datagram<'a> {
    pub(super) to: Target,
    pub(super) payload: &'a [u8],
    /// Bytes at its end that the capture has not kept.
    pub(super) lacks: usize,
}

/// The datagram of a packet; `None` for a packet of another kind.
///
/// # Errors
/// The packet contradicts itself, or is a part of one.
pub(super) fn datagram(link: u32, packet: &[u8]) -> Result<Option<Datagram<'_>>, BinaryError> {
    let short = |least| BinaryError::Short { what: "a packet", len: packet.len(), least };
    let at = |from: usize| packet.get(from..).ok_or(short(from));
    match link {
        ETHERNET => by_type(u16::from_be_bytes(*at(12)?.first_chunk().ok_or(short(14))?), at(14)?),
        LINUX => by_type(u16::from_be_bytes(*at(14)?.first_chunk().ok_or(short(16))?), at(16)?),
        LINUX_2 => by_type(u16::from_be_bytes(*packet.first_chunk().ok_or(short(20))?), at(20)?),
        NULL | LOOP => internet(at(4)?),
        _ if RAW.contains(&link) => internet(packet),
        code => Err(BinaryError::Code { what: "kind of network", code }),
    }
}

/// What is of a type, which may stand behind tags.
fn by_type(mut of: u16, mut packet: &[u8]) -> Result<Option<Datagram<'_>>, BinaryError> {
    while TAGS.contains(&of) {
        let short = BinaryError::Short { what: "a packet with a tag", len: packet.len(), least: 4 };
        let (tag, rest) = packet.split_first_chunk::<4>().ok_or(short)?;
        (of, packet) = (half(tag, 2), rest);
    }
    if matches!(of, IPV4 | IPV6) { internet(packet) } else { Ok(None) }
}

/// A packet of either version, which its first digit tells.
fn internet(packet: &[u8]) -> Result<Option<Datagram<'_>>, BinaryError> {
    let short = |least| BinaryError::Short { what: "a packet", len: packet.len(), least };
    match packet.first().map(|first| first >> 4) {
        Some(4) if packet.len() < 20 => Err(short(20)),
        Some(4) => {
            let (header, whole) = (usize::from(packet[0] & 0xf) * 4, usize::from(half(packet, 2)));
            if packet[9] != UDP {
                return Ok(None);
            }
            if half(packet, 6) & 0x3fff != 0 {
                return Err(BinaryError::Fragment);
            }
            if header < 20 || packet.len() < header {
                return Err(short(header.max(20)));
            }
            // Behind it may be bytes that only fill the packet up; 0 is told by some network cards.
            let end = if whole < header { packet.len() } else { whole };
            let to = Ipv4Addr::from(array::<4>(packet, 16));
            udp(to.into(), &packet[header..packet.len().min(end)])
        }
        Some(6) if packet.len() < 40 => Err(short(40)),
        Some(6) => {
            let end = 40 + usize::from(half(packet, 4));
            let to = Ipv6Addr::from(array::<16>(packet, 24));
            let (mut next, mut rest) = (packet[6], &packet[40..packet.len().min(end)]);
            loop {
                match next {
                    UDP => return udp(to.into(), rest),
                    44 => return Err(BinaryError::Fragment),
                    // Options that stand between.
                    0 | 43 | 60 => {
                        let &[of, len, ..] = rest else { return Err(short(48)) };
                        let len = (usize::from(len) + 1) * 8;
                        (next, rest) = (of, rest.get(len..).ok_or(short(40 + len))?);
                    }
                    _ => return Ok(None),
                }
            }
        }
        _ => Ok(None),
    }
}

fn udp(to: IpAddr, packet: &[u8]) -> Result<Option<Datagram<'_>>, BinaryError> {
    let short = BinaryError::Short { what: "a datagram", len: packet.len(), least: 8 };
    if packet.len() < 8 {
        return Err(short);
    }
    let len = usize::from(half(packet, 4));
    if len < 8 {
        return Err(BinaryError::Short { what: "a datagram", len, least: 8 });
    }
    let payload = &packet[8..packet.len().min(len)];
    Ok(Some(Datagram { to: (to, half(packet, 2)), payload, lacks: len - 8 - payload.len() }))
}

fn half(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array(bytes, at))
}

#[cfg(test)]
mod tests {
    use super::super::made::{ethernet, ipv4, ipv6, udp};
    use super::*;

    fn payload(link: u32, packet: &[u8]) -> String {
        match datagram(link, packet) {
            Ok(Some(found)) => format!("{} -{}", String::from_utf8_lossy(found.payload), found.lacks),
            Ok(None) => "other".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn datagrams_under_all_that_carries_them() {
        let (four, six) = (ipv4(b"data"), ipv6(b"data"));
        let tagged = [&[0, 5, 0x88, 0xa8, 0, 6][..], &0x0800_u16.to_be_bytes(), &four].concat();
        let mut filled = ethernet(0x0800, &four);
        filled.extend([0; 18]);
        for (link, packet) in [
            (1, udp(b"data")),
            (1, ethernet(0x86dd, &six)),
            (1, ethernet(0x8100, &tagged)),
            (1, filled),
            (101, four.clone()),
            (229, six.clone()),
            (0, [&[2, 0, 0, 0][..], &four].concat()),
            (113, [&[0; 14][..], &[0x08, 0], &four].concat()),
            (276, [&[0x86, 0xdd][..], &[0; 18], &six].concat()),
            (113, [&[0; 14][..], &[0x81, 0], &tagged].concat()),
            (276, [&[0x81, 0][..], &[0; 18], &tagged].concat()),
        ] {
            assert_eq!(payload(link, &packet), "data -0", "{link}");
        }
        for (link, packet, wanted) in [
            (1, ethernet(0x0806, &four), "other"),
            (1, ethernet(0x0800, &[&four[..9], &[6], &four[10..]].concat()), "other"),
            (
                1,
                ethernet(0x0800, &[&four[..6], &[0x20, 0], &four[8..]].concat()),
                "a part of a divided packet",
            ),
            (1, udp(b"data")[..44].to_vec(), "da -2"),
            (1, udp(b"data")[..40].to_vec(), "a datagram of 6 bytes, at least 8 are needed"),
            (1, vec![0; 13], "a packet of 13 bytes, at least 14 are needed"),
            (1, ethernet(0x8100, &[0; 3]), "a packet with a tag of 3 bytes, at least 4 are needed"),
            (147, vec![], "unknown kind of network 147"),
        ] {
            assert_eq!(payload(link, &packet), wanted);
        }
        // The address is that of the receiver, and so is the port.
        for (packet, to) in
            [(udp(b"data"), "9.9.9.9"), (ethernet(0x86dd, &six), "909:909:909:909:909:909:909:909")]
        {
            let found = datagram(1, &packet).unwrap().unwrap();
            assert_eq!(found.to, (to.parse().unwrap(), 2));
        }
        // Cut anywhere, nothing panics.
        for whole in [udp(b"data"), ethernet(0x86dd, &six), ethernet(0x8100, &tagged)] {
            for cut in 0..whole.len() {
                let _ = datagram(1, &whole[..cut]);
            }
        }
    }
}
