// Every wait names what it waits for.

import type { Session } from '../../protocol/generated.js';
import { dialogTexts, texts } from '../../texts';
import { lasting } from '../../texts/ages.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { agentLabel, canSteer, useApp, useCommand, useNow, useShared } from '../context.js';

export function Waiting({ session }: { session: Session }) {
  const shared = useShared();
  if (session.stalledAt !== null && session.currentTurnId !== null) return <Stalled session={session} since={session.stalledAt} />;
  const background = session.currentTurnId === null ? session.background : [];
  const text =
    waitOf(session, agentLabel(shared, session.agent)) ?? (background.length ? texts.panel.background(visible(background.join(', '))) : null);
  if (!text) return null;
  const icon = background.length && session.state !== 'queued' ? 'st-running' : session.state === 'queued' ? 'st-queued' : 'st-starting';
  return (
    <div className="agor-waiting" role="status">
      <Icon name={icon} size={14} />
      <span className="agor-ell">{text}</span>
    </div>
  );
}

function waitOf(session: Session, label: string): string | null {
  switch (session.state) {
    case 'starting':
      return session.waitsFor ? texts.panel.waitsFor(visible(session.waitsFor)) : dialogTexts.panel.starting(label);
    case 'queued':
      return session.waitsFor ? texts.panel.waitsFor(visible(session.waitsFor)) : dialogTexts.panel.waitsForSlot;
    case 'stopping':
      return dialogTexts.panel.stopping(label);
    default:
      return null;
  }
}

/** Nothing was heard of the agent for long: it may hang. */
function Stalled({ session, since }: { session: Session; since: string }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const now = useNow(15_000);
  const agent = shared.agents.get(session.agent)?.agent;
  const isSilent = typeof agent?.failures.silentRetryS === 'number' && session.state === 'running';
  return (
    <section className="agor-parked" role="status" data-stalled>
      <div className="agor-parked-title">
        <span className="agor-mark agor-tone-rest">
          <Icon name="st-stale" size={14} />
        </span>
        <span>{texts.panel.nothingHeard(lasting(since, now))}</span>
      </div>
      <p>{(isSilent ? dialogTexts.panel.triesOn : dialogTexts.panel.stalled)(agentLabel(shared, session.agent))}</p>
      {canSteer(shared) && (
        <div className="agor-row">
          <button type="button" className="agor-btn" disabled={isRunning} onClick={() => void run(() => commands.cancelSession(session.id))}>
            {texts.cancel}
          </button>
        </div>
      )}
      <Problem text={problem} />
    </section>
  );
}
