// The first words of a command, as a rule keeps them: what a person reads before they allow the like of it.
import type { Permission } from '../protocol/generated.js';

/** What joins, pipes, redirects or runs a command inside another. The server matches no rule then. */
const JOINS = /[;&|<>`\n\r()]|\$\(|\$\{/;

/** The words of a command as a shell would split them; `null` where quotes do not close. */
export function words(text: string): string[] | null {
  const found: string[] = [];
  let word = '';
  let isWord = false;
  let quote = '';
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charAt(i);
    if (quote) {
      if (c === quote) quote = '';
      else if (c === '\\' && quote === '"' && /["\\$`]/.test(text.charAt(i + 1))) word += text.charAt(++i);
      else word += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      isWord = true;
    } else if (c === '\\' && i + 1 < text.length) {
      word += text.charAt(++i);
      isWord = true;
    } else if (/\s/.test(c)) {
      if (isWord) found.push(word);
      word = '';
      isWord = false;
    } else {
      word += c;
      isWord = true;
    }
  }
  if (quote) return null;
  if (isWord) found.push(word);
  return found;
}

export const isJoined = (command: string): boolean => JOINS.test(command);

/** “dbt build” of `dbt build --full-refresh`: the program, and what it is told to do when that is a plain word. */
export function proposed(command: string): string[] {
  const [program, verb] = words(command) ?? [];
  if (!program) return [];
  return verb && /^[a-z][a-z0-9-]*$/i.test(verb) ? [program, verb] : [program];
}

export function begins(command: string, prefix: readonly string[]): boolean {
  const all = words(command);
  return all !== null && prefix.length > 0 && prefix.every((word, index) => all[index] === word);
}

/** As it is typed again: words with blanks in quotes. */
export const shown = (prefix: readonly string[]): string =>
  prefix.map(word => (/^[^\s'"\\]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');

/** Can an answer to this question be remembered at all? */
export const isMemorable = (permission: Permission): boolean =>
  permission.command === null ? permission.toolKind !== 'execute' : !isJoined(permission.command) && proposed(permission.command).length > 0;
