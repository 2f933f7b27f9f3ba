// The two encodings: the same maps with the same keys, as JSON text or as MessagePack.

import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";

import { ProtocolError } from "./errors.js";
import type { Message } from "./protocol.js";
import { timeText } from "./times.js";

export type Encoding = "msgpack" | "json";

/** What a socket takes and gives. */
export interface Codec {
  readonly subprotocol: string;
  encode(request: object): string | Uint8Array;
  /** @throws ProtocolError what came is no message of `tickwire.v1` */
  decode(data: unknown): Message;
}

export function codec(encoding: Encoding): Codec {
  return encoding === "json" ? json : msgpack;
}

const json: Codec = {
  subprotocol: "tickwire.v1.json",
  encode: (request) => JSON.stringify(request),
  decode: (data) => checked(() => (typeof data === "string" ? JSON.parse(data) : undefined), data),
};

const TIMESTAMP = -1;
const extensionCodec = new ExtensionCodec();
extensionCodec.register({
  type: TIMESTAMP,
  // Times are texts here; the server takes them so, too.
  encode: () => null,
  decode: (data) => timestampText(data),
});

const msgpack: Codec = {
  subprotocol: "tickwire.v1.msgpack",
  encode: (request) => encode(request, { ignoreUndefined: true }),
  decode: (data) => checked(() => decode(new Uint8Array(data as ArrayBuffer), { extensionCodec }), data),
};

function checked(read: () => unknown, data: unknown): Message {
  let message: unknown;
  try {
    message = read();
  } catch (cause) {
    throw new ProtocolError(`what came is no message: ${shown(data)}`, { cause });
  }
  if (typeof message !== "object" || message === null || typeof (message as Message).type !== "string") {
    throw new ProtocolError(`what came is no message: ${shown(data)}`);
  }
  return message as Message;
}

function shown(data: unknown): string {
  return typeof data === "string" ? JSON.stringify(data.slice(0, 80)) : Object.prototype.toString.call(data);
}

/** The standard extension has 32, 64 or 96 bits; a `Date` would lose all behind the millisecond. */
function timestampText(data: Uint8Array): string {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.byteLength === 4) return timeText(view.getUint32(0), 0);
  if (data.byteLength === 8) {
    const high = view.getUint32(0);
    return timeText((high & 3) * 2 ** 32 + view.getUint32(4), high >>> 2);
  }
  return timeText(Number(view.getBigInt64(4)), view.getUint32(0));
}
