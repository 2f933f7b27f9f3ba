//! Captures made by hand, for tests.

/// A packet with a time in nanoseconds, under Ethernet, with `payload` in a datagram of UDP.
pub(crate) fn udp(payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4(payload))
}

pub(crate) fn ethernet(of: u16, packet: &[u8]) -> Vec<u8> {
    [&[1; 12], &of.to_be_bytes()[..], packet].concat()
}

/// As [`udp`], to another port.
pub(crate) fn udp_to(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = udp(payload);
    packet[36..38].copy_from_slice(&port.to_be_bytes());
    packet
}

fn datagram(payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 8).unwrap();
    [&[0, 1, 0, 2], &len.to_be_bytes()[..], &[0, 0], payload].concat()
}

pub(crate) fn ipv4(payload: &[u8]) -> Vec<u8> {
    let datagram = datagram(payload);
    let len = u16::try_from(datagram.len() + 20).unwrap();
    [&[0x45, 0], &len.to_be_bytes()[..], &[0, 0, 0x40, 0, 1, 17, 0, 0], &[9; 8], &datagram].concat()
}

/// With a header of options between.
pub(crate) fn ipv6(payload: &[u8]) -> Vec<u8> {
    let datagram = datagram(payload);
    let len = u16::try_from(datagram.len() + 8).unwrap();
    [&[0x60, 0, 0, 0], &len.to_be_bytes()[..], &[0, 1], &[9; 32], &[17, 0, 0, 0, 0, 0, 0, 0], &datagram]
        .concat()
}

/// A classic capture with times in nanoseconds.
pub(crate) fn pcap(packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    classic(true, true, 1, packets)
}

pub(crate) fn classic(big: bool, nanos: bool, link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let field = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut bytes = field(if nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }).to_vec();
    bytes.extend([0; 12]);
    bytes.extend(field(65_535));
    bytes.extend(field(link));
    for (at, packet) in packets {
        let (len, fraction) = (u32::try_from(packet.len()).unwrap(), at % 1_000_000_000);
        bytes.extend(field(u32::try_from(at / 1_000_000_000).unwrap()));
        bytes.extend(field(u32::try_from(if nanos { fraction } else { fraction / 1_000 }).unwrap()));
        bytes.extend([field(len), field(len)].concat());
        bytes.extend(packet);
    }
    bytes
}
