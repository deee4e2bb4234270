// The blocks of a markdown text by micromark, of which only what may still change is read again when the text grows.
import type { Code, RootContent } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

// Raw HTML is text to us. What is defined in one place and used in another would need the whole text at once, and hides from its
// reader what stands in it. Code is what stands between fences, so that fences deep in a list are found.
const OFF = ['htmlFlow', 'htmlText', 'definition', 'gfmFootnoteDefinition', 'gfmFootnoteCall', 'codeIndented'];
const extensions = [gfm({ singleTilde: false }), { disable: { null: OFF } }];
const mdastExtensions = [gfmFromMarkdown()];

/** Characters that are read at once: twice the text takes the parser more than twice the time. */
const WINDOW = 2000;
/** A list, a paragraph or a quote longer than that is read in parts. */
const LONG = 1500;
/** The same for one item of a list, which may hold code. */
const LONG_ITEM = 24_000;

/** Nobody writes such a line, and a parser can need minutes for it: it is shown as it is. */
const isDense = (source: string): boolean =>
  /^[ \t]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*){20}/m.test(source) ||
  (source.length > 500 && source.split('\n').some(line => line.length > 500 && line.replace(/[^*_[\]`!<&~@|]+/g, '').length > 500));

export function parse(source: string): RootContent[] {
  if (isDense(source)) {
    const point = { line: 1, column: 1, offset: 0 };
    return [{ type: 'paragraph', children: [{ type: 'text', value: source }], position: { start: point, end: point } }];
  }
  return fromMarkdown(source, { extensions, mdastExtensions }).children;
}

export class MarkdownBlocks {
  readonly #parse: typeof parse;
  #text = '';
  #blocks: readonly RootContent[] = [];
  #finished: RootContent[] = [];
  /** Where the finished blocks end. */
  #end = 0;
  /** Where the last block begins. */
  #lastStart = 0;
  /** The last finished block is a part of one that goes on. */
  #isParted = false;

  constructor(parser: typeof parse = parse) {
    this.#parse = parser;
  }

  /** The blocks of `text`. What was finished when a beginning of it was read is the same object again. */
  of(text: string): readonly RootContent[] {
    if (text === this.#text) return this.#blocks;
    const isLonger = text.startsWith(this.#text);
    if (!isLonger) {
      this.#finished = [];
      this.#end = 0;
      this.#isParted = false;
    }
    this.#blocks = (isLonger && this.#longerCode(text)) || this.#grown(text);
    this.#text = text;
    return this.#blocks;
  }

  /** The last line can still become a part of what stands before it ("2", then "2. two"), but of no more: all but two are finished. */
  #grown(text: string): readonly RootContent[] {
    for (let size = WINDOW; ; ) {
      const rest = text.slice(this.#end);
      const part = rest.slice(0, endOfLine(rest, size));
      const nodes = this.#nodes(part);
      const isAll = part.length === rest.length;
      this.#lastStart = this.#end + startOf(nodes.at(-1), part);
      const parting = nodes.length <= 2 && part.length > LONG ? partingOf(nodes[0], part) : 0;
      if (nodes.length > 2) this.#finish(nodes.slice(0, -2), startOf(nodes.at(-2), part), false);
      else if (parting > 0) this.#finish(this.#nodes(part.slice(0, parting)), parting, true);
      if (isAll && parting === 0) return joined(this.#finished, nodes.slice(-2), this.#isParted);
      size = nodes.length > 2 || parting > 0 ? WINDOW : size * 2;
    }
  }

  /** Code between fences is not read again while it grows; `null`: there is none, or it ends. */
  #longerCode(text: string): RootContent[] | null {
    const code = this.#blocks.at(-1);
    if (code?.type !== 'code') return null;
    const source = this.#text.slice(this.#lastStart);
    const [line, mark] = /^(`{3,}|~{3,}).*\n/.exec(source) ?? [];
    if (!line || !mark || isClosed(source.slice(line.length), mark)) return null;
    const from = this.#lastStart + line.length;
    const lastLine = Math.max(from, text.lastIndexOf('\n', this.#text.length - 1) + 1);
    if (text.includes('\r') || isClosed(text.slice(lastLine), mark)) return null;
    const longer: Code = { ...code, value: text.slice(from).replace(/\n$/, '') };
    return [...this.#blocks.slice(0, -1), longer];
  }

  /** With a line before it, so that a mark of the byte order is text like any other. */
  #nodes(part: string): RootContent[] {
    return this.#parse(`\n${part}`);
  }

  #finish(nodes: readonly RootContent[], length: number, isParted: boolean): void {
    this.#finished = joined(this.#finished, nodes, this.#isParted);
    this.#end += length;
    this.#isParted = isParted;
  }
}

const isClosed = (lines: string, mark: string): boolean =>
  lines.split('\n').some(line => new RegExp(`^ {0,3}${mark[0]}{${mark.length},}[ \\t]*$`).test(line));

/** Where the line ends that `at` is in, its break included. */
function endOfLine(text: string, at: number): number {
  const end = at < text.length ? text.indexOf('\n', at) : -1;
  return end < 0 ? text.length : end + 1;
}

function startOf(node: Pick<RootContent, 'position'> | undefined, part: string): number {
  const offset = (node?.position?.start.offset ?? 1) - 1;
  return offset > 0 ? part.lastIndexOf('\n', offset - 1) + 1 : 0;
}

/** Where a block that became too long may be parted; 0: nowhere. */
function partingOf(node: RootContent | undefined, part: string): number {
  const lastLine = part.lastIndexOf('\n', part.lastIndexOf('\n', part.length - 2) - 1) + 1;
  if (node?.type === 'list' && node.children.length > 2) return startOf(node.children.at(-2), part);
  if (node?.type === 'list') return part.length > LONG_ITEM ? lastLine : 0;
  return node?.type === 'paragraph' || node?.type === 'blockquote' ? lastLine : 0;
}

function joined(before: readonly RootContent[], after: readonly RootContent[], isParted: boolean): RootContent[] {
  const last = before.at(-1);
  const [next, ...others] = after;
  const whole = isParted && last && next ? join(last, next) : null;
  return whole ? [...before.slice(0, -1), whole, ...others] : [...before, ...after];
}

function join(a: RootContent, b: RootContent): RootContent | null {
  if (a.type === 'list' && b.type === 'list' && a.ordered === b.ordered) return { ...a, children: [...a.children, ...b.children] };
  if (a.type === 'blockquote' && b.type === 'blockquote') return { ...a, children: [...a.children, ...b.children] };
  if (a.type === 'paragraph' && b.type === 'paragraph') return { ...a, children: [...a.children, { type: 'text', value: '\n' }, ...b.children] };
  return null;
}
