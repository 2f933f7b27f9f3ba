// Prints ten changes of two symbols:  TICKWIRE_TOKEN=… node examples/node.mjs ws://127.0.0.1:8080/v1/stream
import { connect, LatestStore } from "@tickwire/client";
import { WebSocket } from "ws"; // Node 22 has one of its own

const url = process.argv[2] ?? "ws://127.0.0.1:8080/v1/stream";
const session = connect({ url, token: () => process.env.TICKWIRE_TOKEN, WebSocket });
session.state.subscribe(({ phase, reason }) => console.error(phase, reason));
session.on("gap", (gap) => console.error("missing", gap));
session.on("violation", (violation) => console.error(violation.message));
session.subscribe({ channels: ["quotes", "book", "status"], symbols: ["BTC-USD", "ETH-USD"], conflate_ms: 100 });

let shown = 0;
new LatestStore(session).onFlush(({ changes }) => {
  for (const { channel, symbol, record } of changes) {
    if (channel !== "quotes" || shown === 10) continue;
    const { state } = session.freshness("quotes", symbol);
    console.log(symbol, record.bid_price, record.ask_price, state, session.book(symbol)?.bestBid?.[1]);
    if (++shown === 10) session.close();
  }
});
