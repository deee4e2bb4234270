// Who reads this session just now, as their browsers say through awareness.
import { useEffect, useState } from 'react';

import type { Person } from '../../protocol/generated.js';
import type { AwarenessLike } from '../../store/types.js';
import { texts } from '../../texts';
import { Face } from '../common/Icon.js';
import { useClient } from '../context.js';

export interface Present {
  readonly person: Person;
  readonly isMe: boolean;
  readonly reading: string | null;
}

/** One entry per person: two windows are one face. Awareness is unchecked input. */
export function presentPeople(awareness: AwarenessLike): Present[] {
  const people = new Map<string, Present>();
  for (const [id, state] of awareness.getStates()) {
    const person = personOf(state['user']);
    if (!person) continue;
    const isMe = id === awareness.clientID;
    const reading = typeof state['reading'] === 'string' ? state['reading'] : null;
    const known = people.get(person.username);
    people.set(person.username, { person, isMe: isMe || (known?.isMe ?? false), reading: reading ?? known?.reading ?? null });
  }
  return [...people.values()].sort((a, b) => Number(a.isMe) - Number(b.isMe) || a.person.name.localeCompare(b.person.name));
}

function personOf(value: unknown): Person | null {
  if (typeof value !== 'object' || value === null) return null;
  const { username, name, initials, color } = value as Record<string, unknown>;
  if (typeof username !== 'string') return null;
  const text = (x: unknown, fallback: string) => (typeof x === 'string' && x ? x.slice(0, 100) : fallback);
  return { username, name: text(name, username), initials: text(initials, ''), color: typeof color === 'string' ? color : null };
}

export function usePeople(): Present[] {
  const awareness = useClient().board?.awareness ?? null;
  const [people, setPeople] = useState<Present[]>([]);
  useEffect(() => {
    if (!awareness) return;
    let known = '';
    const read = () => {
      const next = presentPeople(awareness);
      const print = JSON.stringify(next);
      if (print === known) return; // cursors move thirty times a second; faces do not
      known = print;
      setPeople(next);
    };
    read();
    awareness.on('change', read);
    return () => awareness.off('change', read);
  }, [awareness]);
  return people;
}

export function Readers({ sessionId }: { sessionId: string }) {
  const readers = usePeople().filter(person => !person.isMe && person.reading === sessionId);
  if (!readers.length) return null;
  return (
    <span className="agor-row agor-readers">
      {readers.slice(0, 3).map(({ person }) => (
        <Face key={person.username} person={person} />
      ))}
      <span>{texts.panel.readAlong(readers.length)}</span>
    </span>
  );
}
