import { memo, useState } from 'react';

import type { Plan } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { Icon, Mark } from '../common/Icon.js';
import { visible } from '../common/safe.js';

const MARK = { pending: 'idle', in_progress: 'running', completed: 'done' } as const;

export const PlanView = memo(function PlanView({ plan }: { plan: Plan }) {
  const [isOpen, setOpen] = useState(false);
  const done = plan.entries.filter(entry => entry.status === 'completed').length;
  const now = plan.entries.find(entry => entry.status === 'in_progress');
  if (!plan.entries.length) return null;
  return (
    <div className="agor-plan">
      <button type="button" className="agor-plan-head" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <Icon name={isOpen ? 'down' : 'right'} size={12} />
        <b>{dialogTexts.panel.plan}</b>
        <span className="agor-plan-segments" aria-hidden="true">
          {plan.entries.slice(0, 20).map((entry, index) => (
            <i key={index} data-status={entry.status} />
          ))}
        </span>
        <span className="agor-xs agor-t3">{dialogTexts.panel.of(done, plan.entries.length)}</span>
        {!isOpen && now && <span className="agor-ell agor-t2">{visible(now.content)}</span>}
      </button>
      {isOpen && (
        <ol>
          {plan.entries.map((entry, index) => (
            <li key={index} data-status={entry.status}>
              <Mark state={MARK[entry.status]} size={14} />
              <span>{visible(entry.content)}</span>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
});
