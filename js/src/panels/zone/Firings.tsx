// The history of a zone: who brought which card, what ran with which policy, and what came of it. Newest first, and live.
import { useEffect, useState } from 'react';

import type { Firing } from '../../protocol/generated.js';
import { firings as requests } from '../../session/requests.js';
import { firingWords } from '../../store/firings.js';
import { byAge } from '../../store/order.js';
import { policyWords } from '../../store/policy.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { ago } from '../../texts/ages.js';
import { money } from '../../texts/money.js';
import { Dialog } from '../common/Dialog.js';
import { Face, Mark } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand, useNow, useShared } from '../context.js';
import { FiringActions } from './FiringBlock.js';
import { useZoneName } from './zones.js';

const words = dialogTexts.zone.firings;
const PAGE = 20;

export function FiringsDialog({ zoneId, back }: { zoneId: string; back: Opened | undefined }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const zoneName = useZoneName();
  const { run, isRunning, problem } = useCommand();
  const [found, setFound] = useState<ReadonlyMap<string, Firing> | null>(null);
  const [hasMore, setMore] = useState(false);
  const take = (list: readonly Firing[]) => setFound(before => new Map([...(before ?? []), ...list.map(one => [one.id, one] as const)]));
  const load = (after?: string) =>
    void run(async () => {
      const list = await requests.list(client, zoneId, PAGE, after);
      take(list);
      setMore(list.length === PAGE);
    });
  useEffect(() => load(), [client, zoneId]);
  useEffect(() => {
    // What the stream says of this zone comes in at once.
    const news = [...shared.firings.values()].filter(one => one.zoneId === zoneId);
    if (news.length) setFound(before => before && new Map([...before, ...news.map(one => [one.id, one] as const)]));
  }, [shared.firings, zoneId]);
  const shown = [...(found?.values() ?? [])].sort((a, b) => byAge(b, a));
  const close = () => {
    if (back) commands.openDialog(back.name, back);
    else commands.closeDialog();
  };
  return (
    <Dialog title={words.title(zoneName(zoneId))} onClose={close} width={560}>
      {!found && isRunning && (
        <p className="agor-nothing" role="status">
          {words.loading}
        </p>
      )}
      {found && !shown.length && <p className="agor-nothing">{words.empty}</p>}
      {shown.length > 0 && (
        <ul className="agor-plain-list">
          {shown.map(firing => (
            <FiringRow key={firing.id} firing={firing} />
          ))}
        </ul>
      )}
      {hasMore && (
        <button type="button" className="agor-btn agor-start" disabled={isRunning} onClick={() => load(shown.at(-1)?.id)}>
          {words.earlier}
        </button>
      )}
      <Problem text={problem} />
    </Dialog>
  );
}

function FiringRow({ firing }: { firing: Firing }) {
  const { commands } = useApp();
  const shared = useShared();
  const zoneName = useZoneName();
  const now = useNow(30_000);
  const card = shared.worktrees.get(firing.worktreeId)?.name ?? words.gone;
  const said = firingWords(firing, zoneName);
  const runs = firing.runs.filter(({ sessionId }) => sessionId !== null && shared.sessions.has(sessionId));
  const open = (sessionId: string) => {
    commands.closeDialog();
    commands.openSession(sessionId);
  };
  return (
    <li className="agor-firing-row" data-firing={firing.id} data-state={firing.state}>
      <div className="agor-row">
        <Mark state={words.states[firing.state]} label={said} />
        <b className="agor-ell">{visible(card)}</b>
        <span className="agor-grow" />
        {firing.costUsd > 0 && <span className="agor-xs agor-t3">{money(firing.costUsd, firing.costIsEstimate)}</span>}
        <Face person={firing.by} />
      </div>
      <p className={firing.state === 'failed' ? 'agor-fail-text' : undefined}>{visible([said, firing.reason].filter(Boolean).join(': '))}</p>
      <p className="agor-advice">
        {words.brought(firing.by.name, words.vias[firing.via] ?? firing.via, ago(firing.createdAt, now))}
        {firing.decidedBy && `, ${words.decided(firing.decidedBy.name)}`}
        {runs.map((run, index) => (
          <span key={run.turnId ?? index}>
            {', '}
            <button type="button" className="agor-link" onClick={() => open(run.sessionId ?? '')}>
              {run.gate === null ? words.turn : visible(firing.policy.gates[run.gate]?.run.split('\n', 1)[0] ?? texts.zone.gate)}
            </button>
          </span>
        ))}
      </p>
      <div className="agor-firing-foot">
        <details className="agor-details">
          <summary>{words.details}</summary>
          <p className="agor-advice">
            {words.asItWas}{' '}
            {visible(
              policyWords(firing.policy, { state: shared, zoneName })
                .map(({ text }) => text)
                .join(' · '),
            )}
          </p>
          {firing.prompt !== null && <pre className="agor-preview">{visible(firing.prompt)}</pre>}
        </details>
        <FiringActions firing={firing} />
      </div>
    </li>
  );
}
