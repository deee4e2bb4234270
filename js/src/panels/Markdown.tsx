// An agent's text as markdown. It makes React elements only: no HTML, no images, no scripts, and links of three schemes.
import { Fragment, memo, type ReactNode } from 'react';

import { CodeBlock } from './CodeBlock.js';
import { safeHref, visible } from './safe.js';

export const Markdown = memo(function Markdown({ text, isStreaming = false }: { text: string; isStreaming?: boolean }) {
  const blocks = parse(text);
  return (
    <div className="agor-md">
      {blocks.map((block, index) => (
        <BlockView key={index} block={block} />
      ))}
      {isStreaming && <i className="agor-caret" aria-hidden="true" />}
    </div>
  );
});

type Block =
  | { kind: 'paragraph' | 'quote'; text: string }
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'code'; language: string; text: string }
  | { kind: 'list'; items: Item[] }
  | { kind: 'table'; head: string[]; rows: string[][] }
  | { kind: 'rule' };

/** An item of a list. The lists below it follow it, deeper. */
interface Item {
  text: string;
  readonly depth: number;
  readonly isOrdered: boolean;
  readonly number: number;
  readonly indent: number;
}

const DEEPEST = 6;
const FENCE = /^( *)(`{3,}|~{3,})\s*([\w+#.-]*)/;
const LIST = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

export function parse(source: string): Block[] {
  const lines = source.replaceAll('\r\n', '\n').split('\n');
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const flush = () => {
    if (paragraph.length) blocks.push({ kind: 'paragraph', text: paragraph.join('\n') });
    paragraph = [];
  };
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    const fence = FENCE.exec(line);
    const indent = fence?.[1]?.length ?? 0;
    // Deeper than that it is text, but in an item of a list.
    if (fence && (indent < 4 || blocks.at(-1)?.kind === 'list')) {
      flush();
      const mark = fence[2] ?? '```';
      const body: string[] = [];
      for (i += 1; i < lines.length && !isClosing(lines[i] ?? '', mark); i += 1) body.push(outdented(lines[i] ?? '', indent));
      blocks.push({ kind: 'code', language: fence[3] ?? '', text: body.join('\n') });
      continue;
    }
    const heading = HEADING.exec(line);
    const item = LIST.exec(line);
    if (!line.trim()) flush();
    else if (heading) {
      flush();
      blocks.push({ kind: 'heading', level: heading[1]?.length ?? 1, text: heading[2] ?? '' });
    } else if (/^ {0,3}([-*_])(\s*\1){2,}\s*$/.test(line)) {
      flush();
      blocks.push({ kind: 'rule' });
    } else if (line.startsWith('>')) {
      flush();
      const last = blocks.at(-1);
      const text = line.replace(/^>\s?/, '');
      if (last?.kind === 'quote' && lines[i - 1]?.startsWith('>')) last.text += `\n${text}`;
      else blocks.push({ kind: 'quote', text });
    } else if (item) {
      flush();
      const last = blocks.at(-1);
      const entry = itemOf(item, last?.kind === 'list' ? last.items : []);
      if (last?.kind === 'list' && (entry.depth > 0 || last.items[0]?.isOrdered === entry.isOrdered)) last.items.push(entry);
      else blocks.push({ kind: 'list', items: [entry] });
    } else if (/^\s{2,}\S/.test(line) && !paragraph.length && blocks.at(-1)?.kind === 'list' && lines[i - 1]?.trim()) {
      const last = blocks.at(-1);
      const entry = last?.kind === 'list' ? last.items.at(-1) : undefined;
      if (entry) entry.text += `\n${line.trim()}`;
    } else if (line.includes('|') && !paragraph.length && TABLE_LINE.test(lines[i + 1] ?? '') && (lines[i + 1] ?? '').includes('-')) {
      const head = cells(line);
      const rows: string[][] = [];
      for (i += 2; i < lines.length && (lines[i] ?? '').includes('|'); i += 1) rows.push(cells(lines[i] ?? ''));
      i -= 1;
      blocks.push({ kind: 'table', head, rows });
    } else paragraph.push(line);
  }
  flush();
  return blocks;
}

/** It belongs to the last item that it stands at least two columns to the right of. */
function itemOf([, space = '', mark = '-', text = '']: RegExpExecArray, before: readonly Item[]): Item {
  const indent = space.replaceAll('\t', '    ').length;
  const near = before.findLast(item => item.indent < indent + 2);
  const depth = near ? Math.min(DEEPEST, near.depth + (near.indent > indent - 2 ? 0 : 1)) : 0;
  const isOrdered = /\d/.test(mark);
  return { text, indent, depth, isOrdered, number: isOrdered ? Number.parseInt(mark, 10) : 1 };
}

const outdented = (line: string, by: number): string => line.slice(Math.min(by, line.length - line.trimStart().length));

