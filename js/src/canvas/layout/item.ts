// A thing on the board as the scene keeps it: its object, how large it is, and the element that shows it, if one does.
import type { BoardObject } from '../../protocol/generated';
import { viewOf } from '../objects';
import type { Box, Detail, Point, ViewContext } from '../types';

export interface Item {
  readonly id: string;
  object: BoardObject;
  width: number;
  height: number;
  /** What its content was thought to need when it was last seen: a change of this is a change of its height. */
  estimate: number;
  /** How far it is shown below its place, because a card above it grew. */
  offset: number;
  /** Where it is shown while someone drags it. */
  held: Point | null;
  element: HTMLElement | null;
  drawn: Detail | null;
  isMeasured: boolean;
  isTicking: boolean;
  readonly isContainer: boolean;
  readonly autoHeight: boolean;
}

export const newItem = (id: string, object: BoardObject, context: ViewContext): Item => {
  const { autoHeight, isContainer, size } = viewOf(object);
  const { width, height } = size(object, context);
  return {
    id,
    object,
    width,
    height,
    estimate: height,
    offset: 0,
    held: null,
    element: null,
    drawn: null,
    isMeasured: false,
    isTicking: false,
    isContainer,
    autoHeight,
  };
};

/** Where it is shown. */
export const boxOf = ({ held, object, offset, width, height }: Item): Box => ({
  x: held?.x ?? object.x,
  y: held?.y ?? object.y + offset,
  width,
  height,
});

/**
 * Puts an element where its thing is shown. At rest by `left` and `top`: a transform each would make the browser keep a node for each,
 * which is what thousands in view cost most. Only what is held has one, so that a drag lays out nothing.
 */
export const place = ({ element, held, object, offset }: Item): void => {
  if (!element) return;
  const { style } = element;
  const y = object.y + offset;
  style.left = `${object.x}px`;
  style.top = `${y}px`;
  style.transform = held ? `translate(${held.x - object.x}px, ${held.y - y}px)` : '';
};
