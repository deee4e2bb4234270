// The canvas's own words: what it is given, and what an object kind and a tool must bring.
import type { BoardObject } from '../protocol/generated';
import type { BoardDoc, BoardState, Commands, LocalState, Presence } from '../store/types';

export interface CanvasProps {
  readonly board: BoardDoc;
  readonly state: BoardState;
  readonly local: LocalState;
  readonly commands: Commands;
}

export type ObjectKind = BoardObject['kind'];
export type ObjectOf<K extends ObjectKind> = Extract<BoardObject, { kind: K }>;

/** From far to near. Text is drawn at compact and full only. */
export type Detail = 'tile' | 'compact' | 'full';

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}
/** Screen = board × zoom + (x, y). */
export interface Camera extends Point {
  readonly zoom: number;
}

/** What a view may look at while it draws. */
export interface ViewContext {
  readonly state: BoardState;
  readonly now: number;
  readonly detail: Detail;
  readonly readers: ReadonlyMap<string, readonly Presence[]>;
  readonly isWritable: boolean;
  isUnfolded(id: string): boolean;
  /** What went wrong with the last thing a person asked of this object, or what it waits for. */
  trouble(id: string): string | null;
  isWaiting(id: string): boolean;
  /** How many cards lie in a zone, and how many of them wait for a person. */
  countIn(zoneId: string): { readonly cards: number; readonly needs: number };
}

/** A name and a reason, for a thing that has room for neither. */
export interface Summary {
  readonly mark: string;
  readonly title: string;
  readonly fact: string;
}

/** One per kind of object. A view draws; it keeps nothing and listens to nothing: `data-act` says what a click asks for. */
export interface ObjectView<K extends ObjectKind> {
  /** Its size in board units; the height of what is as high as its content is an estimate until it was seen. */
  size(object: ObjectOf<K>, context: ViewContext): { readonly width: number; readonly height: number };
  /** True: the height follows the content at full detail. */
  readonly isNatural: boolean;
  /** Lies under the others and carries what lies in it. */
  readonly isGround: boolean;
  draw(id: string, object: ObjectOf<K>, context: ViewContext): HTMLElement;
  /** What it is called in the outline and by a screen reader. */
  name(object: ObjectOf<K>, context: ViewContext): string;
  summary(object: ObjectOf<K>, context: ViewContext): Summary;
  /** The colour of its dot in the minimap, a class name. */
  dot(object: ObjectOf<K>, context: ViewContext): string;
  /** It shows seconds that pass. */
  isTicking(object: ObjectOf<K>, context: ViewContext): boolean;
}
