// A zone that asks before it runs: what would be prompted, to whom, and with which settings.
import { type FormEvent, useRef, useState } from 'react';

import type { Firing, Session, Worktree, ZonePolicy } from '../../protocol/generated.js';
import { newKey, firings as requests } from '../../session/requests.js';
import { workIn } from '../../store/firings.js';
import { plain } from '../../store/plain.js';
import { sessionsOf, sessionWords } from '../../store/standing.js';
import { dialogTexts, texts } from '../../texts';
import { age } from '../../texts/ages.js';
import { money } from '../../texts/money.js';
import { Dialog, Field } from '../common/Dialog.js';
import { useDraft } from '../common/drafts.js';
import { AgentTile, Mark } from '../common/Icon.js';
import { Segments } from '../common/Inputs.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentIcon, agentLabel, canSteer, useApp, useCommand, useNow, useShared } from '../context.js';
import { AgentFields, useAgentChoice } from '../session/AgentChoice.js';
import { submitKeys } from '../worktree/WorktreeDialog.js';

const words = dialogTexts.zone.ask;

export function AskDialog({ firingId }: { firingId: string }) {
  const { commands } = useApp();
  const shared = useShared();
  const firing = shared.firings.get(firingId);
  const worktree = firing && shared.worktrees.get(firing.worktreeId);
  if (firing?.state === 'asking' && worktree) return <Asking firing={firing} worktree={worktree} />;
  return (
    <Dialog title={firing?.zone ?? texts.zone.start} onClose={() => commands.closeDialog()}>
      <p className="agor-nothing">{words.over}</p>
    </Dialog>
  );
}

function Asking({ firing, worktree }: { firing: Firing; worktree: Worktree }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const { policy } = firing;
  const sessions = sessionsOf(worktree.id, shared);
  const latest = [...sessions].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1))[0];
  const mayChoose = policy.target === 'ask' || policy.target === 'latest';
  const [sessionId, setSessionId] = useState<string | null>(
    () => firing.sessionId ?? (policy.target === 'new' ? null : (sensible(sessions)?.id ?? null)),
  );
  const draft = useDraft(`ask ${firing.id}`, { prompt: firing.prompt ?? '' });
  const choice = useAgentChoice(policy.agent || undefined);
  const [how, setHow] = useState<ZonePolicy['how']>(firing.how ?? policy.how);
  const { run, isRunning, problem } = useCommand();
  const key = useRef(newKey());
  const chosen = sessions.find(({ id }) => id === sessionId);
  const label = chosen && how === 'prompt' ? agentLabel(shared, chosen.agent) : (choice.status?.agent.label ?? '');
  const { inWork } = workIn(firing.zoneId, shared);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => {
      const own = chosen && how === 'prompt' ? {} : { agent: choice.agent, options: { ...policy.options, ...choice.options } };
      const prompt = firing.prompt === null ? {} : { prompt: draft.values.prompt };
      await requests.start(client, firing.id, { ...prompt, sessionId, ...(chosen ? { how } : {}), ...own }, key.current);
      draft.forget();
      commands.closeDialog();
    });
  };
  const takeBack = () => void run(() => commands.decide(firing.id, 'withdraw')).then(isDone => isDone && commands.closeDialog());
  return (
    <Dialog
      title={words.title(worktree.name, firing.zone)}
      onClose={() => commands.closeDialog()}
      width={540}
      footer={
        <>
          <span className="agor-grow agor-t3">
            {words.place(inWork, policy.limit, firing.zone)}
            {policy.budgetUsd !== null && ` ${words.budget(money(policy.budgetUsd, false))}.`}
          </span>
          {canSteer(shared) && (
            <button type="button" className="agor-btn agor-ghost" disabled={isRunning} onClick={takeBack}>
              {words.takeBack}
            </button>
          )}
          <button type="button" className="agor-btn" onClick={() => commands.closeDialog()}>
            {words.notNow}
          </button>
          {canSteer(shared) && (
            <button type="submit" form="agor-ask-form" className="agor-btn agor-primary" disabled={isRunning}>
              {firing.prompt === null || !label ? words.startOnly : words.start(label)}
              <kbd className="agor-kbd">Ctrl ↵</kbd>
            </button>
          )}
        </>
      }
    >
      <form id="agor-ask-form" onSubmit={event => void submit(event)} onKeyDown={submitKeys} onChange={() => (key.current = newKey())}>
        {mayChoose && (
          <div className="agor-field" role="radiogroup" aria-label={words.which}>
            <span className="agor-field-name">{words.which}</span>
            <div className="agor-choose">
              <Row isChosen={sessionId === null} onChoose={() => setSessionId(null)}>
                <span className="agor-grow">{words.newSession}</span>
              </Row>
              {treeOf(sessions).map(({ session, depth }) => (
                <SessionRow
                  key={session.id}
                  session={session}
                  depth={depth}
                  isLatest={session === latest}
                  isChosen={session.id === sessionId}
                  onChoose={() => setSessionId(session.id)}
                />
              ))}
            </div>
          </div>
        )}
        {mayChoose && chosen && (
          <Segments<ZonePolicy['how']> label={words.how} value={how} options={dialogTexts.zone.dialog.hows} hint={words.hows[how]} onPick={setHow} />
        )}
        {firing.prompt !== null && (
          <Field label={words.prompt} hint={words.promptHint}>
            {id => (
              <textarea
                id={id}
                data-autofocus
                className="agor-input"
                rows={6}
                value={draft.values.prompt}
                readOnly={!canSteer(shared)}
                onChange={event => draft.set({ prompt: event.target.value })}
              />
            )}
          </Field>
        )}
        {firing.prompt !== null && !(chosen && how === 'prompt') && <AgentFields choice={choice} label={dialogTexts.session.agent} />}
        <Problem text={problem} />
      </form>
    </Dialog>
  );
}

