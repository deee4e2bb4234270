// Ids as the server makes them: a prefix, then 9 characters of milliseconds and 11 of randomness in Crockford's base 32.

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PREFIXES = { object: 'ob' } as const;

export const makeId = (noun: keyof typeof PREFIXES, now = Date.now()): string => {
  let time = '';
  for (let rest = now, i = 0; i < 9; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let random = '';
  for (const byte of crypto.getRandomValues(new Uint8Array(11))) random += ALPHABET[byte % 32];
  return `${PREFIXES[noun]}_${time}${random}`;
};
