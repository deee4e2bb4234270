// The only way the shared state changes: (state, event) → state, pure.
import type { Body, Budget, Environment, Event, Firing, Me, Permission, Removed, Session, Slot, Snapshot, Turn } from '../protocol/generated';
import { isShown } from './firings';
import { byAge } from './order';
import type { BoardState, Connection, SettingsProblem } from './types';

export const initialState: BoardState = {
  n: 0,
  isLoaded: false,
  connection: { state: 'connecting', since: new Date(0).toISOString() },
  me: null,
  agents: new Map(),
  repos: new Map(),
  worktrees: new Map(),
  sessions: new Map(),
  sessionsOf: new Map(),
  turns: new Map(),
  firings: new Map(),
  environments: new Map(),
  environmentProblems: new Map(),
  permissions: new Map(),
  scheduleNews: 0,
  ended: new Map(),
  budgets: new Map(),
};

const MOST_ENDED = 20;

const byId = <T extends { readonly id: string }>(records: readonly T[]): Map<string, T> => new Map(records.map(r => [r.id, r]));

const isOpen = (permission: Permission): boolean => permission.state === 'open';

/** Turns that a card or a panel shows; the others are fetched when they are looked at. */
const isKept = (turn: Turn, session: Session | undefined): boolean => {
  // The session's own news of its last turn comes after the turn's.
  if (turn.state === 'failed') return !session || session.lastTurnId === null || session.lastTurnId === turn.id || session.currentTurnId === turn.id;
  if (turn.state === 'interrupted') return turn.resolution === null;
  return turn.state !== 'done' && turn.state !== 'cancelled';
};

const groupSessions = (sessions: Iterable<Session>): Map<string, readonly string[]> => {
  const groups = new Map<string, Session[]>();
  for (const session of sessions) {
    if (session.archivedAt !== null) continue;
    const group = groups.get(session.worktreeId);
    if (group) group.push(session);
    else groups.set(session.worktreeId, [session]);
  }
  const ids = new Map<string, readonly string[]>();
  for (const [worktree, group] of groups)
    ids.set(
      worktree,
      group.sort(byAge).map(s => s.id),
    );
  return ids;
};

/** Everything anew, after a load or a resync. */
export function applySnapshot(state: BoardState, snapshot: Snapshot): BoardState {
  return {
    n: snapshot.n,
    isLoaded: true,
    connection: state.connection,
    me: snapshot.me,
    agents: new Map(snapshot.agents.map(a => [a.agent.name, a])),
    repos: byId(snapshot.repos),
    worktrees: byId(snapshot.worktrees),
    sessions: byId(snapshot.sessions),
    sessionsOf: groupSessions(snapshot.sessions),
    turns: byId(snapshot.turns),
    firings: byId(snapshot.firings),
    environments: state.environments,
    environmentProblems: state.environmentProblems,
    permissions: byId(snapshot.permissions.filter(isOpen)),
    scheduleNews: state.scheduleNews + 1,
    ended: state.ended,
    budgets: state.budgets,
  };
}

/** Who looks is known before the board is. */
export const applyMe = (state: BoardState, me: Me): BoardState => ({ ...state, me });

/** They come apart from the snapshot. */
export function applyBudgets(state: BoardState, budgets: readonly Budget[]): BoardState {
  return { ...state, budgets: byId(budgets) };
}

/** What was asked of them, one or all. One that is known already and was changed later stays. */
export function applyEnvironments(state: BoardState, found: readonly Environment[]): BoardState {
  const environments = new Map(state.environments);
  for (const one of found) {
    const known = environments.get(one.worktreeId);
    if (!known || known.updatedAt <= one.updatedAt) environments.set(one.worktreeId, one);
  }
  const environmentProblems = new Map([...state.environmentProblems].filter(([id]) => !found.some(one => one.worktreeId === id)));
  return { ...state, environments, environmentProblems };
}

export function applyEnvironmentProblem(state: BoardState, worktreeId: string, problem: SettingsProblem): BoardState {
  return { ...state, environmentProblems: new Map(state.environmentProblems).set(worktreeId, problem) };
}

export function applyConnection(state: BoardState, connection: Connection['state'], since: string): BoardState {
  return state.connection.state === connection ? state : { ...state, connection: { state: connection, since } };
}

/** One frame of the stream. Each map is copied at most once. Events at or before `state.n` are ignored. */
export function applyAll(state: BoardState, events: readonly Event[]): BoardState {
  const draft = new Draft(state);
  for (const event of events) {
    if (event.n <= draft.n) continue;
    draft.n = event.n;
    draft.take(event.body);
  }
  return draft.finish();
}

export const apply = (state: BoardState, event: Event): BoardState => applyAll(state, [event]);

class Draft {
  n: number;
  #next: { -readonly [K in keyof BoardState]: BoardState[K] };
  #copied = new Set<string>();

