// A session beside the board: its head, plan, transcript, question, queue and prompt box.
import { type KeyboardEvent, useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import type { Permission, Session, Turn } from '../protocol/generated.js';
import { texts } from '../texts.js';
import { agentIcon, agentLabel, canSteer, useApp, useCommand, useShared } from './context.js';
import { Problem } from './Dialog.js';
import { AgentTile, Icon, IconButton } from './Icon.js';
import { openOutcome, Outcome } from './Outcome.js';
import { PermissionBlock } from './Permission.js';
import { PlanView } from './Plan.js';
import { PromptBox } from './PromptBox.js';
import { Queue } from './Queue.js';
import { Readers } from './Readers.js';
import { visible } from './safe.js';
import { Transcript } from './Transcript.js';
import type { TranscriptFeed } from './transcript/feed.js';
import { money } from './words.js';

export function SessionPanel({ session }: { session: Session }) {
  const { client } = useApp();
  const [feed, setFeed] = useState<TranscriptFeed | null>(null);
  useEffect(() => {
    const held = client.holdFeed(session.id);
    setFeed(held.feed);
    return held.release;
  }, [client, session.id]);
  return (
    <>
      <SessionHead session={session} />
      {feed?.sessionId === session.id && <SessionBody session={session} feed={feed} />}
    </>
  );
}

function SessionBody({ session, feed }: { session: Session; feed: TranscriptFeed }) {
  const { commands } = useApp();
  const shared = useShared();
  const state = useSyncExternalStore(feed.subscribe, feed.getState);
  const permission = usePermission(session);
  const turns = useMemo(() => mergeTurns(state.turns, shared.turns), [state.turns, shared.turns]);
  const outcome = openOutcome(session, turns.values());
  const onKeyDown = (event: KeyboardEvent) => {
    // In the transcript the answer keys work without going to the buttons first.
    if (!permission || event.defaultPrevented || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key !== '1' && event.key !== '2' && event.key !== '3') return;
    const block = event.currentTarget.querySelector<HTMLElement>(`[data-permission="${permission.id}"]`);
    block?.querySelector<HTMLButtonElement>(`[aria-keyshortcuts="${event.key}"]`)?.click();
  };
  return (
    <div className="agor-session-body" onKeyDown={onKeyDown}>
      {state.plan && <PlanView plan={state.plan} />}
      <Transcript
        key={session.id}
        feed={state}
        currentTurnId={session.currentTurnId}
        outcomeTurnId={permission ? null : (outcome?.id ?? null)}
        onEarlier={() => void feed.loadEarlier().catch(() => commands.toast({ text: texts.transcript.notLoaded }))}
      />
      {permission && <PermissionBlock permission={permission} takesFocus={false} />}
      {!permission && outcome && <Outcome turn={outcome} />}
      {!permission && <Waiting session={session} />}
      <Queue session={session} turns={turns} />
      <PromptBox session={session} label={agentLabel(shared, session.agent)} />
    </div>
  );
}

function usePermission(session: Session): Permission | null {
  const { permissions } = useShared();
  if (session.openPermissionId) return permissions.get(session.openPermissionId) ?? null;
  for (const permission of permissions.values()) if (permission.sessionId === session.id) return permission;
  return null;
}

/** The list of the panel, and what the stream has said since. */
function mergeTurns(listed: ReadonlyMap<string, Turn>, live: ReadonlyMap<string, Turn>): ReadonlyMap<string, Turn> {
  const merged = new Map(listed);
  for (const [id, turn] of live) if (!merged.has(id)) merged.set(id, turn);
  return merged;
}

const isTyping = (target: EventTarget): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** Every wait names what it waits for. */
function Waiting({ session }: { session: Session }) {
  const shared = useShared();
  const label = agentLabel(shared, session.agent);
  const text =
    session.state === 'starting'
      ? texts.panel.starting(label)
      : session.state === 'stopping'
        ? texts.panel.stopping(label)
        : session.state === 'queued'
          ? texts.panel.waitsForSlot
          : null;
  if (!text) return null;
  return (
    <div className="agor-waiting" role="status">
      <Icon name={session.state === 'queued' ? 'st-queued' : 'st-starting'} size={14} />
      <span>{text}</span>
    </div>
  );
}

const STOPPABLE = new Set<Session['state']>(['starting', 'running', 'needs_you']);

function SessionHead({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const worktree = shared.worktrees.get(session.worktreeId);
  const siblings = shared.sessionsOf.get(session.worktreeId) ?? [];
  const label = agentLabel(shared, session.agent);
  const { usage } = session;
  const context =
    usage.contextUsed !== null && usage.contextSize ? Math.min(100, Math.round((usage.contextUsed / usage.contextSize) * 100)) : null;
  return (
    <header className="agor-panel-head">
      <div className="agor-crumb">
        <Icon name="branch" size={12} />
        <button
          type="button"
          className="agor-link-quiet agor-ell"
          onClick={() => commands.openDiff(session.worktreeId)}
          title={texts.panel.showWorktree}
        >
          <code>{visible(worktree?.branch ?? '')}</code>
        </button>
        <Icon name="right" size={12} />
        <span className="agor-nowrap">{texts.panel.sessionOf(siblings.indexOf(session.id) + 1, siblings.length)}</span>
        <span className="agor-grow" />
        <Readers sessionId={session.id} />
        <IconButton icon="diff" label={texts.panel.changes} onClick={() => commands.openDiff(session.worktreeId)} />
        <IconButton icon="close" label={texts.panel.close} onClick={() => commands.closePanel()} />
      </div>
      <div className="agor-row agor-panel-title">
        <AgentTile icon={agentIcon(shared, session.agent)} label={label} />
        <h2 className="agor-grow agor-ell" title={visible(session.title)}>
          {visible(session.title) || texts.panel.untitled}
        </h2>
        <StatePill state={session.state} />
      </div>
      <div className="agor-row agor-panel-meta">
        <span className="agor-t2">{label}</span>
        <span className="agor-grow" />
        {context !== null && (
          <span className="agor-gauge" title={texts.panel.context}>
            <span className="agor-track">
              <i style={{ width: `${context}%` }} />
            </span>
            {texts.panel.contextUsed(context, Math.round((usage.contextSize ?? 0) / 1000))}
          </span>
        )}
        {usage.costUsd !== null && <span className="agor-xs agor-t2">{money(usage.costUsd, usage.isEstimate)}</span>}
        {STOPPABLE.has(session.state) && canSteer(shared) && (
          <button
            type="button"
            className="agor-btn agor-sm"
            disabled={isRunning}
            onClick={() => void run(() => commands.cancelSession(session.id))}
          >
            <Icon name="stop" size={14} />
            {texts.panel.stop}
          </button>
        )}
      </div>
      <Problem text={problem} />
    </header>
  );
}

const TONES: Partial<Record<Session['state'], string>> = {
  needs_you: 'need',
  running: 'run',
  failed: 'fail',
  interrupted: 'fail',
  done: 'done',
};

function StatePill({ state }: { state: Session['state'] }) {
  return <span className={`agor-pill agor-tint-${TONES[state] ?? 'rest'}`}>{texts.states[state]}</span>;
}
