// Whether what is changed of a zone is saved, and what a colleague changed meanwhile.
import { useEffect, useRef } from 'react';

import { dialogTexts } from '../../texts';
import type { Editing } from './usePolicy.js';

const words = dialogTexts.zone.dialog;

export function SaveLine({ editing: { state, problem, conflicts, flush }, mayEdit }: { editing: Editing; mayEdit: boolean }) {
  if (!mayEdit) return null;
  if (conflicts.length) return <span className="agor-save agor-need-text">{words.disputed}</span>;
  if (state === 'failed')
    return (
      <span className="agor-save agor-fail-text" role="alert">
        {words.notSaved}: {problem}{' '}
        <button type="button" className="agor-link" onClick={() => void flush()}>
          {words.sendAgain}
        </button>
      </span>
    );
  return (
    <span className="agor-save agor-t3" role="status" data-save={state}>
      {state === 'saved' ? words.saved : state === 'saving' ? words.saving : words.unsaved}
    </span>
  );
}

export function Conflict({ editing: { conflicts, settle } }: { editing: Editing }) {
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => shown.current?.scrollIntoView({ block: 'nearest' }), [conflicts]);
  if (!conflicts.length) return null;
  return (
    <div ref={shown} className="agor-conflict" role="alert">
      <p>{words.conflict(conflicts.map(name => words.fields[name]).join(', '))}</p>
      <div className="agor-row">
        <button type="button" className="agor-btn agor-sm" onClick={() => settle(true)}>
          {words.keepMine}
        </button>
        <button type="button" className="agor-btn agor-sm agor-ghost" onClick={() => settle(false)}>
          {words.takeTheirs}
        </button>
      </div>
    </div>
  );
}
