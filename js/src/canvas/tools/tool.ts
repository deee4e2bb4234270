// What a tool is: it turns a press into a gesture, and a gesture into one change of the board.
import type { IconName } from '../../icons';
import type { BoardDoc, Changes, Commands, ToolName } from '../../store/types';
import type { Overlay } from '../scene/overlay';
import type { Scene } from '../scene/scene';
import type { Box, Camera, Point } from '../types';

export interface Input {
  readonly screen: Point;
  readonly board: Point;
  /** The thing under the pointer. */
  readonly id: string | null;
  /** The resize handle under it: any of n, s, w, e together. */
  readonly handle: string | null;
  readonly shift: boolean;
  readonly ctrl: boolean;
  readonly alt: boolean;
}

export interface Gesture {
  move(input: Input): void;
  /** The board moved under a pointer that stands still, or the frame is due. */
  up(input: Input): void;
  cancel(): void;
}

/** What tools may do. The stage is one. */
export interface ToolHost {
  readonly scene: Scene;
  readonly board: BoardDoc;
  readonly commands: Commands;
  readonly overlay: Overlay;
  readonly selection: ReadonlySet<string>;
  readonly camera: Camera;
  setCamera(camera: Camera): void;
  /** Tells colleagues what is held, and where; `null` lets go. */
  share(held: Readonly<Record<string, Point>> | null): void;
  /** Opens the text of a note or the name of a zone for writing. */
  edit(id: string): void;
  open(id: string): void;
  schedule(): void;
  setDragging(isDragging: boolean): void;
  /** Tells what would run if these were let go of in this zone. */
  foretell(zoneId: string | null, ids: readonly string[], isAlt?: boolean): void;
  /** Moves things for good. `run`: what the zone that a card comes into starts, starts. */
  land(changes: Changes, run: boolean): void;
}

export interface Tool {
  readonly name: ToolName;
  readonly label: string;
  readonly icon: IconName;
  readonly key: string;
  readonly cursor: string;
  /** It makes something; a viewer has no use for it. */
  readonly writes: boolean;
  press(input: Input, host: ToolHost): Gesture | null;
}

/** A press becomes a drag after this many pixels. */
export const DRAG_FROM = 4;

export const isFar = (a: Point, b: Point): boolean => Math.hypot(a.x - b.x, a.y - b.y) >= DRAG_FROM;

export const roundPoint = (at: Point): Point => ({ x: Math.round(at.x), y: Math.round(at.y) });

export const roundBox = (box: Box): Box => ({
  x: Math.round(box.x),
  y: Math.round(box.y),
  width: Math.round(box.width),
  height: Math.round(box.height),
});
