// What a session was started by, and whether that has been told how it ended.
import { useEffect, useState } from 'react';

import type { Delivery, Session } from '../../protocol/generated.js';
import * as requests from '../../session/requests.js';
import { dialogTexts, texts } from '../../texts';
import { Icon } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { useApp, useShared } from '../context.js';

/** A report is told a moment after its turn has ended. */
const PAUSE_MS = 400;

export function Above({ session }: { session: Session }) {
  const { commands } = useApp();
  const shared = useShared();
  const report = useReport(session);
  if (session.parentId === null) return null;
  const parent = shared.sessions.get(session.parentId);
  return (
    <div className="agor-row agor-origin">
      <Icon name="card" size={12} />
      <span className="agor-nowrap">{dialogTexts.panel.spawnedBy}</span>
      {parent ? (
        <button type="button" className="agor-link-quiet agor-ell" onClick={() => commands.openSession(parent.id)}>
          {visible(parent.title) || texts.panel.untitled}
        </button>
      ) : (
        <code>{session.parentId}</code>
      )}
      {report && (
        <span className="agor-nowrap" data-report={report.state} title={visible(report.reason ?? '')}>
          {dialogTexts.panel.reports[report.state]}
        </span>
      )}
      {!report && session.notify && <span className="agor-nowrap">{dialogTexts.panel.reports.asked}</span>}
    </div>
  );
}

/** How its last turn that was asked about ended is told, as of when its state changed last. */
function useReport(session: Session): Delivery | null {
  const { client } = useApp();
  const [report, setReport] = useState<Delivery | null>(null);
  const { id, parentId, lastTurnId, notify } = session;
  useEffect(() => {
    setReport(null);
    if (parentId === null || !notify) return;
    let isGone = false;
    const timer = setTimeout(() => {
      requests.tree.of(client, id).then(
        tree => !isGone && setReport(tree.nodes.find(node => node.session.id === id)?.deliveries.at(-1) ?? null),
        () => undefined, // the line is of use without it
      );
    }, PAUSE_MS);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [client, id, parentId, lastTurnId, notify]);
  return report;
}
