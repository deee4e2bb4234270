// What a turn that failed or was interrupted means, and what can be done about it.

import { useState } from 'react';
import type { Session, Turn } from '../../protocol/generated.js';
import type { TurnBlock } from '../../session/transcript/fold.js';
import { dialogTexts, texts } from '../../texts';
import { count } from '../../texts/counts.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentLabel, canSteer, useApp, useCommand, useShared } from '../context.js';
import { ForkMenu } from './Fork.js';

/** The turn that waits for a decision: interrupted and unresolved, or the last one when it failed and nothing was asked since. */
export function openOutcome(session: Session, turns: Iterable<Turn>): Turn | null {
  let found: Turn | null = null;
  for (const turn of turns) {
    if (turn.sessionId !== session.id || turn.resolution !== null) continue;
    const isLast = turn.id === session.lastTurnId && session.currentTurnId === null && session.queue.length === 0;
    const isOpen = turn.state === 'interrupted' || (turn.state === 'failed' && isLast);
    if (isOpen && (!found || turn.number > found.number)) found = turn;
  }
  return found;
}

export function Outcome({ session, turn, blocks }: { session: Session; turn: Turn; blocks: readonly TurnBlock[] }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const [isLogOpen, setLogOpen] = useState(false);
  const isInterrupted = turn.state === 'interrupted';
  const said = whatHappened(turn, agentLabel(shared, session.agent));
  const log = logOf(turn, blocks);
  const act = (job: () => Promise<void>) => void run(job);
  return (
    <section className="agor-outcome" aria-label={texts.states[turn.state]} data-outcome={turn.state} data-code={turn.errorCode ?? undefined}>
      <div className="agor-outcome-title">
        <Icon name="st-failed" size={14} />
        <span>{visible(said.title)}</span>
      </div>
      {said.detail && <p className="agor-outcome-why">{visible(said.detail)}</p>}
      <p>{turn.files > 0 ? texts.outcome.kept(count(turn.files, 'file')) : isInterrupted ? dialogTexts.outcome.safe : dialogTexts.outcome.nothing}</p>
      {isLogOpen && <pre tabIndex={0}>{visible(log)}</pre>}
      <div className="agor-row agor-wrap">
        {canSteer(shared) && (
          <>
            {turn.errorCode === 'auth_required' && (
              <button type="button" className="agor-btn agor-primary" onClick={() => commands.openDialog('agents', { agent: session.agent })}>
                {texts.agents.signIn}
              </button>
            )}
            {turn.errorCode === 'budget_exhausted' && shared.me?.role === 'owner' && (
              <button type="button" className="agor-btn" onClick={() => commands.openDialog('budget', { sessionId: session.id })}>
                {texts.budget.raise}
              </button>
            )}
            {turn.errorCode === 'untrusted' && shared.me?.role === 'owner' && (
              <button type="button" className="agor-btn" onClick={() => commands.openDialog('trust', { sessionId: session.id })}>
                {dialogTexts.menu.trust}
              </button>
            )}
            <button type="button" className="agor-btn" disabled={isRunning} onClick={() => act(() => commands.resume(turn.id))}>
              {dialogTexts.outcome.resume}
            </button>
            {turn.origin === 'prompt' && (
              <button type="button" className="agor-btn" disabled={isRunning} onClick={() => act(() => commands.retry(turn.id))}>
                {texts.outcome.retry}
              </button>
            )}
            {!isInterrupted && <ForkMenu session={session} isGhost />}
            {isInterrupted && (
              <button type="button" className="agor-btn agor-ghost" disabled={isRunning} onClick={() => act(() => commands.discard(turn.id))}>
                {dialogTexts.outcome.discard}
              </button>
            )}
          </>
        )}
        {log && (
          <button type="button" className="agor-btn agor-ghost" aria-expanded={isLogOpen} onClick={() => setLogOpen(!isLogOpen)}>
            {dialogTexts.outcome.log}
          </button>
        )}
      </div>
      <Problem text={problem} />
    </section>
  );
}

/** In our words where the reason is known, with the agent's own beside it. */
function whatHappened(turn: Turn, label: string): { title: string; detail: string | null } {
  const titles: Readonly<Record<string, string>> = {
    auth_required: texts.outcome.signedOut(label),
    provider_error: dialogTexts.outcome.refused,
    agent_failed: dialogTexts.outcome.ended(label),
    budget_exhausted: texts.outcome.overBudget,
  };
  const known = turn.errorCode === null ? undefined : titles[turn.errorCode];
  if (known) return { title: known, detail: turn.error };
  const plain = turn.state === 'interrupted' ? dialogTexts.outcome.interrupted : dialogTexts.outcome.failed;
  return { title: turn.error ?? plain, detail: null };
}

/** What the transcript has of the end of this turn. */
function logOf(turn: Turn, blocks: readonly TurnBlock[]): string {
  const items = blocks.find(({ turnId }) => turnId === turn.id)?.items ?? [];
  return items.flatMap(item => ((item.kind === 'error' || item.kind === 'notice') && item.text !== turn.error ? [item.text] : [])).join('\n');
}
