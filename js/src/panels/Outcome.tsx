// What a turn that failed or was interrupted means, and what can be done about it.
import type { Session, Turn } from '../protocol/generated.js';
import { texts } from '../texts.js';
import { canSteer, useApp, useCommand, useShared } from './context.js';
import { Problem } from './Dialog.js';
import { Icon } from './Icon.js';
import { visible } from './safe.js';
import { count } from './words.js';

/** The turn that waits for a decision: interrupted and unresolved, or the last one when it failed. */
export function openOutcome(session: Session, turns: Iterable<Turn>): Turn | null {
  let found: Turn | null = null;
  for (const turn of turns) {
    if (turn.sessionId !== session.id || turn.resolution !== null) continue;
    const isOpen = turn.state === 'interrupted' || (turn.state === 'failed' && turn.id === session.lastTurnId);
    if (isOpen && (!found || turn.number > found.number)) found = turn;
  }
  return found;
}

export function Outcome({ turn }: { turn: Turn }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const isInterrupted = turn.state === 'interrupted';
  const act = (job: () => Promise<void>) => void run(job);
  return (
    <section className="agor-outcome" aria-label={texts.states[turn.state]} data-outcome={turn.state}>
      <div className="agor-outcome-title">
        <Icon name="st-failed" size={14} />
        <span>{turn.error ? visible(turn.error) : isInterrupted ? texts.outcome.interrupted : texts.outcome.failed}</span>
      </div>
      <p>{turn.files > 0 ? texts.outcome.kept(count(turn.files, 'file')) : isInterrupted ? texts.outcome.safe : texts.outcome.nothing}</p>
      {canSteer(shared) && (
        <div className="agor-row agor-wrap">
          <button type="button" className="agor-btn" disabled={isRunning} onClick={() => act(() => commands.resume(turn.id))}>
            {texts.outcome.resume}
          </button>
          <button type="button" className="agor-btn" disabled={isRunning} onClick={() => act(() => commands.retry(turn.id))}>
            {texts.outcome.retry}
          </button>
          {isInterrupted && (
            <button type="button" className="agor-btn agor-ghost" disabled={isRunning} onClick={() => act(() => commands.discard(turn.id))}>
              {texts.outcome.discard}
            </button>
          )}
        </div>
      )}
      <Problem text={problem} />
    </section>
  );
}
