//! Listening sockets that the service manager has opened, by name.

use std::env;
use std::net::TcpListener;

use anyhow::{Context, bail};
use gateway::Given;
use listenfd::ListenFd;

/// What `FileDescriptorName=` says of a socket; where it says nothing, they come in this order.
const NAMES: [&str; 2] = ["clients", "operators"];

/// The sockets that this process was given.
pub(crate) fn given() -> anyhow::Result<Given> {
    let mut passed = ListenFd::from_env();
    let names = env::var("LISTEN_FDNAMES").ok();
    let names: Option<Vec<_>> = names.as_deref().map(|names| names.split(':').collect());
    let mut given = Given::default();
    for index in 0..passed.len() {
        let name = match &names {
            Some(names) => names.get(index).copied(),
            None => NAMES.get(index).copied(),
        };
        let name = name.with_context(|| format!("the service manager passes {} sockets", passed.len()))?;
        let place = place(&mut given, name)?;
        let listener = passed.take_tcp_listener(index);
        let listener = listener.with_context(|| format!("the socket {name:?} of the service manager"))?;
        if listener.is_some() && place.is_some() {
            bail!("the service manager passes two sockets {name:?}: one is served");
        }
        *place = listener;
    }
    Ok(given)
}

fn place<'a>(given: &'a mut Given, name: &str) -> anyhow::Result<&'a mut Option<TcpListener>> {
    match name {
        "clients" => Ok(&mut given.clients),
        "operators" => Ok(&mut given.operators),
        _ => bail!(
            "the service manager passes a socket {name:?}: FileDescriptorName= is one of {}",
            NAMES.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_have_known_names() {
        let mut given = Given::default();
        for name in NAMES {
            assert!(place(&mut given, name).is_ok());
        }
        let error = place(&mut given, "tickwire.socket").unwrap_err().to_string();
        assert!(error.ends_with("FileDescriptorName= is one of clients, operators"), "{error}");
    }
}
