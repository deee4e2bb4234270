// Who has the keyboard after something that lay over the board has closed.
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Aside } from '../board/Aside.js';
import { useFocusTrap } from './trap.js';

let place: HTMLElement;
let root: Root;
beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  place = document.body.appendChild(document.createElement('div'));
  root = createRoot(place);
});
afterEach(async () => {
  await act(async () => root.unmount());
  place.remove();
});

function Over() {
  const trap = useFocusTrap(() => undefined);
  return (
    <div ref={trap.ref}>
      <button type="button">Cancel</button>
    </div>
  );
}

/** A view with its board, a panel with a button if `hasPanel`, and a dialog if `isOpen`. */
const draw = (isOpen: boolean, { hasPanel = true, isWaiting = false } = {}) =>
  act(async () =>
    root.render(
      <div className="agor-app">
        <div className="agor-board" tabIndex={-1} />
        {hasPanel && (
          <Aside shown="wt_1" label="Worktree" width={400} onFocusLost={() => undefined}>
            <button type="button" id="opener" disabled={isWaiting}>
              Archive
            </button>
          </Aside>
        )}
        {isOpen && <Over />}
      </div>,
    ),
  );
const opener = () => document.getElementById('opener') as HTMLButtonElement;
const frame = () => act(async () => void (await new Promise(resolve => requestAnimationFrame(resolve))));

test('the button that opened it has it again', async () => {
  await draw(false);
  opener().focus();
  await draw(true);
  expect(document.activeElement?.textContent).toBe('Cancel');

  await draw(false);

  expect(document.activeElement).toBe(opener());
});

test('the panel has it where nothing had it before', async () => {
  await draw(false);
  opener().blur();
  await draw(true);

  await draw(false);

  expect(document.activeElement?.className).toBe('agor-panel');
});

test('the board has it where the panel went too', async () => {
  await draw(false);
  opener().focus();
  await draw(true);

  await draw(false, { hasPanel: false });

  expect(document.activeElement?.className).toBe('agor-board');
});

test('a button that waits for its answer leaves it to its panel', async () => {
  await draw(false);
  opener().focus();

  await draw(false, { isWaiting: true });
  await frame();

  expect(document.activeElement?.className).toBe('agor-panel');
});

test('another place of the page keeps it while a button in the panel begins to wait', async () => {
  await draw(false);
  opener().focus();
  const elsewhere = document.body.appendChild(document.createElement('input'));
  elsewhere.focus();

  await draw(false, { isWaiting: true });
  await frame();

  expect(document.activeElement).toBe(elsewhere);
  elsewhere.remove();
});
