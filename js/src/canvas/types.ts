// The canvas's own words: what it is given, and what an object kind and a tool must bring.
import type { BoardObject } from '../protocol/generated.js'
import type { BoardDoc, BoardState, Commands, LocalState } from '../store/types.js'

export interface CanvasProps {
  readonly board: BoardDoc
  readonly state: BoardState
  readonly local: LocalState
  readonly commands: Commands
}

export type ObjectKind = BoardObject['kind']
export type ObjectOf<K extends ObjectKind> = Extract<BoardObject, { kind: K }>

/** From far to near. Text is drawn at compact and full only. */
export type Detail = 'tile' | 'compact' | 'full'

export interface Point {
  readonly x: number
  readonly y: number
}
export interface Box extends Point {
  readonly width: number
  readonly height: number
}
/** Screen = board × zoom + (x, y). */
export interface Camera extends Point {
  readonly zoom: number
}
