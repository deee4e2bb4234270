// A turn that waits for its model, or for money: what happened, what is safe, what comes next.
import type { Session, Turn } from '../../protocol/generated.js';
import { parked } from '../../store/parked.js';
import { texts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useCommand, useNow, useShared } from '../context.js';
import { ForkMenu } from './Fork.js';

export function ParkedBlock({ session, turn }: { session: Session; turn: Turn }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const now = useNow(turn.retryAt === null ? 60_000 : 1000);
  const said = parked(turn, shared, now);
  const isBudget = turn.errorCode === 'budget';
  return (
    <section className={`agor-parked${isBudget ? ' agor-parked-budget' : ''}`} aria-label={said.title} data-parked={turn.errorCode ?? ''}>
      <div className="agor-parked-title">
        <span className={`agor-mark agor-tone-${isBudget ? 'need' : 'rest'}`}>
          <Icon name={isBudget ? 'coin' : 'st-queued'} size={14} />
        </span>
        <span className="agor-grow">{said.title}</span>
        {turn.parks > 1 && <span className="agor-xs agor-t3">{texts.parked.tried(turn.parks)}</span>}
      </div>
      {turn.error && turn.error !== said.title && <p className="agor-parked-why">{visible(turn.error)}</p>}
      <p>
        {said.kept} <span data-next>{said.next}</span>
      </p>
      {canSteer(shared) && (
        <div className="agor-row agor-wrap">
          {isBudget ? (
            shared.me?.role === 'owner' && (
              <button type="button" className="agor-btn agor-need" onClick={() => commands.openDialog('budget', { sessionId: session.id })}>
                {texts.budget.raise}
              </button>
            )
          ) : (
            <button type="button" className="agor-btn" disabled={isRunning} onClick={() => void run(() => commands.retry(turn.id))}>
              {said.needsPerson ? texts.outcome.retry : texts.parked.retryNow}
            </button>
          )}
          <ForkMenu session={session} />
          <button type="button" className="agor-btn agor-ghost" disabled={isRunning} onClick={() => void run(() => commands.cancelTurn(turn.id))}>
            {texts.cancel}
          </button>
        </div>
      )}
      <Problem text={problem} />
    </section>
  );
}
