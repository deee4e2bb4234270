// New questions are spoken once, politely. Streaming text is not.
import { useEffect, useRef, useState } from 'react';
import { countsOf } from '../../store/standing.js';
import { texts } from '../../texts.js';
import { agentLabel, useApp, useShared } from '../context.js';

export function Announcer() {
  const { client } = useApp();
  const shared = useShared();
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
          texts.permission.asks(agent, first.toolKind),
          shared.worktrees.get(first.worktreeId)?.name ?? '',
          countsOf(client.path, shared).needs,
        ),
      );
    }
    known.current = new Set(shared.permissions.keys());
  }, [client.path, shared]);
  return (
    <div className="agor-spoken" role="status" aria-live="polite">
      {text}
    </div>
  );
}
