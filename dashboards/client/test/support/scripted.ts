// A session on a scripted socket, with one stream.

import { connect, type ConnectOptions, type Session } from "../../src/index.js";
import { FakeClock, FakeSocket, settled } from "./fake.js";

export let clock = new FakeClock();

/** Before each test: no session of another one is on its clock. */
export function reset(): void {
  clock = new FakeClock();
  FakeSocket.opened = [];
}

export function open(options: Partial<ConnectOptions> = {}): Session {
  return connect({ url: "wss://host/v1/stream", token: "t", encoding: "json", WebSocket: FakeSocket, clock, random: () => 1, ...options });
}

export const QUOTES = { channels: ["quotes" as const], symbols: ["A"] };

/** A session with one stream that has come to a sequence. */
export async function live(options: Partial<ConnectOptions> = {}): Promise<{ session: Session; socket: FakeSocket }> {
  const session = open(options);
  session.subscribe(QUOTES);
  await settled();
  const socket = await FakeSocket.newest.begin();
  socket.acknowledge("e:1");
  socket.say({ type: "snapshot", channel: "quotes", cursor: "e:2", data: [{ symbol: "A", sequence: 10 }] });
  socket.quote(11, "e:3");
  return { session, socket };
}
