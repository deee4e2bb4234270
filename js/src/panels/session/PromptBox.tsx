// Where a person prompts. A draft is kept per session; what could not be sent stays in the box with the id it had.
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';

import type { Session, Turn } from '../../protocol/generated.js';
import { newKey } from '../../session/requests.js';
import { dialogTexts, texts } from '../../texts';
import { readDraft, writeDraft } from '../common/drafts.js';
import { Icon } from '../common/Icon.js';
import { canSteer, useApp, useCommand, useShared, useView } from '../context.js';
import { AttachedDrafts } from './Attached.js';
import { useAttachments } from './attachments.js';
import { useLastQueued } from './queued.js';

const BUSY = new Set<Session['state']>(['starting', 'running', 'needs_you', 'stopping', 'queued', 'parked']);

export function PromptBox({ session, label }: { session: Session; label: string }) {
  const { commands } = useApp();
  const shared = useShared();
  const { promptFocus } = useView();
  const [text, setText] = useState(() => readDraft(session.id));
  const typed = useRef(text);
  typed.current = text;
  const { run, isRunning, problem, clear } = useCommand();
  const box = useRef<HTMLTextAreaElement>(null);
  /** The id of the prompt in the box. It changes with the text, so the same text sent again is the same command. */
  const key = useRef(newKey());
  const last = useLastQueued(session, queue =>
    commands.changeSession(session.id, { queue }).then(
      () => true,
      (error: unknown) => {
        commands.toast({ text: error instanceof Error ? error.message : String(error) });
        return false;
      },
    ),
  );

  const sees = shared.agents.get(session.agent)?.agent.capabilities.takesImages;
  const renew = () => {
    key.current = newKey();
    clear();
  };
  const attached = useAttachments(session.id, session.worktreeId, sees === false ? dialogTexts.attach.refused(label) : null, renew);

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
    let turn: Turn | null = null;
    last.sent();
    const isSent = await run(async () => {
      turn = await commands.prompt(session.id, text.trim() ? text : dialogTexts.attach.alone, attached.ids, key.current);
    });
    last.came(turn);
    if (isSent) {
      // What was typed while it was on its way is the next one.
      if (typed.current === text) change('');
      else renew();
      attached.clear();
    }
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      if (last.move(event.key === 'ArrowUp' ? -1 : 1)) event.preventDefault();
      return;
    }
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    void send();
  };
  if (!maySteer) return <p className="agor-prompt-closed">{dialogTexts.panel.readOnly}</p>;
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
        placeholder={dialogTexts.panel.promptPlaceholder(label)}
        aria-label={dialogTexts.panel.promptPlaceholder(label)}
        onChange={event => change(event.target.value)}
        onPaste={attached.paste}
        onKeyDown={onKeyDown}
      />
      <div className="agor-prompt-foot">
        <span className="agor-xs agor-t3 agor-ell">{dialogTexts.panel.newLine}</span>
        <span className="agor-grow" />
        {isBusy && waits > 0 && <span className="agor-xs agor-t3">{dialogTexts.panel.waitsBehind(waits)}</span>}
        <button type="button" className="agor-btn agor-ghost agor-sm" onClick={() => commands.openDialog('fork', { sessionId: session.id, text })}>
          <Icon name="fork" size={14} />
          {dialogTexts.panel.fork}
        </button>
        <button
          type="button"
          className={`agor-btn agor-sm${isWhole ? ' agor-primary' : ''}`}
          disabled={!isWhole || isRunning}
          onClick={() => void send()}
        >
          {isBusy ? dialogTexts.panel.queueIt : dialogTexts.panel.send}
          <Icon name="enter" size={12} />
        </button>
      </div>
    </div>
  );
}
