// What colleagues' browsers say of themselves. Their words are checked here, once; what does not fit is left out.
import type { AwarenessLike, Place, Presence } from './types';

const COLORS = 7;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);

const finite = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= 2_000_000;

const place = (value: unknown): Place | null =>
  isRecord(value) && finite(value['x']) && finite(value['y']) ? { x: value['x'], y: value['y'] } : null;

const word = (value: unknown, limit = 80): string => (typeof value === 'string' ? value.slice(0, limit) : '');

/** Two letters: of the first and the last word, or the first two of the only one. */
export const initialsOf = ({
  initials,
  name,
  username,
}: {
  readonly initials?: string;
  readonly name: string;
  readonly username: string;
}): string => {
  const words = (name || username).trim().split(/\s+/);
  const first = words[0] ?? '?';
  const letters = initials || (words.length > 1 ? `${first[0] ?? ''}${words.at(-1)?.[0] ?? ''}` : first);
  return letters.slice(0, 2).toUpperCase();
};

/** What a cursor is called: the first name. Jupyter calls strangers “Anonymous” and a moon; the moon tells them apart. */
export const shortName = (name: string): string => {
  const [first = name, second] = name.split(/\s+/);
  return first === 'Anonymous' && second ? second : first;
};

/** A person keeps one colour everywhere: what their browser says when it is a colour, else one of the theme's by their name. */
export const colorOf = (person: { readonly username: string; readonly color?: string | null }): string => {
  const color = person.color ?? '';
  if (/^#[0-9a-fA-F]{3,8}$/.test(color) || /^var\(--jp-collaborator-color[1-7]\)$/.test(color)) return color;
  let sum = 0;
  for (const character of person.username) sum = (sum * 31 + character.charCodeAt(0)) >>> 0;
  return `var(--jp-collaborator-color${(sum % COLORS) + 1})`;
};

export const readPresence = (state: unknown): Presence | null => {
  if (!isRecord(state) || !isRecord(state['user'])) return null;
  const user = state['user'];
  const name = word(user['display_name']) || word(user['name']) || word(user['username']);
  if (!name) return null;
  const username = word(user['username']) || name;
  const held: Record<string, Place> = {};
  if (isRecord(state['held'])) {
    for (const [id, at] of Object.entries(state['held']).slice(0, 500)) {
      const where = place(at);
      if (where) held[id] = where;
    }
  }
  const view = state['viewport'];
  const viewport =
    isRecord(view) && finite(view['x']) && finite(view['y']) && finite(view['zoom']) && finite(view['width']) && finite(view['height'])
      ? { x: view['x'], y: view['y'], zoom: view['zoom'], width: view['width'], height: view['height'] }
      : null;
  return {
    user: {
      username,
      name,
      initials: initialsOf({ initials: word(user['initials'], 3), name, username }),
      color: colorOf({ username, color: word(user['color'], 64) }),
    },
    cursor: place(state['cursor']),
    selection: Array.isArray(state['selection']) ? state['selection'].filter((id): id is string => typeof id === 'string').slice(0, 500) : [],
    held: Object.keys(held).length ? held : null,
    viewport,
    reading: typeof state['reading'] === 'string' ? state['reading'].slice(0, 80) : null,
  };
};

/** Everyone else in the room, by the number of their browser. At most 200. */
export const colleagues = (awareness: AwarenessLike | null): Map<number, Presence> => {
  const found = new Map<number, Presence>();
  if (!awareness) return found;
  for (const [client, state] of awareness.getStates()) {
    if (client === awareness.clientID || found.size >= 200) continue;
    const presence = readPresence(state);
    if (presence) found.set(client, presence);
  }
  return found;
};
