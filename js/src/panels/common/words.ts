// Titles, names and commands as a person reads them. Moments, money, counts and questions are in `texts/`.
import { plain } from '../../store/plain.js';

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The first line of a prompt, as the title that it is shown as. */
export const headline = (text: string): string => plain(text.trimStart().split('\n', 1)[0] ?? '');

/** The part of a title, command or path that does not fit is less telling than its end. */
export const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

/** As it can be pasted into a shell. */
export const shellLine = (command: readonly string[]): string => command.map(quoted).join(' ');