const isClosing = (line: string, mark: string): boolean => {
  const trimmed = line.trim();
  return trimmed.startsWith(mark) && trimmed.replaceAll(mark[0] ?? '`', '') === '';
};
const cells = (line: string): string[] =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map(cell => cell.trim());

function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case 'paragraph':
      return <p>{inline(block.text)}</p>;
    case 'quote':
      return <blockquote>{inline(block.text)}</blockquote>;
    case 'heading':
      return (
        <p className="agor-md-heading" role="heading" aria-level={Math.min(6, block.level + 2)}>
          {inline(block.text)}
        </p>
      );
    case 'code':
      return <CodeBlock language={block.language} text={block.text} />;
    case 'list':
      return <Lists items={block.items} />;
    case 'table':
      return (
        <div className="agor-md-table">
          <table>
            <thead>
              <tr>
                {block.head.map((cell, index) => (
                  <th key={index}>{inline(cell)}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, index) => (
                <tr key={index}>
                  {row.map((cell, column) => (
                    <td key={column}>{inline(cell)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      );
    case 'rule':
      return <hr />;
  }
}

/** Lists of one depth, one after the other where numbers and points take turns, with the deeper ones in their items. */
function Lists({ items }: { items: readonly Item[] }) {
  const lists: { first: Item; entries: { item: Item; below: Item[] }[] }[] = [];
  const depth = items[0]?.depth ?? 0;
  for (const item of items) {
    const list = lists.at(-1);
    if (list && item.depth > depth) list.entries.at(-1)?.below.push(item);
    else if (list?.first.isOrdered === item.isOrdered) list.entries.push({ item, below: [] });
    else lists.push({ first: item, entries: [{ item, below: [] }] });
  }
  return (
    <>
      {lists.map(({ first, entries }, position) => {
        const rows = entries.map(({ item, below }, index) => (
          <li key={index}>
            {inline(item.text)}
            {below.length > 0 && <Lists items={below} />}
          </li>
        ));
        if (!first.isOrdered) return <ul key={position}>{rows}</ul>;
        return (
          <ol key={position} start={first.number === 1 ? undefined : first.number}>
            {rows}
          </ol>
        );
      })}
    </>
  );
}

// Code, image or link, bold, italic, struck, bare address. Each alternative is bounded, so hostile text stays cheap.
const INLINE =
  /(`{1,3})([^`]{1,2000})\1|(!?)\[([^\]\n]{0,500})\]\(([^()\s]{0,2000}(?:\([^()\s]{0,200}\)[^()\s]{0,500})?)(?:\s"[^"\n]{0,200}")?\)|(\*\*|__)(?=\S)([^\n]{1,2000}?)\6|(?<![\w*_])([*_])(?=[^\s*_])([^*_\n]{1,1000})\8(?!\w)|~~([^~\n]{1,1000})~~|(https?:\/\/[^\s<>"'`)\]]{1,2000})/;

export function inline(text: string, depth = 0): ReactNode[] {
  const nodes: ReactNode[] = [];
  let rest = text;
  for (let key = 0; rest; key += 1) {
    const match = depth < 4 ? INLINE.exec(rest) : null;
    if (!match) {
      nodes.push(visible(rest));
      break;
    }
    if (match.index) nodes.push(visible(rest.slice(0, match.index)));
    rest = rest.slice(match.index + match[0].length);
    nodes.push(<Fragment key={key}>{element(match, depth)}</Fragment>);
  }
  return nodes;
}

function element(match: RegExpExecArray, depth: number): ReactNode {
  const [whole, , code, bang, label, target, , bold, , italic, struck, bare] = match;
  if (code !== undefined) return <code>{visible(code)}</code>;
  if (label !== undefined) return <Link href={target ?? ''} label={bang ? `${label || 'image'} (image)` : label} depth={depth} />;
  if (bold !== undefined) return <strong>{inline(bold, depth + 1)}</strong>;
  if (italic !== undefined) return <em>{inline(italic, depth + 1)}</em>;
  if (struck !== undefined) return <del>{inline(struck, depth + 1)}</del>;
  if (bare !== undefined) {
    const trimmed = bare.replace(/[.,;:!?]+$/, '');
    return (
      <>
        <Link href={trimmed} label={trimmed} depth={4} />
        {bare.slice(trimmed.length)}
      </>
    );
  }
  return whole;
}

/** An image is never fetched: it becomes a link that says so. */
function Link({ href, label, depth }: { href: string; label: string; depth: number }) {
  const safe = safeHref(href);
  const content = inline(label || href, depth + 1);
  if (!safe) return <>{content}</>;
  return (
    <a href={safe} title={safe} target="_blank" rel="noopener noreferrer nofollow">
      {content}
    </a>
  );
}
