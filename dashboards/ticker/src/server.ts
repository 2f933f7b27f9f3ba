// Which server a ticker speaks to, and how it gets a token where nobody gives it one.

/** Where the script came from: the server to speak to, unless another is named. */
export const HOME = homeOf(document.currentScript);

function homeOf(script: unknown): string {
  return script instanceof HTMLScriptElement && /^https?:/.test(script.src) ? new URL(script.src).origin : location.origin;
}

/** The server that a text names; `undefined` where it names none. */
export function serverOf(text: string): URL | undefined {
  const given = text.trim();
  if (!/^(http|ws)s?:\/\//i.test(given) || !URL.canParse(given)) return undefined;
  return new URL(new URL(given.replace(/^ws/i, "http")).origin);
}

/** Gets tokens for a guest; with the one at hand, the next one is for the same guest. */
export function guest({ origin }: URL): () => Promise<string> {
  let token = "";
  return async () => {
    const headers: Record<string, string> = token === "" ? {} : { Authorization: `Bearer ${token}` };
    token = "";
    const answer = await fetch(`${origin}/v1/guests`, { method: "POST", headers });
    if (!answer.ok) throw new Error(`${origin} has no token for guests (${answer.status})`);
    ({ token } = (await answer.json()) as { token: string });
    return token;
  };
}
