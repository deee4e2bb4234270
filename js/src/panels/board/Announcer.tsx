// New questions are spoken once, politely, by this and by nothing else. Streaming text is not.
import { useEffect, useRef, useState } from 'react';
import { asksPerson, firingWords } from '../../store/firings.js';
import { zoneNameOf } from '../../store/objects.js';
import { countsOf } from '../../store/standing.js';
import { texts } from '../../texts';
import { questionOf } from '../../texts/questions.js';
import { visible } from '../common/safe.js';
import { agentLabel, useApp, useClient } from '../context.js';

/** Characters of a command: what is longer is heard in the panel. */
const LONGEST = 200;

export function Announcer() {
  const { client } = useApp();
  const { shared, board } = useClient();
  const known = useRef<Set<string> | null>(null);
  const [text, setText] = useState('');
  useEffect(() => {
    if (!shared.isLoaded) return;
    const fresh = [...shared.permissions.values()].filter(({ id }) => !known.current?.has(id));
    const first = fresh.at(-1);
    if (first) {
      const agent = agentLabel(shared, shared.sessions.get(first.sessionId)?.agent ?? '');
      setText(
        texts.permission.spoken(
          questionOf(agent, first.toolKind),
          visible(shared.worktrees.get(first.worktreeId)?.name ?? ''),
          visible(first.files?.map(({ path }) => path).join(', ') ?? first.command ?? first.title).slice(0, LONGEST),
          countsOf(client.path, shared).needs,
        ),
      );
    }
    const asking = [...shared.firings.values()].filter(asksPerson);
    const fresher = asking.filter(({ id, state }) => known.current && !known.current.has(`${id}/${state}`)).at(-1);
    if (fresher) {
      const card = visible(shared.worktrees.get(fresher.worktreeId)?.name ?? '');
      const what = visible(firingWords(fresher, id => zoneNameOf(board?.getView().objects, id)));
      setText(texts.zone.spoken(what, card, countsOf(client.path, shared).needs));
    }
    known.current = new Set([...shared.permissions.keys(), ...asking.map(({ id, state }) => `${id}/${state}`)]);
  }, [client.path, shared]);
  return (
    <div className="agor-spoken" role="status" aria-live="polite">
      {text}
    </div>
  );
}
