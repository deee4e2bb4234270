// Lines that are copied elsewhere, and secrets that are shown once.
import { useState } from 'react';

import { dialogTexts } from '../../texts';

const words = dialogTexts.tokens;

export interface CopyRow {
  readonly label: string;
  readonly line: string;
}

export function Secret({ label, rows }: { label: string; rows: readonly CopyRow[] }) {
  return (
    <section className="agor-secret" aria-label={label}>
      <p>{words.once}</p>
      <CopyRows rows={rows} />
    </section>
  );
}

export function CopyRows({ rows }: { rows: readonly CopyRow[] }) {
  return (
    <dl>
      {rows.map(({ label, line }) => (
        <div key={label} className="agor-row">
          <dt className="agor-xs agor-t2">{label}</dt>
          <dd className="agor-grow agor-mono agor-xs agor-ell" title={line}>
            {line}
          </dd>
          <Copy label={label} text={line} />
        </div>
      ))}
    </dl>
  );
}

function Copy({ label, text }: { label: string; text: string }) {
  const [isDone, setDone] = useState(false);
  const copy = () =>
    void navigator.clipboard.writeText(text).then(
      () => setDone(true),
      () => setDone(false),
    );
  return (
    <button type="button" className="agor-btn agor-sm agor-ghost" aria-label={words.copyOf(label)} onClick={copy}>
      {isDone ? words.copied : words.copy}
    </button>
  );
}
