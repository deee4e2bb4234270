// The connection and one's rights, over the board. Never a blocking dialog.

import { useEffect } from 'react';
import { texts } from '../../texts';
import { hour } from '../../texts/ages.js';
import { money } from '../../texts/money.js';
import { Icon } from '../common/Icon.js';
import { useApp, useClient } from '../context.js';

export function Banner() {
  const { client, commands } = useApp();
  const { shared, readOnlyReason, caughtUp, board, opening } = useClient();
  useEffect(() => {
    if (caughtUp === null) return;
    const timer = setTimeout(() => client.forgetCaughtUp(), 4000);
    return () => clearTimeout(timer);
  }, [caughtUp, client]);

  // In its place the board says what it waits for.
  if (opening.kind !== 'open') return null;
  if (shared.connection.state === 'lost') {
    return (
      <div className="agor-banner" role="status" data-banner="lost">
        <Icon name="offline" />
        <b>{texts.connection.reconnecting}</b>
        <span className="agor-ell agor-grow agor-t2">{texts.connection.asOf(hour(shared.connection.since, true))}</span>
        <button type="button" className="agor-btn agor-sm" onClick={() => client.reconnect()}>
          {texts.connection.tryNow}
        </button>
      </div>
    );
  }
  if (caughtUp !== null) {
    return (
      <div className="agor-banner agor-ok" role="status" data-banner="back">
        <Icon name="st-done" />
        <b>{texts.connection.back}</b>
        <span className="agor-ell">{texts.connection.caughtUp(caughtUp)}</span>
      </div>
    );
  }
  const usedUp = [...shared.budgets.values()].find(
    ({ scope, subject, state }) =>
      state === 'exhausted' && ((scope === 'board' && subject === client.path) || (scope === 'user' && subject === shared.me?.person.username)),
  );
  if (usedUp) {
    const amount = money(usedUp.hardUsd ?? usedUp.spentUsd);
    return (
      <div className="agor-banner" role="status" data-banner="budget">
        <Icon name="coin" />
        <b>{usedUp.scope === 'board' ? texts.budget.boardUsedUp(amount) : texts.budget.yoursUsedUp(amount)}</b>
        <span className="agor-ell agor-grow agor-t2">{texts.budget.stopped}</span>
        {shared.me?.role === 'owner' && (
          <button type="button" className="agor-btn agor-sm" onClick={() => commands.openDialog('budget')}>
            {texts.budget.raise}
          </button>
        )}
      </div>
    );
  }
  const reason =
    shared.me?.role === 'viewer' ? texts.connection.viewer : board && !board.isWritable ? (readOnlyReason ?? texts.connection.layoutReadOnly) : null;
  if (!reason) return null;
  return (
    <div className="agor-banner" role="status" data-banner="view">
      <Icon name="eye" />
      <b>{texts.connection.viewOnly}</b>
      <span className="agor-ell agor-t2" title={reason}>
        {reason}
      </span>
    </div>
  );
}
