// All words of the page in English; other languages have the same keys. `{name}` is filled in.

export const en = {
  title: "{symbol} {price} – Tickwire",
  // Panes
  watchlist: "Watchlist", watchlistCaption: "Watched symbols with last price, change, bid, ask, size, volume and age",
  book: "Order book", bookCaption: "Price levels of {symbol}: price, size and total from the best level",
  trades: "Trades", tradesCaption: "Newest trades of {symbol}, newest first",
  chart: "Chart", depth: "Depth", depthSummary: "{symbol}: {bids} bid for within {levels} levels, {asks} offered.",
  asks: "Asks", bids: "Bids",
  // Columns
  symbol: "Symbol", last: "Last", change: "Chg %", bid: "Bid", ask: "Ask", size: "Size", volume: "Volume", trend: "3 min", age: "Age",
  price: "Price", total: "Total", time: "Time", side: "Side", open: "Open", high: "High", low: "Low", close: "Close",
  spread: "Spread", mid: "Mid", crossed: "crossed", buy: "buy", sell: "sell", unknown: "unknown",
  sortBy: "Sort by {column}", volume24: "Volume 24 h",
  // Connection
  live: "LIVE", replayAt: "REPLAY {speed}", reconnecting: "RECONNECTING (attempt {attempt}, next in {seconds} s)",
  reconnectingNow: "RECONNECTING (attempt {attempt})", connecting: "CONNECTING", stale: "STALE", offline: "OFFLINE", closed: "CLOSED",
  saysLive: "Connected, live.", saysReplay: "Replay of a recording. This is not live.", saysReconnecting: "Connection lost, reconnecting.",
  saysStale: "The line is silent: prices may be old.", saysOffline: "This machine has no network.", saysClosed: "Not connected: {reason}",
  roundTrip: "Round trip", dataAge: "Data age", roundTripShort: "RTT", dataAgeShort: "Age", average: "{span} average",
  second: "1 s", minute: "1 min", fiveMinutes: "5 min", reconnects: "Reconnects", published: "Published", delivered: "Delivered", coalesced: "Coalesced", skipped: "Skipped",
  pending: "Pending", gaps: "Gaps told", behind: "This page reads slower than the market: the server merges for it.", keepingUp: "Keeping up",
  mode: "Mode", coalescing: "Coalescing", session: "Session", server: "Server", subject: "Subject", reason: "Reason", details: "Connection details",
  ledgerNote: "The server's own account: published = delivered + coalesced + skipped + pending.", connectAgain: "Connect again", connectNow: "Now",
  // States of a symbol
  state_live: "live", state_waiting: "waiting", state_silent: "no line", state_void: "book lost", state_closed: "closed", state_halted: "halted", state_suspect: "suspect",
  state_stale: "stale", state_source_down: "feed down", state_quiet_expected: "quiet", state_delayed: "delayed",
  delayed: "D", delayedBy: "Delayed by {span}", bookVoid: "Updates of this book were lost. Its state is awaited.", bookWaiting: "No levels yet.",
  noTrades: "No trade yet.", noBars: "No bars of this interval yet.",
  // Trades
  minSize: "Least size", newTrades: "{count} new", toNewest: "{count} new trades: go to the newest", summaryOf: "{count} trades in one line", summaryTitle: "{count} trades that came faster than they could be sent one by one: {low} to {high}, volume {volume}, bought {buy}, sold {sell}",
  passedOver: "{count} trades that came faster than they could be shown one by one: {low} to {high}, volume {volume}",
  // Chart
  interval: "Interval", goLive: "Go to live", goNewest: "Go to the newest", chartSummary: "{symbol}, {interval} bars: open {open}, high {high}, low {low}, close {close}, volume {volume}; {change} over the last {count} bars.",
  barsCaption: "The last {count} bars of {symbol}, {interval}", barEnds: "Bar ends in", loadingHistory: "Loading older bars…", chartKeys: "Chart. Left and right arrows scroll, plus and minus zoom, End goes to live.",
  attribution: "Charts by TradingView",
  // Ladder
  grouping: "Group by", recenter: "Back to the middle", levelsFrom: "From level {level}", setAlertAt: "Alert at {price}",
  // Replay
  replay: "Replay", recording: "Recording", play: "Play", pause: "Pause", step: "One event on", speed: "Speed", position: "Place in the recording", goTo: "Time, or go to", goToHow: "A time, as 14:30 or 2026-11-20 14:30:05, and Enter", noTime: "“{text}” is no time. Write one as 14:30 or 2026-11-20 14:30:05.", outOfRecording: "{time} is not in the recording: it goes from {from} to {to}.", jumpLive: "Jump to live",
  startReplay: "Replay", replayFrom: "Replay from here", running: "running", records: "{count} records", max: "max", replayBadge: "REPLAY – not live", late: "{ms} late",
  noRecordings: "Nothing is recorded.", noRecordingsHow: "To switch recording on, set folder = \"recordings\" under [recording] in the server's configuration and start it again.", noReplayScope: "Your token does not give replays: its scopes need \"replay\".",
  phase_opening: "opening", phase_seeking: "seeking", phase_paused: "paused", phase_playing: "playing", phase_finished: "finished", phase_live: "live", phase_failed: "failed", phase_closed: "closed",
  slower: "Slower", faster: "Faster",
  // Alerts
  alerts: "Alerts", newAlert: "New alert", noAlerts: "No alerts. Choose a price in the order book, or press A.", field: "Watch", field_last_price: "Last price", field_bid_price: "Bid", field_ask_price: "Ask", field_change_percent: "Change %",
  above: "above", below: "below", repeat: "Each time", bound: "Price", set: "Set alert", clear: "Clear {alert}", cancel: "Cancel", condition: "Condition",
  alertHappened: "{symbol}: {field} {value} is {direction} {bound}", alertText: "{symbol} {field} {direction} {bound}", dismiss: "Dismiss", dismissAll: "Dismiss all", moreAlerts: "{count} more",
  alert_waiting: "no price yet", alert_refused: "not watched", alert_armed: "armed", alert_beyond: "beyond", alert_done: "happened", firedTimes: "{count}×", boundInvalid: "A number, as {example}.", alreadyBeyond: "The value is beyond this already: it has to come back first.", atMost: "Alerts are watched by the server, also while this page is closed.",
  // Search
  search: "Find a symbol", searchHint: "Type a symbol", noMatch: "No symbol matches “{text}”.", add: "Add {symbol} to the watchlist", remove: "Remove {symbol} from the watchlist", watchedMark: "watched",
  results: "Symbols",
  // Settings
  zoneUtc: "UTC", zoneLocal: "Local", zoneTitle: "Times in UTC or local, in all panes", theme: "Theme", theme_auto: "System", theme_dark: "Dark", "theme_light": "Light", "theme_blue-orange": "Blue / orange",
  language: "Language", layout: "Layout", layout_desk: "Desk", layout_chart: "Chart", layout_book: "Book", keys: "Keys", settings: "Settings", pane: "Pane", closeDialog: "Close",
  // Getting in
  entering: "Connecting…", signIn: "Sign in", signInHow: "This server wants a token. Make one with", token: "Token", signInNote: "It is kept in this page's memory only: not in the address, not in the browser.", enter: "Connect",
  gone: "The server does not answer", goneHow: "It is asked again every two seconds. To start one:", noSymbols: "No symbols", noSymbolsHow: "Your token shows no streams, or the server has no feed. A token for all:", tooLong: "Lists of up to {count} symbols can be sorted by values.", emptyList: "No symbols are watched.", emptyListHow: "Press / to find one.",
  // Overlay
  overlay: "Performance", fps: "Frames/s", frameTime: "Frame time, worst", flushRate: "Flushes/s", recordRate: "Records/s", longTasks: "Long tasks/min", busy: "Painting", 
  // Keys
  key_search: "Find a symbol", key_rows: "Rows", key_open: "Open the row", key_escape: "Back; dismiss what has happened", key_help: "These keys", key_intervals: "Intervals", key_theme: "Theme", key_zone: "UTC or local",
  key_layout: "Layout", key_alert: "New alert", key_recenter: "Book back to the middle", key_replay: "Replay", key_space: "Play or pause", key_step: "One event on; with Shift a hundred", key_speed: "Slower, faster", key_live: "Jump to live", key_overlay: "Performance", key_remove: "Remove the row",
  footer: "Simulated or recorded data is marked as such by its feed.", tradesShort: "Trades", notices: "Licences",
};

export type Texts = { [K in keyof typeof en]: string };
