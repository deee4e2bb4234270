// Who is here. A press on the faces says who each is and what they read, and goes to where they look.

import { readPresence } from '../../store/presence.js';
import type { Presence } from '../../store/types.js';
import { texts } from '../../texts';
import { Face } from '../common/Icon.js';
import { MenuButton } from '../common/Menu.js';
import { visible } from '../common/safe.js';
import { useApp, useClient } from '../context.js';
import { type Present, usePeople } from './Readers.js';

export type Look = (seen: NonNullable<Presence['viewport']>) => void;

export function People({ limit, look }: { limit: number; look: Look }) {
  const { commands } = useApp();
  const { shared, board } = useClient();
  const people = usePeople();
  const me = people.find(({ isMe }) => isMe);
  const goTo = ({ person, reading }: Present) => {
    // Where they look changes all the time: it is asked for when it is wanted.
    const seen = [...(board?.awareness?.getStates().values() ?? [])]
      .map(readPresence)
      .find(one => one?.user.username === person.username && one.viewport);
    if (seen?.viewport) look(seen.viewport);
    else if (reading) commands.openSession(reading);
    else commands.toast({ text: texts.bar.looksNowhere(visible(person.name)) });
  };
  const items = people
    .filter(({ isMe }) => !isMe)
    .map(one => {
      const session = one.reading === null ? undefined : shared.sessions.get(one.reading);
      return {
        id: one.person.username,
        label: one.person.name,
        detail: session ? texts.bar.reads(session.title || texts.panel.untitled) : texts.bar.looksAround,
        face: one.person,
        run: () => goTo(one),
      };
    });
  return (
    <MenuButton className="agor-faces" label={texts.bar.here(people.length)} items={items} note={me && texts.bar.you(visible(me.person.name))}>
      {people.slice(0, limit).map(({ person, isMe }) => (
        <Face key={person.username} person={person} isMe={isMe} />
      ))}
      {people.length > limit && <span className="agor-face agor-face-more">+{people.length - limit}</span>}
    </MenuButton>
  );
}
