// The first words of a command, as a rule keeps them: what a person reads before they allow the like of it.
import type { Permission } from '../../protocol/generated.js';

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

/** Programs that run what stands behind them: the script or the module is named too. */
const RUNS = /^(python|node|deno|bun|ruby|perl|php|lua|Rscript|npx|bunx|uvx|pipx|[a-z]*sh)[\d.]*$/;

/** “dbt build” of `dbt build --full-refresh`: the program, and what it is told to do when that is a plain word. */
export function proposed(all: readonly string[]): string[] {
  const [program = '', verb = ''] = all;
  if (RUNS.test(program.slice(program.lastIndexOf('/') + 1))) {
    const script = all.findIndex((word, index) => index > 0 && !word.startsWith('-'));
    return all.slice(0, script < 0 ? all.length : script + 1);
  }
  return /^[a-z][a-z0-9-]*$/i.test(verb) ? [program, verb] : [program];
}

export const begins = (all: readonly string[], prefix: readonly string[]): boolean =>
  prefix.length > 0 && prefix.every((word, index) => all[index] === word);

/** As it is typed again: words with blanks in quotes. */
export const shown = (prefix: readonly string[]): string =>
  prefix.map(word => (/^[^\s'"\\]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');

/** Can an answer to this question be remembered at all? What is not one simple command only as every command, and it says so. */
export const isMemorable = ({ ruleWords, ruleKind }: Permission): boolean => ruleWords !== null || ruleKind !== null;
