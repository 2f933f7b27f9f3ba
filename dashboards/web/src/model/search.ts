// Which symbols somebody means who types a few letters: those that begin so first, then those that have them.

export const FOUND_MAX = 50;

export function find(symbols: readonly string[], text: string): string[] {
  const wish = text.trim().toUpperCase();
  if (wish === "") return symbols.slice(0, FOUND_MAX);
  const bare = wish.replaceAll(/[^A-Z0-9]/g, "");
  const rank = (symbol: string): number => {
    const name = symbol.toUpperCase();
    if (name === wish) return 0;
    if (name.startsWith(wish)) return 1;
    if (name.includes(wish)) return 2;
    return bare !== "" && name.replaceAll(/[^A-Z0-9]/g, "").includes(bare) ? 3 : 4;
  };
  return symbols
    .map((symbol) => ({ symbol, at: rank(symbol) }))
    .filter(({ at }) => at < 4)
    .sort((a, b) => a.at - b.at || (a.symbol < b.symbol ? -1 : 1))
    .slice(0, FOUND_MAX)
    .map(({ symbol }) => symbol);
}
