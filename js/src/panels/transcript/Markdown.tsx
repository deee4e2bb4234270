// An agent's text as markdown. It makes React elements only: no HTML, no images, no scripts, and links of three schemes.
import type { List, ListItem, PhrasingContent, RootContent, Table } from 'mdast';
import { Fragment, memo, type ReactNode, useEffect, useRef, useState } from 'react';

import { CodeBlock } from '../common/CodeBlock.js';
import { safeHref, visible } from '../common/safe.js';
import { MarkdownBlocks } from './blocks.js';
import { mayRead, whenMayRead } from './pace.js';

export const Markdown = memo(function Markdown({ text, isStreaming = false }: { text: string; isStreaming?: boolean }) {
  const blocks = useRef<MarkdownBlocks | null>(null);
  const [isDue, setDue] = useState(() => isStreaming || mayRead(text.length));
  useEffect(() => (isDue ? undefined : whenMayRead(text.length, () => setDue(true))), [isDue, text.length]);
  blocks.current ??= new MarkdownBlocks();
  return (
    <div className="agor-md">
      {isDue ? blocks.current.of(text).map((node, index) => <Block key={index} node={node} />) : <p>{visible(text)}</p>}
      {isStreaming && <i className="agor-caret" aria-hidden="true" />}
    </div>
  );
});

const Block = memo(function Block({ node }: { node: RootContent }): ReactNode {
  switch (node.type) {
    case 'paragraph':
      return <p>{inline(node.children)}</p>;
    case 'blockquote':
      return <blockquote>{blocks(node.children)}</blockquote>;
    case 'heading':
      return (
        <p className="agor-md-heading" role="heading" aria-level={Math.min(6, node.depth + 2)}>
          {inline(node.children)}
        </p>
      );
    case 'code':
      return <CodeBlock language={visible((node.lang ?? '').slice(0, 40))} text={node.value} />;
    case 'list':
      return listed(node);
    case 'table':
      return <TableView table={node} />;
    case 'thematicBreak':
      return <hr />;
    default:
      return 'value' in node ? <p>{visible(node.value)}</p> : null;
  }
});

const blocks = (nodes: readonly RootContent[]): ReactNode => nodes.map((node, index) => <Block key={index} node={node} />);

function listed(list: List): ReactNode {
  const items = list.children.map((item, index) => (
    <li key={index} className={item.checked == null ? undefined : 'agor-md-task'}>
      {item.checked != null && (item.checked ? '☑ ' : '☐ ')}
      {content(item)}
    </li>
  ));
  if (!list.ordered) return <ul>{items}</ul>;
  return <ol start={list.start === 1 || list.start == null ? undefined : list.start}>{items}</ol>;
}

/** The first paragraph stands on the line of its mark, however far the items are apart. */
function content({ children }: ListItem): ReactNode {
  const [first, ...others] = children;
  if (first?.type !== 'paragraph') return blocks(children);
  return (
    <>
      {inline(first.children)}
      {blocks(others)}
    </>
  );
}

function TableView({ table }: { table: Table }) {
  const [head, ...rows] = table.children;
  const style = (column: number) => ({ textAlign: table.align?.[column] ?? undefined });
  return (
    <div className="agor-md-table">
      <table>
        <thead>
          <tr>
            {head?.children.map((cell, column) => (
              <th key={column} style={style(column)}>
                {inline(cell.children)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.children.map((cell, column) => (
                <td key={column} style={style(column)}>
                  {inline(cell.children)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const inline = (nodes: readonly PhrasingContent[], isLinked = false): ReactNode =>
  nodes.map((node, index) => <Fragment key={index}>{phrase(node, isLinked)}</Fragment>);

/** `isLinked`: it stands in a link, where there can be no other. */
function phrase(node: PhrasingContent, isLinked: boolean): ReactNode {
  switch (node.type) {
    case 'text':
      return visible(node.value);
    case 'inlineCode':
      return <code>{visible(node.value)}</code>;
    case 'strong':
      return <strong>{inline(node.children, isLinked)}</strong>;
    case 'emphasis':
      return <em>{inline(node.children, isLinked)}</em>;
    case 'delete':
      return <del>{inline(node.children, isLinked)}</del>;
    case 'break':
      return <br />;
    case 'link':
      return linked(node.url, node.children.length ? inline(node.children, true) : visible(node.url), isLinked);
    case 'image':
      // It is never fetched: it becomes a link that says so.
      return linked(node.url, visible(`${node.alt || 'image'} (image)`), isLinked);
    default:
      return 'value' in node ? visible(node.value) : null;
  }
}

function linked(url: string, label: ReactNode, isLinked: boolean): ReactNode {
  const safe = isLinked ? null : safeHref(url);
  if (!safe) return label;
  return (
    <a href={safe} title={safe} target="_blank" rel="noopener noreferrer nofollow">
      {label}
    </a>
  );
}
