// Turns of this board in which the typed words were said.
import { useEffect, useState } from 'react';

import type { SearchHit } from '../../protocol/generated.js';
import * as requests from '../../session/requests.js';
import { useApp } from '../context.js';

const PAUSE_MS = 150;
const LEAST = 3;
const SHOWN = 6;
/** Characters before the first found word: the words shall stand where a narrow line still shows them. */
const BEFORE = 24;

/** What is typed last is the beginning of a word still. */
export function asQuery(typed: string): string {
  const text = typed.trim();
  return new RegExp(`[\\p{L}\\p{N}]{${LEAST},}$`, 'u').test(typed) ? `${text}*` : text;
}

export function useTurnsFound(typed: string): readonly SearchHit[] {
  const { client } = useApp();
  const [found, setFound] = useState<readonly SearchHit[]>([]);
  const q = asQuery(typed);
  useEffect(() => {
    if (q.length < LEAST) {
      setFound([]);
      return;
    }
    let isGone = false;
    const timer = setTimeout(() => {
      requests.search.find(client, q, SHOWN * 2).then(
        page => !isGone && setFound(page.items.filter(hit => hit.turnId !== null).slice(0, SHOWN)),
        () => !isGone && setFound([]), // the rest of the menu is of use without it
      );
    }, PAUSE_MS);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [client, q]);
  return found;
}

/** The snippet on one line, with its first found word near the beginning. */
export function lineOf(hit: SearchHit): readonly { readonly text: string; readonly isMatch: boolean }[] {
  const parts = hit.snippet[0]?.text === '…' ? hit.snippet.slice(1) : hit.snippet;
  const [first, ...rest] = parts;
  if (!first || first.isMatch || first.text.length <= BEFORE) return hit.snippet;
  return [{ text: `…${first.text.slice(-BEFORE)}`, isMatch: false }, ...rest];
}
