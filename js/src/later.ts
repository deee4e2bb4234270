// later.js, the second bundle: what opens over and beside a board that stands already. It takes React and what is shared from the
// first, by `kit.ts`.
import { injectLaterStyles } from './styles/later.js';

export { Carry } from './canvas/input/carry.js';
export { Foretelling } from './canvas/scene/foretelling.js';
export { Minimap } from './canvas/scene/minimap.js';
export { Inbox } from './panels/board/Inbox.js';
export { Dialogs } from './panels/Dialogs.js';
export { SessionPanel } from './panels/session/SessionPanel.js';
export { WorktreePanel } from './panels/worktree/WorktreePanel.js';
export { EnvironmentFinder } from './session/environments.js';

injectLaterStyles();
