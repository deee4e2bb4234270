// What the zone of a card does with it, in the panel of the card: the same words and the same answers as on the card.
import type { Firing, Worktree } from '../../protocol/generated.js';
import { asksPerson, firingOf, firingWords, nameOf } from '../../store/firings.js';
import { dialogTexts, texts } from '../../texts';
import { age } from '../../texts/ages.js';
import { Icon, Mark } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useCommand, useNow, useShared } from '../context.js';
import { useZoneName } from './zones.js';

const states = dialogTexts.zone.firings.states;

export function FiringBlock({ worktree, isBrief = false }: { worktree: Worktree; isBrief?: boolean }) {
  const shared = useShared();
  const zoneName = useZoneName();
  const now = useNow(15_000);
  const firing = firingOf(worktree, shared);
  // Beside a conversation only what a person has to know.
  if (!firing || firing.state === 'withdrawn' || (isBrief && !asksPerson(firing) && firing.state !== 'failed')) return null;
  const isAsking = asksPerson(firing);
  const text = firing.state === 'approval' ? texts.zone.allPassed(firing.zone) : firing.state === 'failed' ? firing.reason : null;
  return (
    <section
      className={`agor-firing${isAsking ? ' agor-firing-asks' : firing.state === 'failed' ? ' agor-firing-failed' : ''}`}
      aria-label={visible(firing.zone)}
      data-firing={firing.id}
    >
      <div className="agor-row">
        <Mark state={states[firing.state]} />
        <b className="agor-grow">{visible(firingWords(firing, zoneName))}</b>
        <span className="agor-xs agor-t3">{age(firing.stateSince, now)}</span>
      </div>
      {text && <p>{visible(text)}</p>}
      <FiringActions firing={firing} />
    </section>
  );
}

/** What a person can do about it, where they may. */
export function FiringActions({ firing }: { firing: Firing }) {
  const { commands } = useApp();
  const shared = useShared();
  const zoneName = useZoneName();
  const { run, isRunning, problem } = useCommand();
  const session = firing.runs.findLast(({ outcome }) => outcome === 'failed')?.sessionId ?? null;
  const decide = (what: Parameters<typeof commands.decide>[1]) => () => void run(() => commands.decide(firing.id, what));
  const isOver = firing.state === 'passed' || firing.state === 'failed' || firing.state === 'withdrawn';
  const isHere = shared.worktrees.get(firing.worktreeId)?.zoneId === firing.zoneId;
  const may = canSteer(shared);
  return (
    <div className="agor-row agor-wrap">
      {may && firing.state === 'asking' && (
        <button type="button" className="agor-btn agor-sm agor-need" onClick={() => commands.openDialog('ask', { firingId: firing.id })}>
          {texts.zone.start}
        </button>
      )}
      {may && firing.state === 'approval' && (
        <>
          <button type="button" className="agor-btn agor-sm agor-need" disabled={isRunning} onClick={decide('approve')}>
            {visible(texts.zone.moveOn(nameOf(firing.policy.next, zoneName)))}
          </button>
          <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={decide('reject')}>
            {texts.zone.reject}
          </button>
        </>
      )}
      {may && isOver && isHere && (
        <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={decide('retry')}>
          <Icon name="refresh" size={14} />
          {texts.zone.again}
        </button>
      )}
      {session !== null && shared.sessions.has(session) && (
        <button
          type="button"
          className="agor-btn agor-sm agor-ghost"
          onClick={() => {
            commands.closeDialog();
            commands.openSession(session);
          }}
        >
          {texts.zone.output}
        </button>
      )}
      {may && firing.state !== 'withdrawn' && firing.state !== 'passed' && (
        <button type="button" className="agor-btn agor-sm agor-ghost" disabled={isRunning} onClick={decide('withdraw')}>
          {texts.zone.takeBack}
        </button>
      )}
      <Problem text={problem} />
    </div>
  );
}
