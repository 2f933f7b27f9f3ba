//! The named bounds of the gateway that are not settings. Each is crossed by a test.

use std::time::Duration;

/// Header lines of a request, and bytes of them, that are read at most.
pub const HEADERS_MAX: usize = 64;
/// See [`HEADERS_MAX`].
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// A client must have sent its request's headers by then.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// A TLS handshake must be done by then.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(10);
/// Open files that are kept for other things than clients.
pub const FILES_KEPT: usize = 64;
/// Connections that wait to be accepted.
pub const BACKLOG: i32 = 8_192;
/// Longest message the echo endpoint sends back.
pub const ECHO_BYTES_MAX: usize = 16 << 20;
/// Longest compressed message it sends back: a few bytes of it are a thousand times as many here.
pub const ECHO_INFLATED_BYTES_MAX: usize = 2 << 20;
/// Frames of one message to the echo endpoint.
pub const ECHO_FRAMES_MAX: u32 = 1 << 18;
/// Frames of one message of a session.
pub const FRAMES_MAX: u32 = 1_024;
/// What is read at a time: one buffer for all connections of a shard.
pub const SCRATCH_BYTES: usize = 16 << 10;
/// Reads for one message before others have their turn.
pub const READS_PER_MESSAGE: usize = 16;
/// Frames that are written with one system call.
pub const GATHERED_MAX: usize = 64;
/// Bytes that a TLS connection may hold unsent, beside what the kernel does.
pub const TLS_UNSENT_BYTES_MAX: usize = 32 << 10;
/// About how many bytes a message has at most, unless one record alone has more.
pub const MESSAGE_BYTES_MAX: usize = 256 << 10;
/// What a session may be sent in one go while its socket takes everything.
pub const BUDGET_OPEN: usize = 256 << 10;
/// What a session may be sent in one go after its socket was full.
pub const BUDGET_FULL: usize = 48 << 10;
/// Bytes the kernel may hold unsent for a socket: what lies there cannot be coalesced any more.
pub const UNSENT_BYTES_MAX: u32 = 16 << 10;
/// How long a close handshake may take.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection stays after a protocol error, so that the close frame is not lost to a reset.
pub const LINGER: Duration = Duration::from_millis(200);
/// Answers that wait for a session: with more, nothing is read from it.
pub const CONTROL_BYTES_MAX: usize = 256 << 10;
/// How long a full socket has to take a goodbye.
pub const GOODBYE_TIMEOUT: Duration = Duration::from_secs(30);
/// Echo connections at a time: they carry large messages for anybody.
pub const ECHO_CONNECTIONS_MAX: usize = 64;
/// Bad requests within [`OFFENCE_WINDOW`] that end a session.
pub const OFFENCES_MAX: usize = 10;
/// See [`OFFENCES_MAX`].
pub const OFFENCE_WINDOW: Duration = Duration::from_secs(60);
/// Requests refused for their rate, one after the other, that end a session.
pub const RATE_REFUSALS_MAX: u32 = 100;
/// Bad tokens that end a session.
pub const BAD_TOKENS_MAX: u32 = 3;
/// How long before its end a session is told that its token runs out.
pub const EXPIRY_NOTICE: Duration = Duration::from_secs(60);
/// Longest token.
pub const TOKEN_BYTES_MAX: usize = 8 << 10;
/// Sets of scopes that are kept in mind, so that sessions with the same share them.
pub const SCOPES_KEPT: usize = 16;
/// Keys of a published set.
pub const JWKS_KEYS_MAX: usize = 100;
/// Bytes of a published set.
pub const JWKS_BYTES_MAX: usize = 256 << 10;
/// How long fetching one may take.
pub const JWKS_TIMEOUT: Duration = Duration::from_secs(10);
/// How soon it is fetched again after a failure, or because a token names a key that is not known.
pub const JWKS_AGAIN: Duration = Duration::from_secs(5);
/// Longest name of a tenant.
pub const TENANT_BYTES_MAX: usize = 128;
/// How soon after a look it is looked for a name again that was not there.
pub const JWKS_LATE: Duration = Duration::from_secs(30);
/// How long a token waits for its key to be fetched.
pub const KEY_WAIT: Duration = Duration::from_secs(2);
/// Names of keys that were looked for in vain, and are kept in mind.
pub const KEY_IDS_MISSED: usize = 256;
/// Longest key id that is looked up.
pub const KEY_ID_BYTES_MAX: usize = 64;
/// What clocks may differ by when a token's times are checked.
pub const CLOCK_LEEWAY: Duration = Duration::from_secs(5);
/// Unknown symbols of one request for which a similar name is looked for.
pub const SUGGESTIONS_MAX: usize = 3;
/// Symbols among which a similar name is looked for.
pub const SUGGESTION_SYMBOLS_MAX: usize = 20_000;
/// Patterns that a session may keep.
pub const PATTERNS_MAX: usize = 64;
/// How long a request to resume waits for what its cursor has seen already; after that it is none of this
/// order's.
pub const EARLY_WAIT: Duration = Duration::from_secs(1);
/// Bytes of what is kept that one request to resume may bring again; what is more counts as gone.
pub const RESUME_BYTES_MAX: usize = 8 << 20;
/// Events that a shard takes in before it serves those who wait for them.
pub const EVENTS_PER_ROUND: usize = 8_192;
/// Events on their way to a shard: more than come in while it serves everybody once. The market waits for
/// a shard, never for a subscriber.
pub const EVENTS_QUEUED: usize = 32_768;
/// The longest delay that a stream can be had with.
pub const DELAY_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Delays of one server: each has logs of its own.
pub const DELAYS_MAX: usize = 8;
/// Delayed updates that are sequenced before those that come.
pub const DUE_PER_LOOK: usize = 1_024;
/// Bytes of messages that lie between a session and a door that is no WebSocket.
pub const PIPE_BYTES_MAX: usize = 64 << 10;
/// Bytes of messages in the answer to one request.
pub const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Bytes of all answers under way: clients that read slowly have theirs in memory.
pub const ANSWERS_BYTES_MAX: usize = 256 << 20;
/// How long a poll waits for news, unless it says otherwise.
pub const POLL_WAIT: Duration = Duration::from_secs(25);
/// The longest that it may say.
pub const POLL_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long a state may take.
pub const STATE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a ticket is good for.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// Tickets that wait to be used.
pub const TICKETS_MAX: usize = 10_000;
/// Those of one subject.
pub const SUBJECT_TICKETS_MAX: usize = 100;
/// Subjects whose rate of requests is kept in mind before those who have been silent are forgotten.
pub const SUBJECTS_KEPT: usize = 4_096;
/// Addresses that are kept in mind before those who have been silent are forgotten.
pub const ADDRESSES_KEPT: usize = 4_096;
/// How long who has too many connections should wait before the next try.
pub const CONNECTION_RETRY: Duration = Duration::from_secs(5);
/// Sessions in one answer to an operator, unless more or less are asked for.
pub const REPORTS: usize = 100;
/// As many at most: each shard stops for as long as that takes.
pub const REPORTS_MAX: usize = 1_000;
/// What is asked of a shard and waits.
pub const ORDERS_QUEUED: usize = 16;
/// Engine.IO sessions that poll, at a time: they hold no connection that would count them.
pub const POLLERS_MAX: usize = 10_000;
/// Bytes that an Engine.IO packet may have beyond the request in it: its type, a callback's number, quotes.
pub const PACKET_MARGIN: usize = 4 << 10;
/// Packets of one payload of a client.
pub const PAYLOAD_PACKETS_MAX: usize = 256;
/// Packets of one payload to a client: a client that is much in use refuses payloads of more.
pub const ANSWER_PACKETS_MAX: usize = 16;
/// A client must have sent its payload by then.
pub const PAYLOAD_TIMEOUT: Duration = Duration::from_secs(10);
/// A change of transport must be done by then.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Requests of a Socket.IO client that wait to be answered: with more, nothing is read from it.
pub const ASKED_MAX: usize = 64;
/// Packets of the Socket.IO door's own that wait for a client: with more, nothing is read from it.
pub const AHEAD_MAX: usize = 16;
/// How often a Socket.IO client may connect to the namespace, a second on average.
pub const CONNECTS_PER_SECOND: u32 = 5;
/// How long a Socket.IO client that polls has to fetch the last words of a session that has ended.
pub const LAST_POLL: Duration = Duration::from_secs(5);
/// Refused attempts of a Socket.IO client to connect that end its session.
pub const CONNECTS_REFUSED_MAX: usize = 5;
/// Binary packets that an event may say to have. They are passed over.
pub const ATTACHMENTS_MAX: u32 = 16;
/// Bytes that are put into a Socket.IO client's WebSocket in one go, unless one message alone has more.
pub const SOCKETIO_FLUSH_BYTES: usize = 32 << 10;
/// What is read at a time from a Socket.IO client's WebSocket.
pub const SOCKETIO_SCRATCH_BYTES: usize = 4 << 10;
/// Pieces of the past that are asked of a shard and wait.
pub const READS_QUEUED: usize = 64;
/// Events that a shard hands out in one piece: it serves its sessions between two of them.
pub const PIECE_EVENTS_MAX: usize = 512;
/// Records in a page of the past, unless more or less are asked for.
pub const PAGE_RECORDS: usize = 500;
/// As many at most.
pub const PAGE_RECORDS_MAX: usize = 5_000;
/// Events that are looked at for one page: where few of them match, it has fewer records.
pub const PAGE_EVENTS_MAX: usize = 65_536;
/// Events that wait to be recorded: a second or so of a busy market. What comes beyond is missing from the recording.
pub const RECORDER_EVENTS_MAX: usize = 1 << 18;
/// Bytes that were recorded and wait for a disk that does not take them.
pub const RECORDER_BYTES_MAX: usize = 64 << 20;
/// How often it is looked for recordings that are more, or older, than is kept.
pub const RECORDINGS_LOOK: Duration = Duration::from_secs(2);
/// How soon a closed segment is tried again that somebody read when it was to be packed anew.
pub const SEAL_AGAIN: Duration = Duration::from_secs(30);
/// Connections on their way to a shard.
pub const ARRIVALS_QUEUED: usize = 64;
/// Messages read from one session before another has its turn.
pub const READS_PER_TURN: usize = 16;
/// Replays of one session.
pub const SESSION_REPLAYS_MAX: usize = 4;
/// Replays and downloads of a server: each has a block of its recording in memory, some 20 MB at most.
pub const REPLAYS_MAX: usize = 64;
/// Those of one subject.
pub const SUBJECT_REPLAYS_MAX: usize = 16;
/// Records that a replay has read ahead, about.
pub const REPLAY_EVENTS_AHEAD: usize = 1_024;
/// Records that are looked at for one, before others have their turn.
pub const REPLAY_RECORDS_LOOKED: usize = 1 << 18;
/// Records that are played between two drains: fewer than a log keeps, so that nothing is merged.
pub const REPLAY_EVENTS_PER_ROUND: usize = 256;
/// About how many bytes these may come to.
pub const REPLAY_BYTES_PER_ROUND: usize = 16 << 10;
/// Records that a session's replays play in one go, before others have their turn.
pub const REPLAY_EVENTS_PER_TURN: usize = 512;
/// Parts of a recording that do not read, and are named one by one.
pub const DAMAGES_TOLD: usize = 20;
/// What a replay may be sent in one go, before others have their turn.
pub const REPLAY_BYTES_PER_TURN: usize = 32 << 10;
/// How often a replay that plays says how it stands.
pub const REPLAY_TOLD: Duration = Duration::from_secs(1);
/// How often it is looked for what was recorded since.
pub const REPLAY_LOOK: Duration = Duration::from_millis(100);
/// How often that is done for one that is to go on live, before it does with a gap.
pub const LIVE_LOOKS_MAX: u32 = 100;
/// How long a guest's token is good; it is given another one in its place.
pub const GUEST_TOKEN_LIFE: Duration = Duration::from_secs(900);
/// Alerts of one subject.
pub const SUBJECT_ALERTS_MAX: usize = 100;
/// Alerts of all subjects of a tenant.
pub const TENANT_ALERTS_MAX: usize = 1_000;
/// Alerts of all guests of a server: others have room whatever they do.
pub const GUEST_ALERTS_MAX: usize = 50_000;
/// Alerts of a server.
pub const ALERTS_MAX: usize = 100_000;
/// A session is told of alerts at most this often.
pub const ALERTS_APART: Duration = Duration::from_millis(250);
/// Recordings that are listed.
pub const RECORDINGS_LISTED: usize = 10_000;
/// Longest id of a request that is taken over from whoever sent it, in bytes.
pub const REQUEST_ID_MAX: usize = 128;
/// Spans that wait for whoever hands them on.
pub const SPANS_QUEUED: usize = 4_096;
/// Updates that a shard follows at a time.
pub const FOLLOWED_MAX: usize = 64;
/// Readers of a followed update that are told of, a shard.
pub const SENDS_FOLLOWED_MAX: usize = 8;
