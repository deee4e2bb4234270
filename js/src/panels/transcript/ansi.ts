// Terminal output as coloured pieces of text. Colours and weight are kept; every other escape sequence is dropped, and nothing is HTML.
import { visible } from '../common/safe.js';

export interface Piece {
  readonly text: string;
  readonly className: string;
}

const ESC = '\u001b';
// Sequences, in order: CSI; OSC, DCS, APC, PM and SOS up to their end (or the end of the line, if it never comes); any other of two bytes.
const SEQUENCE = /\u001b\[([0-9;:?<=>]*)[ -/]*([@-~])|\u001b[\]P_^X][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?/g;
const COLORS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

interface Style {
  color: string;
  bold: boolean;
  dim: boolean;
  underline: boolean;
}
const plain: Style = { color: '', bold: false, dim: false, underline: false };

export function parseAnsi(text: string): Piece[] {
  const pieces: Piece[] = [];
  let style = plain;
  let from = 0;
  const push = (raw: string) => {
    if (!raw) return;
    const shown = visible(overwrite(raw));
    const className = nameOf(style);
    const last = pieces.at(-1);
    if (last?.className === className) pieces[pieces.length - 1] = { className, text: last.text + shown };
    else if (shown) pieces.push({ className, text: shown });
  };
  if (!text.includes(ESC)) {
    push(text);
    return pieces;
  }
  for (const match of text.matchAll(SEQUENCE)) {
    push(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') style = restyle(style, match[1] ?? '');
  }
  push(text.slice(from));
  return pieces;
}

/** A progress bar writes over its line: keep what stands at the end. */
function overwrite(text: string): string {
  if (!text.includes('\r')) return text;
  return text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map(line => line.slice(line.replace(/\r+$/, '').lastIndexOf('\r') + 1).replace(/\r+$/, ''))
    .join('\n');
}

function restyle(before: Style, codes: string): Style {
  const style = { ...before };
  const list = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < list.length; i += 1) {
    const code = list[i] ?? 0;
    if (code === 0) Object.assign(style, plain);
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 4) style.underline = true;
    else if (code === 22) Object.assign(style, { bold: false, dim: false });
    else if (code === 24) style.underline = false;
    else if (code === 39) style.color = '';
    else if (code >= 30 && code <= 37) style.color = COLORS[code - 30] ?? '';
    else if (code >= 90 && code <= 97) style.color = COLORS[code - 90] ?? '';
    else if (code === 38 || code === 48) {
      // 256 colours are brought down to the eight; true colour is left out.
      const [kind, value = 0] = [list[i + 1], list[i + 2]];
      if (code === 38 && kind === 5 && value < 16) style.color = COLORS[value % 8] ?? '';
      i += kind === 5 ? 2 : kind === 2 ? 4 : 0;
    }
  }
  return style;
}

function nameOf({ color, bold, dim, underline }: Style): string {
  const names = [
    color && color !== 'white' && color !== 'black' ? `agor-ansi-${color}` : '',
    bold ? 'agor-ansi-bold' : '',
    dim ? 'agor-ansi-dim' : '',
    underline ? 'agor-ansi-underline' : '',
  ];
  return names.filter(Boolean).join(' ');
}
