//! Listening sockets on their way from one process to another.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg, sockopt,
};

/// The public listener and that for operators.
pub(super) const LISTENERS: usize = 2;

/// Sends them along with a byte, without which they could not travel.
pub(super) fn send(stream: &UnixStream, listeners: &[OwnedFd; LISTENERS]) -> io::Result<()> {
    let borrowed: [BorrowedFd<'_>; LISTENERS] = listeners.each_ref().map(AsFd::as_fd);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(LISTENERS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&borrowed));
    sendmsg(stream, &[IoSlice::new(b"\n")], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Takes them from the other process.
pub(super) fn receive(stream: &UnixStream) -> io::Result<Vec<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(LISTENERS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut into = [IoSliceMut::new(&mut byte)];
    let received = recvmsg(stream, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let rights = |message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    };
    Ok(control.drain().filter_map(rights).flatten().collect())
}

/// The process on the other side, where it is of the same user.
pub(super) fn ours(stream: &UnixStream) -> io::Result<Option<u32>> {
    let peer = sockopt::socket_peercred(stream)?;
    let is_ours = peer.uid == rustix::process::getuid();
    Ok(is_ours.then(|| peer.pid.as_raw_nonzero().get().unsigned_abs()))
}
