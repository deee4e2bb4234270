// Amounts of money in words: the only module that puts them so.

/** “$1.50”; what is less than half a cent has four digits, and what is less than they can say is “< $0.0001”. `null`: nothing is known. */
export const money = (usd: number | null, isEstimate = false): string => {
  if (usd === null) return '';
  const said = usd <= 0 || usd >= 0.005 ? `$${Math.max(0, usd).toFixed(2)}` : usd < 0.000_05 ? '< $0.0001' : `$${usd.toFixed(4)}`;
  return isEstimate ? `≈ ${said}` : said;
};
