//! Who listens on a port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::machine::Machine;

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) pid: u32,
    pub(super) name: String,
}

/// What a line of the table says of a socket that listens.
const LISTENS: &str = "0A";

/// Whoever listens where `address` cannot be listened on because of it; `None` where that cannot be told: it is of
/// another user, or in another name space.
pub(super) fn owner(machine: &Machine, address: SocketAddr) -> Option<Owner> {
    let tables: Vec<_> =
        ["proc/net/tcp", "proc/net/tcp6"].iter().filter_map(|table| machine.text(table)).collect();
    let lines = tables.iter().flat_map(|table| table.lines());
    let inodes: Vec<_> =
        lines.filter_map(|line| listener(line, address)).map(|inode| format!("socket:[{inode}]")).collect();
    for process in std::fs::read_dir(machine.path("proc")).ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // Those of others cannot be looked into.
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let has = |file: std::fs::DirEntry| {
            let target = std::fs::read_link(file.path());
            target.is_ok_and(|target| inodes.iter().any(|inode| target == Path::new(inode)))
        };
        if files.flatten().any(has) {
            let name = machine.text(&format!("proc/{pid}/comm")).unwrap_or_default();
            return Some(Owner { pid, name });
        }
    }
    None
}

/// The inode of a socket that listens at an address, or at all of them.
fn listener(line: &str, address: SocketAddr) -> Option<&str> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [_, local, _, state, _, _, _, _, _, inode, ..] = fields[..] else { return None };
    let (ip, port) = local.split_once(':')?;
    let (ip, port) = (host(ip)?, u16::from_str_radix(port, 16).ok()?);
    let meets = ip == address.ip() || ip.is_unspecified() || address.ip().is_unspecified();
    (state == LISTENS && port == address.port() && meets).then_some(inode)
}

/// Words of four bytes, each in the order of the machine.
fn host(text: &str) -> Option<IpAddr> {
    let words = text.as_bytes().chunks(8).map(|word| {
        let word = u32::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()?;
        Some(word.to_ne_bytes())
    });
    let bytes = words.collect::<Option<Vec<_>>>()?.concat();
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).to_canonical()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let found = owner(&Machine::here(), address).unwrap();
        assert_eq!(found.pid, std::process::id());
        drop(listener);
        assert_eq!(owner(&Machine::here(), address), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_the_table() {
        let line =
            "  1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 4711 1 x";
        let at = |address: &str| listener(line, address.parse().unwrap());
        assert_eq!(at("127.0.0.1:8080"), Some("4711"));
        assert_eq!(at("0.0.0.0:8080"), Some("4711"));
        assert_eq!([at("127.0.0.2:8080"), at("127.0.0.1:8081")], [None, None]);
        assert_eq!(host("00000000000000000000000001000000"), Some(IpAddr::from(Ipv6Addr::LOCALHOST)));
        assert_eq!(host("0000000000000000FFFF00000100007F"), Some(IpAddr::from(Ipv4Addr::LOCALHOST)));
    }
}