  constructor(readonly before: BoardState) {
    this.n = before.n;
    this.#next = { ...before };
  }

  finish(): BoardState {
    return this.n === this.before.n ? this.before : { ...this.#next, n: this.n };
  }

  take(body: Body): void {
    switch (body.kind) {
      case 'repo':
        this.#map('repos').set(body.repo.id, body.repo);
        break;
      case 'worktree':
        this.#map('worktrees').set(body.worktree.id, body.worktree);
        break;
      case 'session':
        this.#session(body.session);
        break;
      case 'turn':
      case 'turn_ended':
        this.#turn(body.turn);
        break;
      case 'permission':
      case 'permission_asked':
      case 'permission_settled':
        if (isOpen(body.permission)) this.#map('permissions').set(body.permission.id, body.permission);
        else if (this.#next.permissions.has(body.permission.id)) this.#map('permissions').delete(body.permission.id);
        break;
      case 'agent':
        this.#map('agents').set(body.status.agent.name, body.status);
        break;
      case 'budget':
        this.#map('budgets').set(body.budget.id, body.budget);
        break;
      case 'firing':
        this.#firing(body.firing);
        break;
      case 'environment':
        this.#map('environments').set(body.environment.worktreeId, body.environment);
        break;
      case 'schedule':
        this.#next.scheduleNews += 1;
        break;
      case 'slot':
        this.#next.scheduleNews += 1;
        if (body.slot.state === 'passed' || body.slot.state === 'failed') this.#ended(body.slot);
        break;
      case 'removed':
        this.#removed(body.noun, body.id);
        break;
      // A panel that is open for them asks again.
      case 'rule':
      case 'trust':
      case 'delivery':
      case 'tool_used':
      case 'board':
        break;
      // Transcript; the panel that shows it keeps it.
      case 'prompt':
      case 'text':
      case 'thought':
      case 'tool_call':
      case 'tool_output':
      case 'plan':
      case 'usage':
      case 'mode':
      case 'notice':
      case 'error':
        break;
      default:
        // A newer server may send a kind that this page does not know; the compiler knows all of its own.
        body satisfies never;
    }
  }

  #map<
    K extends
      | 'agents'
      | 'repos'
      | 'worktrees'
      | 'sessions'
      | 'sessionsOf'
      | 'turns'
      | 'firings'
      | 'environments'
      | 'permissions'
      | 'budgets'
      | 'ended',
  >(name: K) {
    type Value = BoardState[K] extends ReadonlyMap<string, infer V> ? V : never;
    if (!this.#copied.has(name)) {
      this.#copied.add(name);
      Object.assign(this.#next, { [name]: new Map(this.#next[name] as ReadonlyMap<string, Value>) });
    }
    // The line above made it a mutable copy.
    return this.#next[name] as unknown as Map<string, Value>;
  }

  #ended(slot: Slot): void {
    const ended = this.#map('ended');
    ended.set(slot.id, slot);
    for (const id of ended.keys()) if (ended.size > MOST_ENDED) ended.delete(id);
  }

  #session(session: Session): void {
    const before = this.#next.sessions.get(session.id);
    this.#map('sessions').set(session.id, session);
    if (before && before.worktreeId === session.worktreeId && before.archivedAt === session.archivedAt) return;
    if (before && before.worktreeId !== session.worktreeId) this.#regroup(before.worktreeId);
    this.#regroup(session.worktreeId);
  }

  #turn(turn: Turn): void {
    if (isKept(turn, this.#next.sessions.get(turn.sessionId))) this.#map('turns').set(turn.id, turn);
    else if (this.#next.turns.has(turn.id)) this.#map('turns').delete(turn.id);
  }

  #firing(firing: Firing): void {
    const firings = this.#map('firings');
    firings.set(firing.id, firing);
    // Of those of one worktree that are over, the last one is kept.
    const now = new Map(firings);
    for (const [id, other] of now) if (other.worktreeId === firing.worktreeId && !isShown(other, now)) firings.delete(id);
  }

  #removed(noun: Removed['noun'], id: string): void {
    if (noun === 'session') {
      const before = this.#next.sessions.get(id);
      this.#map('sessions').delete(id);
      if (before) this.#regroup(before.worktreeId);
    } else {
      if (noun === 'worktree' && this.#next.environments.has(id)) this.#map('environments').delete(id);
      this.#map(`${noun}s`).delete(id);
    }
  }

  #regroup(worktreeId: string): void {
    const group: Session[] = [];
    for (const session of this.#next.sessions.values()) if (session.worktreeId === worktreeId && session.archivedAt === null) group.push(session);
    const ids = this.#map('sessionsOf');
    if (group.length)
      ids.set(
        worktreeId,
        group.sort(byAge).map(s => s.id),
      );
    else ids.delete(worktreeId);
  }
}
