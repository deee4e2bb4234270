// How many of something, and how large it is, in words.

/** “1 file”, “1,204 files”. */
export const count = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`;

export const number = (n: number): string => n.toLocaleString('en');
export const files = (n: number): string => count(n, 'file');
export const times = (n: number): string => (n === 1 ? 'once' : n === 2 ? 'twice' : `${n} times`);

/** “1st”, “22nd”. */
export const ordinal = (n: number): string => {
  const tail = n % 100 >= 11 && n % 100 <= 13 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[n % 10] ?? 'th');
  return `${n}${tail}`;
};

/** “812 bytes”, “4.1 kB”. */
export const size = (bytes: number): string => {
  if (bytes < 1000) return count(bytes, 'byte');
  return bytes < 999_950 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
};
