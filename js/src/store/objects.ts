// Reads one object of the document. Whatever a file or a colleague's browser put there, this answers an object or a sentence.
import type { BoardObject, Card, Zone } from '../protocol/generated';
import { readPolicy } from './policy';

/** More than this are not drawn; the rest is counted. */
export const MAX_OBJECTS = 10_000;

const COORDINATE = 1_000_000;
const EXTENT = 100_000;

type Fields = Readonly<Record<string, unknown>>;

class Skip extends Error {}

const number = (fields: Fields, name: string, low: number, high: number, fallback?: number): number => {
  const value = fields[name];
  if (value === undefined && fallback !== undefined) return fallback;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Skip(`its ${name} is not a number`);
  if (value < low || value > high) throw new Skip(`its ${name} is out of range`);
  return value;
};

const text = (fields: Fields, name: string, limit: number, isNeeded = false): string => {
  const value = fields[name];
  if (value === undefined && !isNeeded) return '';
  if (typeof value !== 'string' || (isNeeded && value === '')) throw new Skip(`its ${name} is not text`);
  return value.length > limit ? `${value.slice(0, limit - 1)}…` : value;
};

const color = (fields: Fields): string => {
  const value = fields['color'];
  return typeof value === 'string' && /^(#[0-9a-fA-F]{6}|[a-z]{1,16})$/.test(value) ? value : '';
};

const place = (fields: Fields): { x: number; y: number } => ({
  x: number(fields, 'x', -COORDINATE, COORDINATE),
  y: number(fields, 'y', -COORDINATE, COORDINATE),
});

const size = (fields: Fields, width?: number, height?: number): { width: number; height: number } => ({
  width: number(fields, 'width', 1, EXTENT, width),
  height: number(fields, 'height', 1, EXTENT, height),
});

/** Zones whose policy cannot be read, and by which field: kept beside them, so that a copy does not write it into the document. */
const unreadable = new WeakMap<BoardObject, string>();

/** Which field of its policy cannot be read; '' when it can. */
export const unreadableField = (object: BoardObject): string => unreadable.get(object) ?? '';

const readers = {
  card: (fields: Fields) => ({
    kind: 'card',
    ...place(fields),
    worktree: text(fields, 'worktree', 80, true),
    repo: text(fields, 'repo', 200),
    branch: text(fields, 'branch', 200),
    title: text(fields, 'title', 400),
    base: text(fields, 'base', 200),
  }),
  zone: (fields: Fields) => {
    const policy = readPolicy(fields['policy']);
    const zone: Zone = {
      kind: 'zone',
      ...place(fields),
      ...size(fields),
      name: text(fields, 'name', 200),
      color: color(fields),
      policy: typeof policy === 'string' ? null : policy,
    };
    if (typeof policy === 'string') unreadable.set(zone, policy);
    return zone;
  },
  note: (fields: Fields) => ({ kind: 'note', ...place(fields), ...size(fields, 264, 120), text: text(fields, 'text', 20_000), color: color(fields) }),
} satisfies { [K in BoardObject['kind']]: (fields: Fields) => Extract<BoardObject, { kind: K }> };

const isKind = (kind: unknown): kind is BoardObject['kind'] => typeof kind === 'string' && Object.hasOwn(readers, kind);

/** The object, or why it is left out. Never throws. */
export const readObject = (raw: unknown): BoardObject | string => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return 'it is not an object';
  const fields = raw as Fields;
  const kind = fields['kind'];
  if (!isKind(kind)) return typeof kind === 'string' ? `its kind “${kind.slice(0, 24)}” is not known here` : 'it has no kind';
  try {
    return readers[kind](fields);
  } catch (error) {
    if (error instanceof Skip) return error.message;
    throw error;
  }
};

/** A card, if it is one: what stands for a worktree. */
export const asCard = (object: BoardObject | undefined): Card | null => (object?.kind === 'card' ? object : null);

/** A zone, if it is one. */
export const asZone = (object: BoardObject | undefined): Zone | null => (object?.kind === 'zone' ? object : null);

/** What a zone is called; '' when it is not on the board. */
export const zoneNameOf = (objects: ReadonlyMap<string, BoardObject> | undefined, id: string): string => {
  const zone = asZone(objects?.get(id));
  return zone ? zone.name || 'Zone' : '';
};

/** The card of a worktree, with its id. */
export const cardOf = (objects: ReadonlyMap<string, BoardObject> | undefined, worktreeId: string): readonly [string, Card] | undefined => {
  for (const [id, object] of objects ?? []) {
    const card = asCard(object);
    if (card?.worktree === worktreeId) return [id, card];
  }
  return undefined;
};
