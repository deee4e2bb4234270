// Times, money, counts and titles as a person reads them.
import { plain } from '../../store/plain.js';

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** “0:14” up to an hour, then “6 h”, “3 d”. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}:${String(whole % MINUTE).padStart(2, '0')}`;
  return whole < DAY ? `${Math.floor(whole / HOUR)} h` : `${Math.floor(whole / DAY)} d`;
}

/** “now”, “8 min”, “6 h”, “3 d”. */
export function age(since: string, now: number): string {
  const seconds = (now - Date.parse(since)) / 1000;
  if (!(seconds >= 45)) return 'now';
  if (seconds < HOUR) return `${Math.max(1, Math.round(seconds / MINUTE))} min`;
  return seconds < DAY ? `${Math.floor(seconds / HOUR)} h` : `${Math.floor(seconds / DAY)} d`;
}

/** A short one for a tool: “0.4 s”, “12 s”, “2:06”. */
export function took(from: string, to: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  return seconds < MINUTE ? `${Math.round(seconds)} s` : duration(seconds);
}

export function money(usd: number | null, isEstimate: boolean): string {
  if (usd === null) return '';
  return `${isEstimate ? '≈ ' : ''}$${usd < 0.005 && usd > 0 ? usd.toFixed(4) : usd.toFixed(2)}`;
}

/** “812 bytes”, “4.1 kB”. */
export function size(bytes: number): string {
  if (bytes < 1000) return count(bytes, 'byte');
  return bytes < 999_950 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const clock = (at: string): string => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
export const clockWithSeconds = (at: string): string =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** The first line of a prompt, as the title that it is shown as. */
export const headline = (text: string): string => plain(text.trimStart().split('\n', 1)[0] ?? '');

export function ordinal(n: number): string {
  const tail = n % 100 > 10 && n % 100 < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${tail}`;
}

/** The part of a title, command or path that does not fit is less telling than its end. */
export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** As it can be pasted into a shell. */
export const shellLine = (command: readonly string[]): string => command.map(quoted).join(' ');