function Row({ isChosen, onChoose, depth = 0, children }: { isChosen: boolean; onChoose: () => void; depth?: number; children: React.ReactNode }) {
  return (
    <label className="agor-choose-row" data-chosen={isChosen || undefined} style={{ paddingLeft: 8 + depth * 16 }}>
      <input type="radio" name="agor-ask-session" checked={isChosen} onChange={onChoose} />
      {children}
    </label>
  );
}

interface SessionRowProps {
  session: Session;
  depth: number;
  isLatest: boolean;
  isChosen: boolean;
  onChoose: () => void;
}

function SessionRow({ session, depth, isLatest, isChosen, onChoose }: SessionRowProps) {
  const shared = useShared();
  const now = useNow(30_000);
  const { contextUsed, contextSize } = session.usage;
  const percent = contextUsed !== null && contextSize ? Math.round((100 * contextUsed) / contextSize) : null;
  return (
    <Row isChosen={isChosen} onChoose={onChoose} depth={depth}>
      <AgentTile icon={agentIcon(shared, session.agent)} label={agentLabel(shared, session.agent)} />
      <span className="agor-ell agor-grow">{visible(plain(session.title)) || texts.panel.untitled}</span>
      {isLatest && <span className="agor-pill agor-tint-rest">{words.latest}</span>}
      <span className="agor-xs agor-t3">
        {age(session.updatedAt, now)}
        {percent !== null && `, ${words.context(percent)}`}
      </span>
      <Mark state={session.state} label={sessionWords(session, shared)} size={14} />
    </Row>
  );
}

const isResting = ({ state }: Session): boolean => state === 'idle' || state === 'done' || state === 'cancelled';

/** The latest that could take a prompt now; else the latest. */
export function sensible(sessions: readonly Session[]): Session | undefined {
  const byTime = [...sessions].sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
  return byTime.find(isResting) ?? byTime[0];
}

/** Sessions below those that they came from, oldest first. */
export function treeOf(sessions: readonly Session[]): { session: Session; depth: number }[] {
  const rows: { session: Session; depth: number }[] = [];
  const ids = new Set(sessions.map(({ id }) => id));
  const used = new Set<string>();
  const add = (session: Session, depth: number) => {
    if (used.has(session.id)) return;
    used.add(session.id);
    rows.push({ session, depth });
    for (const one of sessions) if ((one.parentId ?? one.originId) === session.id) add(one, depth + 1);
  };
  for (const session of sessions) if (!ids.has(session.parentId ?? session.originId ?? '')) add(session, 0);
  // Sessions that name each other have no root.
  for (const session of sessions) add(session, 0);
  return rows;
}
