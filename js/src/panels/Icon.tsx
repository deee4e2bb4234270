// Icons, state marks, agent tiles and faces.
import { type CSSProperties, memo } from 'react';

import { icons, isIcon, type IconName } from '../icons.js';
import type { Person, SessionState, TurnState, WorktreeState } from '../protocol/generated.js';
import { texts } from '../texts.js';

export const Icon = memo(function Icon({ name, size = 16 }: { name: IconName; size?: 12 | 14 | 16 }) {
  // The set is our own constant text, never input.
  return (
    <svg
      className="agor-i"
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
      dangerouslySetInnerHTML={{ __html: icons[name] }}
    />
  );
});

export type MarkState = SessionState | TurnState | WorktreeState;

const MARKS: Record<MarkState, { icon: IconName; tone: string }> = {
  idle: { icon: 'st-idle', tone: 'rest' },
  queued: { icon: 'st-queued', tone: 'rest' },
  starting: { icon: 'st-starting', tone: 'rest' },
  stopping: { icon: 'st-starting', tone: 'rest' },
  creating: { icon: 'st-starting', tone: 'rest' },
  running: { icon: 'st-running', tone: 'run' },
  needs_you: { icon: 'st-needs', tone: 'need' },
  waiting: { icon: 'st-needs', tone: 'need' },
  failed: { icon: 'st-failed', tone: 'fail' },
  interrupted: { icon: 'st-failed', tone: 'fail' },
  done: { icon: 'st-done', tone: 'done' },
  ready: { icon: 'st-idle', tone: 'rest' },
  cancelled: { icon: 'st-cancelled', tone: 'rest' },
  archived: { icon: 'st-archived', tone: 'rest' },
  missing: { icon: 'st-missing', tone: 'rest' },
};

export const Mark = memo(function Mark({ state, size = 16 }: { state: MarkState; size?: 12 | 14 | 16 }) {
  const { icon, tone } = MARKS[state];
  return (
    <span className={`agor-mark agor-tone-${tone}`} role="img" aria-label={texts.states[state]}>
      <Icon name={icon} size={size} />
    </span>
  );
});

/** Label and icon come as data; an icon that is not in the set becomes the neutral one. */
export function AgentTile({ icon, label }: { icon: string | undefined; label: string }) {
  return (
    <span className="agor-agent-tile" role="img" aria-label={label}>
      <Icon name={icon && isIcon(icon) ? icon : 'ag-script'} size={12} />
    </span>
  );
}

export function Face({ person, isMe = false }: { person: Person; isMe?: boolean }) {
  return (
    <span
      className={`agor-face${isMe ? ' agor-me' : ''}`}
      role="img"
      aria-label={person.name}
      title={person.name}
      style={{ '--c': colorOf(person) } as CSSProperties}
    >
      {initialsOf(person)}
    </span>
  );
}

export function initialsOf({ initials, name, username }: Pick<Person, 'initials' | 'name' | 'username'>): string {
  if (initials) return initials.slice(0, 2).toUpperCase();
  const words = (name || username).trim().split(/\s+/);
  const letters = words.length > 1 ? `${words[0]?.[0] ?? ''}${words.at(-1)?.[0] ?? ''}` : (words[0] ?? '?').slice(0, 2);
  return letters.toUpperCase();
}

/** JupyterLab gives a colour of its theme; else one of the seven, the same for the same name everywhere. */
export function colorOf({ color, username }: Pick<Person, 'color' | 'username'>): string {
  if (color && /^(var\(--jp-collaborator-color[1-7]\)|#[0-9a-fA-F]{6})$/.test(color)) return color;
  let hash = 0;
  for (const character of username) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return `var(--jp-collaborator-color${(hash % 7) + 1})`;
}
