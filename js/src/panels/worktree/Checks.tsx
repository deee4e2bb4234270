// What is wrong with the server's machine and with each repository, and what is fine. Looked at anew each time it is opened.
import { useCallback, useEffect, useRef, useState } from 'react';

import type { IconName } from '../../icons.js';
import type { Check } from '../../protocol/generated.js';
import { checks as requests } from '../../session/requests.js';
import { dialogTexts, texts } from '../../texts';
import { Dialog } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useShared } from '../context.js';

const words = dialogTexts.checks;

const MARKS: Record<Check['verdict'], { icon: IconName; tone: string; label: string }> = {
  ok: { icon: 'st-done', tone: 'done', label: words.ok },
  warn: { icon: 'st-needs', tone: 'need', label: words.warn },
  fail: { icon: 'st-failed', tone: 'fail', label: words.fail },
};
const RANK = { fail: 0, warn: 1, ok: 2 } satisfies Record<Check['verdict'], number>;

interface Part {
  readonly checks: readonly Check[];
  readonly problem: string | null;
}

export function ChecksDialog() {
  const { client, commands } = useApp();
  const { repos } = useShared();
  const [parts, setParts] = useState<ReadonlyMap<string, Part>>(new Map());
  const isOver = useRef(false);
  const places = [{ id: '', title: words.server }, ...[...repos.values()].map(({ id, slug }) => ({ id, title: slug }))];
  const ids = places.map(({ id }) => id).join(' ');
  const look = useCallback(() => {
    setParts(new Map());
    for (const id of ids.split(' ')) {
      const say = (part: Part) => {
        if (!isOver.current) setParts(known => new Map(known).set(id, part));
      };
      requests.of(client, id).then(
        checks => say({ checks: [...checks].sort((a, b) => RANK[a.verdict] - RANK[b.verdict]), problem: null }),
        (error: unknown) => say({ checks: [], problem: error instanceof Error ? error.message : String(error) }),
      );
    }
  }, [client, ids]);
  useEffect(() => {
    isOver.current = false;
    look();
    return () => {
      isOver.current = true;
    };
  }, [look]);
  const all = [...parts.values()];
  const isLooking = parts.size < places.length;
  const toDo = all.reduce((sum, { checks, problem }) => sum + (problem ? 1 : 0) + checks.filter(one => one.verdict !== 'ok').length, 0);
  return (
    <Dialog
      title={texts.menu.checks}
      onClose={() => commands.closeDialog()}
      width={600}
      footer={
        <DialogFoot
          note={
            <span className="agor-grow agor-t2" role="status">
              {isLooking ? words.looking : words.summary(toDo)}
            </span>
          }
          act={
            <>
              <Icon name="refresh" size={14} />
              {words.again}
            </>
          }
          look="plain"
          isDisabled={isLooking}
          onAct={look}
        />
      }
    >
      {places.map(({ id, title }) => (
        <section key={id} aria-label={visible(title)}>
          <h3 className="agor-keys-head">{visible(title)}</h3>
          {!parts.has(id) && <p className="agor-advice">{words.looking}</p>}
          <Problem text={parts.get(id)?.problem ?? null} />
          <ul className="agor-checks">
            {parts.get(id)?.checks.map(({ verdict, what, text }, index) => (
              <li key={index} data-verdict={verdict}>
                <span className={`agor-mark agor-tone-${MARKS[verdict].tone}`} role="img" aria-label={MARKS[verdict].label}>
                  <Icon name={MARKS[verdict].icon} size={14} />
                </span>
                <span className="agor-check-what">{visible(what)}</span>
                <span className="agor-check-text">{visible(text)}</span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Dialog>
  );
}
