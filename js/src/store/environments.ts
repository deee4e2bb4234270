// What runs beside a worktree, as a card and its panel say it. Pure.
import type { Environment, EnvironmentState, Link, Service, ServiceState } from '../protocol/generated';
import { texts } from '../texts';
import type { Mark } from './marks';
import type { SettingsProblem } from './types';

export type Tone = 'rest' | 'run' | 'need' | 'fail' | 'done';
export interface Look {
  readonly mark: Mark;
  readonly tone: Tone;
}

const LOOKS = {
  stopped: { mark: 'idle', tone: 'rest' },
  waiting: { mark: 'queued', tone: 'rest' },
  starting: { mark: 'starting', tone: 'rest' },
  healthy: { mark: 'done', tone: 'done' },
  degraded: { mark: 'failed', tone: 'fail' },
  unhealthy: { mark: 'failed', tone: 'fail' },
  stopping: { mark: 'starting', tone: 'rest' },
  failed: { mark: 'failed', tone: 'fail' },
} as const satisfies Record<EnvironmentState | ServiceState, Look>;

export const lookOf = (state: EnvironmentState | ServiceState): Look => LOOKS[state];

/** Something of it runs, or is about to. */
export const isUp = ({ services }: Pick<Environment, 'services'>): boolean => services.some(({ state }) => state !== 'stopped' && state !== 'failed');

export const isBusy = ({ state }: Pick<Environment, 'state'>): boolean => state === 'starting' || state === 'stopping';

/** “web 9101, api 9102”: of what runs. */
const portsOf = (services: readonly Service[]): string =>
  services
    .filter(({ state }) => state === 'healthy' || state === 'unhealthy' || state === 'starting')
    .flatMap(({ ports }) => Object.entries(ports).map(([name, port]) => `${name} ${port}`))
    .join(', ');

/** The line of a card. */
export interface EnvironmentLine extends Look {
  readonly state: string;
  /** Ports, or what is wrong. */
  readonly text: string;
  readonly detail: string;
  readonly link: string | null;
  /** What one press does, for who may. */
  readonly deed: 'start' | 'stop' | null;
  readonly isFailed: boolean;
}

export const lineOf = (environment: Environment, maySteer: boolean): EnvironmentLine => {
  const { state, services, links, reason, needsTrust } = environment;
  const troubled = services.find(one => one.state === 'failed') ?? services.find(one => one.state === 'unhealthy');
  const isFailed = state === 'failed' || state === 'degraded';
  const said = isFailed ? (reason ?? (troubled && `${troubled.name}: ${troubled.reason ?? texts.environment.states[troubled.state]}`)) : null;
  const isDown = state === 'stopped' || state === 'failed';
  return {
    ...lookOf(state),
    state: needsTrust && isDown ? texts.environment.untrusted : texts.environment.states[state],
    // While nothing runs: what there would be to open; before its first start no link has an address, and what would run is named.
    text: said ?? (portsOf(services) || (links.length ? links : services).map(({ name }) => name).join(', ')),
    detail: [
      reason,
      ...services.map(one => `${one.name}: ${texts.environment.states[one.state].toLowerCase()}${one.reason ? `. ${one.reason}` : ''}`),
    ]
      .filter(Boolean)
      .join('\n'),
    link: links.find(one => one.isOpen)?.name ?? null,
    deed: !maySteer || isBusy(environment) || (needsTrust && isDown) ? null : isDown ? 'start' : 'stop',
    isFailed,
  };
};

/** Of one whose settings cannot be used. */
export const brokenLine = ({ text, why }: SettingsProblem): EnvironmentLine => ({
  ...LOOKS.failed,
  state: texts.environment.unusable,
  text: why,
  detail: text,
  link: null,
  deed: null,
  isFailed: true,
});

/** The address of a link; `null` where it leads off this server. */
export const pageOf = ({ url }: Pick<Link, 'url'>, base: string): string | null => {
  try {
    const found = new URL(url.replace(/^\/+/, ''), base);
    return found.href.startsWith(base) ? found.href : null;
  } catch {
    return null;
  }
};
