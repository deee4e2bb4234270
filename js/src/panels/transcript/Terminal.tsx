// A tool's output. Long output is cut in the middle of the page, not in the middle of a line, and opened on demand.
import { memo, useMemo, useState } from 'react';

import { dialogTexts } from '../../texts';
import { visible } from '../common/safe.js';
import { parseAnsi } from './ansi.js';

const HEAD_LINES = 8;
const TAIL_LINES = 24;
const LIMIT_LINES = 60;
/** Even “Show all” keeps the page alive. */
const MAX_CHARACTERS = 400_000;

export const Terminal = memo(function Terminal({ command, output }: { command: string | null; output: string }) {
  const [isOpen, setOpen] = useState(false);
  const parts = useMemo(() => cut(output, isOpen), [output, isOpen]);
  return (
    <div className="agor-term" tabIndex={0} role="region" aria-label={dialogTexts.transcript.output}>
      {command !== null && (
        <div>
          <span className="agor-ansi-dim">$</span> {visible(command)}
        </div>
      )}
      <Lines text={parts.head} />
      {parts.hidden > 0 && (
        <button type="button" className="agor-link agor-term-more" onClick={() => setOpen(true)}>
          {dialogTexts.transcript.showAll(parts.hidden)}
        </button>
      )}
      {parts.tail && <Lines text={parts.tail} />}
    </div>
  );
});

const Lines = memo(function Lines({ text }: { text: string }) {
  return (
    <>
      {parseAnsi(text).map((piece, index) => (
        <span key={index} className={piece.className || undefined}>
          {piece.text}
        </span>
      ))}
    </>
  );
});

export function cut(output: string, isOpen: boolean): { head: string; tail: string; hidden: number } {
  const text = output.length > MAX_CHARACTERS ? output.slice(-MAX_CHARACTERS) : output;
  const lines = text.replace(/\n$/, '').split('\n');
  if (isOpen || lines.length <= LIMIT_LINES) return { head: lines.join('\n'), tail: '', hidden: 0 };
  return {
    head: `${lines.slice(0, HEAD_LINES).join('\n')}\n`,
    tail: lines.slice(-TAIL_LINES).join('\n'),
    hidden: lines.length - HEAD_LINES - TAIL_LINES,
  };
}
