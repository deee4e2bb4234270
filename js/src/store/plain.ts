// A line of markdown as plain words, for titles and rows that have no room for its looks.

const CODE = /(`{1,3})([^`\n]{1,500})\1/;
const LEAD = /^\s*(?:(?:#{1,6}|>|[-*+](?: \[[ xX]\])?)\s+)+/;

/** Without the marks of headings, points, links, emphasis and code. What stands in code is left as it is. */
export function plain(line: string): string {
  const parts: string[] = [];
  let rest = line.replace(LEAD, '');
  for (let code = CODE.exec(rest); code; code = CODE.exec(rest)) {
    parts.push(unmarked(rest.slice(0, code.index)), code[2] ?? '');
    rest = rest.slice(code.index + code[0].length);
  }
  return [...parts, unmarked(rest)].join('').trim() || line;
}

const unmarked = (text: string): string =>
  text
    .replace(/!?\[([^\]\n]{1,500})\]\([^()\s]{0,2000}\)/g, '$1')
    .replace(/\*\*(?=\S)([^\n]{1,500}?)(?<=\S)\*\*/g, '$1')
    .replace(/~~(?=\S)([^~\n]{1,500})~~/g, '$1')
    // Names such as `__init__` and `a_b_c` are no emphasis.
    .replace(/(?<![\w*_])(\*|__?)(?=[^\s*_])([^*_\n]{1,500})(?<=[^\s])\1(?![\w*_])/g, (whole, mark: string, inner: string) =>
      mark === '__' && !inner.includes(' ') ? whole : inner,
    );
