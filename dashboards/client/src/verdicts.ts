// What the end of a connection means: whether to come back, and why not, in words (section 6 of the protocol).

/** What to do after a close. */
export interface Verdict {
  /**
   * `again`: with back-off. `token`: with another token only. `late`: where a token is fetched, which may be sooner the
   * next time. `never`: something must change first.
   */
  retry: "again" | "token" | "late" | "never";
  reason: string;
}

const WORDS: Record<number, string> = {
  1000: "the server said goodbye",
  1001: "the server is going away",
  1002: "the connection broke the WebSocket protocol",
  1005: "the connection was closed without a word",
  1006: "the connection was lost",
  1007: "a text was not UTF-8",
  1009: "a message was too big",
  1011: "the server has failed",
  1012: "the server restarts",
  1013: "the server has no room at the moment",
  4408: "this client was too slow for a subscription that does not coalesce",
  4429: "too many requests were made",
  4501: "the token is not good any more",
  4502: "too many requests were wrong",
  4503: "there are as many sessions as this subject or its tenant may have",
  4504: "no token was given in time",
  4505: "an operator has ended the session",
};

// 1005 is the word of those between: a proxy that closes without a code has told no verdict of the server's.
const AGAIN = new Set([1001, 1005, 1006, 1011, 1012, 1013]);
const TOKENS = new Map<number, Verdict["retry"]>([
  [4501, "token"],
  [4504, "late"],
]);

/** What a close code says. `said` is the reason text of the close frame: a `code` of the protocol. */
export function verdict(code: number, said: string): Verdict {
  const words = WORDS[code] ?? `the connection was closed with ${code}`;
  const reason = said === "" ? words : `${words} (${said})`;
  if (AGAIN.has(code) || (code >= 4000 && code < 4500)) return { retry: "again", reason };
  return { retry: TOKENS.get(code) ?? "never", reason };
}
