// Prompts that wait. They can be dragged, moved with Alt and the arrows, and taken back.
import { type KeyboardEvent, useState } from 'react';

import type { Session, Turn } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { Face, Icon } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { headline } from '../common/words.js';
import { canSteer, useApp, useShared } from '../context.js';
import { moved } from './queued.js';

export function Queue({ session, turns }: { session: Session; turns: ReadonlyMap<string, Turn> }) {
  const { commands } = useApp();
  const shared = useShared();
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const maySteer = canSteer(shared);
  const ids = session.queue;
  if (!ids.length) return null;

  const report = (job: Promise<void>) =>
    job.catch((error: unknown) => commands.toast({ text: error instanceof Error ? error.message : String(error) }));
  const move = (id: string, to: number) => {
    const queue = moved(ids, id, to - ids.indexOf(id));
    if (queue.some((other, index) => other !== ids[index])) void report(commands.changeSession(session.id, { queue }));
  };
  const onKeyDown = (event: KeyboardEvent, id: string, index: number) => {
    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return;
    event.preventDefault();
    event.stopPropagation();
    move(id, index + (event.key === 'ArrowUp' ? -1 : 1));
  };
  return (
    <ol className="agor-queue" aria-label={dialogTexts.panel.queue}>
      {ids.map((id, index) => {
        const turn = turns.get(id) ?? shared.turns.get(id);
        return (
          <li
            key={id}
            className={`agor-queue-item${over === id && dragged !== id ? ' agor-over' : ''}`}
            data-turn={id}
            draggable={maySteer}
            onDragStart={event => {
              setDragged(id);
              event.dataTransfer.effectAllowed = 'move';
              event.dataTransfer.setData('text/plain', '');
            }}
            onDragEnd={() => {
              setDragged(null);
              setOver(null);
            }}
            onDragOver={event => {
              if (!dragged) return;
              event.preventDefault();
              setOver(id);
            }}
            onDrop={event => {
              event.preventDefault();
              if (dragged) move(dragged, index);
            }}
          >
            <span className="agor-xs agor-t3 agor-queue-number">{index + 1}</span>
            {turn && <Face person={turn.createdBy} />}
            <span className="agor-grow agor-ell">{turn ? visible(headline(turn.prompt)) : dialogTexts.panel.waiting}</span>
            {maySteer && (
              <>
                <button
                  type="button"
                  className="agor-ib agor-sm agor-grip"
                  aria-label={dialogTexts.panel.reorder(index + 1)}
                  title={dialogTexts.panel.reorderHint}
                  onKeyDown={event => onKeyDown(event, id, index)}
                >
                  <Icon name="grip" size={14} />
                </button>
                <button
                  type="button"
                  className="agor-ib agor-sm"
                  aria-label={dialogTexts.panel.takeBack(index + 1)}
                  onClick={() => void report(commands.cancelTurn(id))}
                >
                  <Icon name="close" size={14} />
                </button>
              </>
            )}
          </li>
        );
      })}
    </ol>
  );
}
