import { memo, useState } from 'react';

import { dialogTexts } from '../../texts';
import { visible } from '../common/safe.js';
import type { FileDiff } from './patch.js';

const SIGN = { same: '', added: '+', deleted: '−' } as const;
const LIMIT = 200;

export const Diff = memo(function Diff({ file }: { file: FileDiff }) {
  const [isOpen, setOpen] = useState(false);
  if (file.isBinary) return <p className="agor-diff-note">{dialogTexts.transcript.binary}</p>;
  let budget = isOpen ? 20_000 : LIMIT;
  const total = file.hunks.reduce((sum, hunk) => sum + hunk.lines.length, 0);
  const shown = file.hunks.map(hunk => {
    const lines = hunk.lines.slice(0, Math.max(0, budget));
    budget -= lines.length;
    return { ...hunk, lines };
  });
  return (
    <div className="agor-diff" role="region" aria-label={dialogTexts.transcript.diffOf(file.path)} tabIndex={0}>
      {shown.map(
        (hunk, index) =>
          hunk.lines.length > 0 && (
            <div key={index}>
              <div className="agor-diff-hunk">{hunk.title}</div>
              {hunk.lines.map((line, at) => (
                <div key={at} className={`agor-diff-line agor-diff-${line.kind}`}>
                  <span>{line.before}</span>
                  <span>{line.after}</span>
                  <span>{SIGN[line.kind]}</span>
                  <span>{visible(line.text)}</span>
                </div>
              ))}
            </div>
          ),
      )}
      {!isOpen && total > LIMIT && (
        <button type="button" className="agor-link agor-diff-note" onClick={() => setOpen(true)}>
          {dialogTexts.transcript.showAll(total - LIMIT)}
        </button>
      )}
    </div>
  );
});

export function Changes({ added, deleted }: { added: number; deleted: number }) {
  return (
    <span className="agor-mono agor-xs">
      <span className="agor-plus">+{added}</span> <span className="agor-minus">−{deleted}</span>
    </span>
  );
}
