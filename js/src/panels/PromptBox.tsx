// Where a person prompts. A draft is kept per session; what could not be sent stays in the box with the id it had.
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';

import type { Session } from '../protocol/generated.js';
import { texts } from '../texts.js';
import { newKey } from '../transport/http.js';
import { AttachedDrafts } from './Attached.js';
import { useAttachments } from './attachments.js';
import { canSteer, useApp, useCommand, useShared, useView } from './context.js';
import { Icon } from './Icon.js';

const DRAFT = 'agor:draft:';
const BUSY = new Set<Session['state']>(['starting', 'running', 'needs_you', 'stopping', 'queued', 'parked']);

export function PromptBox({ session, label }: { session: Session; label: string }) {
  const { commands } = useApp();
  const shared = useShared();
  const { promptFocus } = useView();
  const [text, setText] = useState(() => readDraft(session.id));
  const { run, isRunning, problem, clear } = useCommand();
  const box = useRef<HTMLTextAreaElement>(null);
  /** The id of the prompt in the box. It changes with the text, so the same text sent again is the same command. */
  const key = useRef(newKey());
  const moved = useRef<string | null>(null);

  const sees = shared.agents.get(session.agent)?.agent.takesImages;
  const renew = () => {
    key.current = newKey();
    clear();
  };
  const attached = useAttachments(session.id, session.worktreeId, sees === false ? texts.attach.refused(label) : null, renew);

  useEffect(() => setText(readDraft(session.id)), [session.id]);
  useEffect(() => {
    if (promptFocus) box.current?.focus({ preventScroll: true });
  }, [promptFocus, session.id]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, 220)}px`;
  }, [text]);

  const change = (next: string) => {
    setText(next);
    renew();
    writeDraft(session.id, next);
  };
  const waits = session.queue.length + (session.currentTurnId ? 1 : 0);
  const isBusy = BUSY.has(session.state);
  const maySteer = canSteer(shared);
  /** Nothing of it is still on its way. */
  const isWhole = Boolean(text.trim() || attached.ids.length) && !attached.isBusy;
  const send = async () => {
    if (!isWhole || isRunning || !maySteer) return;
    const isSent = await run(() => commands.prompt(session.id, text.trim() ? text : texts.attach.alone, attached.ids, key.current));
    if (isSent) {
      change('');
      attached.clear();
      moved.current = null;
    }
    box.current?.focus();
  };
  /** Right after queuing, the prompt that was queued last moves without leaving the box. */
  const moveLast = (step: -1 | 1) => {
    const mine = session.queue.filter(id => shared.turns.get(id)?.createdBy.username === shared.me?.person.username);
    const last = moved.current && session.queue.includes(moved.current) ? moved.current : mine.at(-1);
    if (!last) return;
    moved.current = last;
    const rest = session.queue.filter(id => id !== last);
    const at = Math.max(0, Math.min(rest.length, session.queue.indexOf(last) + step));
    rest.splice(at, 0, last);
    void run(() => commands.changeSession(session.id, { queue: rest }));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown') && session.queue.length) {
      event.preventDefault();
      return moveLast(event.key === 'ArrowUp' ? -1 : 1);
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    void send();
  };
  if (!maySteer) return <p className="agor-prompt-closed">{texts.panel.readOnly}</p>;
  return (
    <div className="agor-prompt" onDragOver={attached.dragOver} onDrop={attached.drop}>
      {problem && (
        <div className="agor-fail-strip agor-row" role="alert">
          <span className="agor-grow">
            <b>{texts.connection.notSentTitle}</b> {problem}
          </span>
          <button type="button" className="agor-btn agor-sm" onClick={() => void send()}>
            {texts.connection.sendAgain}
          </button>
        </div>
      )}
      {attached.problem && (
        <p className="agor-fail-strip" role="alert">
          {attached.problem}
        </p>
      )}
      <AttachedDrafts list={attached.list} onRemove={attached.remove} />
      <textarea
        ref={box}
        rows={1}
        value={text}
        placeholder={texts.panel.promptPlaceholder(label)}
        aria-label={texts.panel.promptPlaceholder(label)}
        onChange={event => change(event.target.value)}
        onPaste={attached.paste}
        onKeyDown={onKeyDown}
      />
      <div className="agor-prompt-foot">
        <span className="agor-xs agor-t3 agor-ell">{texts.panel.newLine}</span>
        <span className="agor-grow" />
        {isBusy && waits > 0 && <span className="agor-xs agor-t3">{texts.panel.waitsBehind(waits)}</span>}
        <button
          type="button"
          className="agor-btn agor-ghost agor-sm"
          onClick={() => commands.openDialog('fork', { sessionId: session.id, text })}
        >
          <Icon name="fork" size={14} />
          {texts.panel.fork}
        </button>
        <button
          type="button"
          className={`agor-btn agor-sm${isWhole ? ' agor-primary' : ''}`}
          disabled={!isWhole || isRunning}
          onClick={() => void send()}
        >
          {isBusy ? texts.panel.queueIt : texts.panel.send}
          <Icon name="enter" size={12} />
        </button>
      </div>
    </div>
  );
}

function readDraft(id: string): string {
  return sessionStorage.getItem(DRAFT + id) ?? '';
}
function writeDraft(id: string, text: string): void {
  if (text) sessionStorage.setItem(DRAFT + id, text);
  else sessionStorage.removeItem(DRAFT + id);
}
