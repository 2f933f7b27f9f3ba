// Decimals against whole numbers, times, books against the protocol's examples, ages.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { encode, ExtensionCodec } from "@msgpack/msgpack";

import { Ages } from "../../src/ages.js";
import { codec } from "../../src/codec.js";
import { crc32 } from "../../src/crc32.js";
import {
  addDecimals, Book, type BookRecord, compareDecimals, formatDecimal, isZero, type Level, subtractDecimals, toApproximateNumber, toMilliseconds,
  toNanoseconds,
} from "../../src/index.js";

/** Numbers of a seed, 0 ≤ n < below. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function anyDecimal(roll: (below: number) => number): string {
  const digits = (most: number): string => Array.from({ length: roll(most + 1) }, () => (roll(3) === 0 ? 0 : roll(10))).join("");
  const fraction = digits(12);
  return `${roll(4) === 0 ? "-" : ""}${"0".repeat(roll(3))}${digits(20) || "0"}${fraction === "" ? "" : `.${fraction}`}`;
}

const SCALE = 12;
const whole = (text: string): bigint => {
  const [digits, fraction = ""] = text.split(".") as [string, string?];
  return BigInt(digits + fraction.padEnd(SCALE, "0"));
};

test("decimals compare and add as whole numbers do", () => {
  const roll = dice(7);
  const some = Array.from({ length: 300 }, () => anyDecimal(roll)).concat("0", "-0", "0.0", "-0.00", "1", "1.0", "01.00", "-1", "10", "9.99");
  for (const a of some) {
    assert.equal(isZero(a), whole(a) === 0n);
    for (const b of some) {
      const difference = whole(a) - whole(b);
      assert.equal(Math.sign(compareDecimals(a, b)), difference === 0n ? 0 : difference > 0n ? 1 : -1, `${a} ${b}`);
    }
    const b = some[roll(some.length)]!;
    assert.equal(whole(addDecimals(a, b)), whole(a) + whole(b), `${a} + ${b}`);
    assert.equal(whole(subtractDecimals(a, b)), whole(a) - whole(b), `${a} - ${b}`);
  }
});

test("decimals for eyes and for charts", () => {
  for (const [text, digits, shown] of [["1.005", 2, "1.01"], ["-1.005", 2, "-1.01"], ["2", 3, "2.000"], ["0.0049", 2, "0.00"], ["99.995", 2, "100.00"], ["68900.50", 0, "68901"]] as const) {
    assert.equal(formatDecimal(text, digits), shown);
  }
  assert.equal(toApproximateNumber("68900.50"), 68900.5);
  assert.equal(addDecimals("0.10", "0.2"), "0.30");
});

test("times keep all nine digits, and MessagePack's become the same texts", () => {
  assert.equal(toNanoseconds("2026-11-20T14:30:00.350100001Z"), 1795185000350100001n);
  assert.equal(toMilliseconds("2026-11-20T14:30:00.350100000Z"), 1795185000350.1);
  const extensionCodec = new ExtensionCodec();
  const stamp = (seconds: bigint, nanoseconds: number): Uint8Array => {
    const view = new DataView(new ArrayBuffer(seconds < 0n ? 12 : 8));
    if (seconds < 0n) {
      view.setUint32(0, nanoseconds);
      view.setBigInt64(4, seconds);
    } else {
      view.setBigUint64(0, (BigInt(nanoseconds) << 34n) | seconds);
    }
    return new Uint8Array(view.buffer);
  };
  extensionCodec.register({ type: -1, encode: (value) => (typeof value === "bigint" ? stamp(value, 350_100_001) : null), decode: () => null });
  const read = (ts: bigint): unknown => {
    const bytes = encode({ type: "x", ts }, { extensionCodec });
    return codec("msgpack").decode(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)).ts;
  };
  assert.equal(read(1795185000n), "2026-11-20T14:30:00.350100001Z");
  assert.equal(read(10_000_000_000n), "2286-11-20T17:46:40.350100001Z");
  assert.equal(read(-1n), "1969-12-31T23:59:59.350100001Z");
  for (const bad of ["", "[]", "null", "{}", '{"type":1}']) assert.throws(() => codec("json").decode(bad));
});

test("a book is what whole numbers make of it, whatever comes", () => {
  const roll = dice(11);
  const levels = (): Level[] =>
    Array.from({ length: roll(6) }, () => [`${100 + roll(8)}.${roll(10)}${roll(2) === 0 ? "0" : ""}`, roll(3) === 0 ? "0" : `${1 + roll(9)}.50`]);
  const book = new Book({ symbol: "A", sequence: 1, depth: 0, bids: [], asks: [] });
  const naive = { bids: new Map<bigint, Level>(), asks: new Map<bigint, Level>() };
  for (let sequence = 2; sequence < 3000; sequence++) {
    const change: BookRecord = { symbol: "A", sequence, bids: levels(), asks: levels() };
    book.apply(change);
    for (const side of ["bids", "asks"] as const) {
      for (const level of change[side]) {
        if (level[1] === "0") naive[side].delete(whole(level[0]));
        else naive[side].set(whole(level[0]), level);
      }
    }
    const sorted = (side: Map<bigint, Level>, sign: number): Level[] => [...side].sort(([a], [b]) => (a < b ? -sign : sign)).map(([, level]) => level);
    assert.deepEqual(book.bids(), sorted(naive.bids, -1));
    assert.deepEqual(book.asks(5), sorted(naive.asks, 1).slice(0, 5));
  }
  assert.equal(book.sequence, 2999);
  assert.deepEqual(book.bestBid, book.bids(1)[0]);
});

test("checksums are CRC-32 over texts, asks first, as Kraken and the protocol have them", () => {
  assert.equal(crc32("123456789"), 0xcbf43926);
  const book = new Book({ symbol: "A", sequence: 1, depth: 10, bids: [["0.05000", "0.00000500"]], asks: [["0.05005", "0.00000500"]] });
  assert.equal(book.checksum(), crc32("5005500" + "5000500"));
  // Kraken's own example, of its WebSocket v1.
  const asks = ["0.05005", "0.05010", "0.05015", "0.05020", "0.05025", "0.05030", "0.05035", "0.05040", "0.05045", "0.05050"];
  const bids = ["0.05000", "0.04995", "0.04990", "0.04980", "0.04975", "0.04970", "0.04965", "0.04960", "0.04955", "0.04950"];
  const side = (prices: string[]): Level[] => prices.map((price) => [price, "0.00000500"]);
  const kraken = new Book({ symbol: "A", sequence: 1, depth: 10, bids: side(bids), asks: side(asks) });
  assert.equal(kraken.checksum(), 974_947_235);
});

test("every example of the protocol is read", () => {
  const page = readFileSync(new URL("../../../../../crates/wire/PROTOCOL.md", import.meta.url), "utf8");
  const lines = page.split("\n").filter((line) => line.startsWith('{"type":'));
  assert.ok(lines.length > 40);
  for (const line of lines) assert.equal(typeof codec("json").decode(line).type, "string");
});

test("ages are averages over what came", () => {
  const ages = new Ages();
  const start = 1_795_185_000_000;
  assert.equal(ages.read(start).averageMs.second, null);
  ages.add(10, start);
  ages.add(20, start + 500);
  assert.deepEqual(ages.read(start + 600), { lastMs: 20, averageMs: { second: 15, minute: 15, fiveMinutes: 15 } });
  ages.add(70, start + 30_000);
  assert.equal(ages.read(start + 30_000).averageMs.second, 70);
  assert.equal(Math.round(ages.read(start + 30_000).averageMs.minute!), 33);
  assert.equal(ages.read(start + 400_000).averageMs.fiveMinutes, null);
});
