// The canvas's own words: what it is given, and what an object kind and a tool must bring.
import type { IconName } from '../icons';
import type { BoardObject } from '../protocol/generated';
import type { BoardDoc, BoardState, Commands, LocalState, Presence } from '../store/types';
import type { Trouble } from './input/pending';

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
  trouble(id: string): Trouble | null;
  isWaiting(id: string): boolean;
  /** How many cards lie in a zone, and how many of them wait for a person. */
  countIn(zoneId: string): { readonly cards: number; readonly needs: number };
  /** What a zone is called; '' when it is not on the board. */
  zoneName(id: string): string;
  /** Where a thing is shown; `null` when it is not on the board. */
  boxOf(id: string): Box | null;
}

/** A name and a reason, for a thing that has room for neither. */
export interface Summary {
  readonly mark: string;
  readonly title: string;
  readonly fact: string;
}

/** Fields of an object that a change sets. */
export type Change = Readonly<Partial<Record<string, string | number>>>;

/** How the text of an object is written in place. */
export interface TextEdit {
  readonly text: string;
  /** One line, and Enter ends it; else Enter makes a new line, and what was written is kept whatever ends it. */
  readonly isLine: boolean;
  /** What the button says that begins it. */
  readonly action: string;
  readonly label: string;
  readonly placeholder: string;
  readonly limit: number;
  /** What was written. `height`: what it needs in board units, where that is more than the object has. */
  change(text: string, height: number | null): Change;
}

/** What an object may ask for when a person opens it. */
export interface ObjectHost {
  readonly state: BoardState;
  readonly commands: Commands;
  edit(id: string): void;
  hint(text: string): void;
}

/** What deleting it does: it goes; its worktree's card is taken off the board; or it stays. */
export type Removal = 'delete' | 'take-off' | 'stay';

/**
 * One per kind of object. A view draws; it keeps nothing and listens to nothing: `data-act` says what a click asks for. Nothing outside of
 * `objects/` asks which kind an object is of: what is different about one is a field here.
 */
export interface ObjectView<K extends ObjectKind> {
  /** Its size in board units; the height of what is as high as its content is an estimate until it was seen. */
  size(object: ObjectOf<K>, context: ViewContext): { readonly width: number; readonly height: number };
  /** True: the height follows the content at full detail. */
  readonly autoHeight: boolean;
  /** The height that the layout reserves for it, however high it is shown. */
  layoutHeight(object: ObjectOf<K>): number;
  /** Lies under the others and carries what lies in it. */
  readonly isContainer: boolean;
  /** Two of these that overlap were not laid so on purpose: the lower one gives way. */
  readonly isStacked: boolean;
  /** Far out it has no name of its own, so that hovering says it. */
  readonly hasTip: boolean;
  /** Its own colour, '' for the usual one; `null`: it cannot have one. */
  color(object: ObjectOf<K>): string | null;
  /** What else the bar of a selected one offers. */
  tools?(object: ObjectOf<K>): readonly { readonly act: string; readonly option?: string; readonly icon: IconName; readonly label: string }[];
  /** `null`: nothing in it can be written in place. */
  edit(object: ObjectOf<K>): TextEdit | null;
  open(id: string, object: ObjectOf<K>, host: ObjectHost, focusPrompt?: boolean): void;
  /** A container's own change when something is dropped on it at `box`, while it is shown `height` high. */
  onDrop?(object: ObjectOf<K>, box: Box, height: number): Change | null;
  /** The change that ticking one of its lines makes. */
  check?(object: ObjectOf<K>, line: number): Change;
  /** The worktree that it stands for, and what that is called where it is not there. */
  worktree(object: ObjectOf<K>): { readonly id: string; readonly label: string } | null;
  /** What the filter looks through; `null`: it is not filtered. */
  searchText(object: ObjectOf<K>, state: BoardState): string | null;
  readonly canCopy: boolean;
  removal(object: ObjectOf<K>, state: BoardState): Removal;
  /** What is said when it was deleted. */
  deleted(object: ObjectOf<K>): string;
  draw(id: string, object: ObjectOf<K>, context: ViewContext): HTMLElement;
  /** What it is called in the outline and by a screen reader. */
  name(object: ObjectOf<K>, context: ViewContext): string;
  summary(object: ObjectOf<K>, context: ViewContext): Summary;
  /** The colour of its dot in the minimap, a class name. */
  dot(object: ObjectOf<K>, context: ViewContext): string;
  /** It shows seconds that pass. */
  isTicking(object: ObjectOf<K>, context: ViewContext): boolean;
}
