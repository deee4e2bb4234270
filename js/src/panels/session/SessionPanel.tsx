// A session beside the board: its head, plan, transcript, question, queue and prompt box.
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';

import type { Permission, Session, Turn } from '../../protocol/generated.js';
import { openFeed, type TranscriptFeed } from '../../session/transcript/feed.js';
import { parkedTurn } from '../../store/parked.js';
import { dialogTexts } from '../../texts';
import type { MenuItem } from '../common/Menu.js';
import { PermissionBlock } from '../consent/Permission.js';
import { agentLabel, canSteer, useApp, useShared } from '../context.js';
import { Transcript } from '../transcript/Transcript.js';
import { FiringBlock } from '../zone/FiringBlock.js';
import { Outcome, openOutcome } from './Outcome.js';
import { ParkedBlock } from './Parked.js';
import { PlanView } from './Plan.js';
import { PromptBox } from './PromptBox.js';
import { Queue } from './Queue.js';
import { SessionHead } from './SessionHead.js';
import { SideQuestions } from './SideQuestions.js';
import { Waiting } from './Waiting.js';

export function SessionPanel({ session }: { session: Session }) {
  const { client } = useApp();
  const [feed, setFeed] = useState<TranscriptFeed | null>(null);
  useEffect(() => {
    const held = client.holdFeed(session.id, openFeed);
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
  const waits = session.state === 'parked' ? parkedTurn(session, shared) : undefined;
  const worktree = shared.worktrees.get(session.worktreeId);
  const outcome = openOutcome(session, turns.values());
  const menuOf = (turn: Turn): MenuItem[] => {
    const of = { sessionId: session.id, turnId: turn.id };
    return [
      { id: 'fork', label: dialogTexts.fork.here, icon: 'fork', run: () => commands.openDialog('fork', of) },
      { id: 'side', label: dialogTexts.fork.askHere, icon: 'thought', run: () => commands.openDialog('fork', { ...of, isSide: true }) },
    ];
  };
  return (
    <div className="agor-session-body">
      {state.plan && <PlanView plan={state.plan} />}
      <Transcript
        key={session.id}
        sessionId={session.id}
        feed={state}
        currentTurnId={session.currentTurnId}
        menuOf={canSteer(shared) ? menuOf : null}
        outcomeTurnId={permission ? null : (outcome?.id ?? null)}
        onEarlier={() =>
          feed.loadEarlier().then(
            () => true,
            () => {
              commands.toast({ text: dialogTexts.transcript.notLoaded });
              return false;
            },
          )
        }
      />
      {permission && <PermissionBlock permission={permission} takesFocus={false} />}
      {!permission && waits && <ParkedBlock session={session} turn={waits} />}
      {!permission && !waits && outcome && <Outcome session={session} turn={outcome} blocks={state.blocks} />}
      {!permission && worktree && <FiringBlock worktree={worktree} isBrief />}
      {!permission && <Waiting session={session} />}
      <SideQuestions session={session} />
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
