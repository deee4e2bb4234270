// How far a view of a board is on its way to being live. What is in the way goes away by itself, but for a refusal.
import type { ApiError } from '../transport/http';

export type Opening =
  | { readonly kind: 'opening' }
  /** The server does not answer, or is still starting. */
  | { readonly kind: 'server' }
  /** The server is there, the board is not yet. */
  | { readonly kind: 'board' }
  /** The board was there, and its file is not any more. */
  | { readonly kind: 'gone' }
  /** The server answers no; asking again is for a person. */
  | { readonly kind: 'refused'; readonly problem: ApiError }
  | { readonly kind: 'open' };

export type Happening = 'opened' | 'taken away' | 'tried again' | ApiError;

export const afterOpening = (now: Opening, what: Happening): Opening => {
  if (what === 'opened') return { kind: 'open' };
  if (what === 'taken away') return now.kind === 'open' ? { kind: 'gone' } : now;
  // What a person reads stays until the answer is there, but for a refusal that they asked to try again.
  if (what === 'tried again') return now.kind === 'refused' ? { kind: 'opening' } : now;
  if (what.code === 'board_not_found') return { kind: now.kind === 'gone' || now.kind === 'open' ? 'gone' : 'board' };
  // A board that was taken away is still away while the server restarts, and what is open stays in view.
  if (what.isUnsent) return now.kind === 'gone' || now.kind === 'open' ? now : { kind: 'server' };
  return { kind: 'refused', problem: what };
};
