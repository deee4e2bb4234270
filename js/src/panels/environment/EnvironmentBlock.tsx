// What runs beside a worktree: its services with their ports, what they use, their logs, and what they serve.
import { useEffect, useId, useRef, useState } from 'react';

import type { Environment, Service, Worktree } from '../../protocol/generated.js';
import { isBusy, isUp, lookOf } from '../../store/environments.js';
import type { EnvironmentDeed } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { clock } from '../../texts/ages.js';
import { size } from '../../texts/counts.js';
import { Icon, IconButton } from '../common/Icon.js';
import { MenuButton } from '../common/Menu.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand, useNow, useShared } from '../context.js';
import { LogView } from './LogView.js';

const words = dialogTexts.environment;
const MEASURED_EVERY_MS = 5000;

export function EnvironmentBlock({ worktree }: { worktree: Worktree }) {
  const shared = useShared();
  const environment = shared.environments.get(worktree.id);
  const problem = useMeasured(worktree.id, environment);
  const unusable = shared.environmentProblems.get(worktree.id);
  if (unusable && !(environment && isUp(environment))) return <Unusable worktreeId={worktree.id} problem={unusable.text} />;
  if (!environment) return <Problem text={problem} />;
  return <Shown environment={environment} />;
}

/** Which file is wrong, in which line, and what was perhaps meant. */
function Unusable({ worktreeId, problem }: { worktreeId: string; problem: string }) {
  const { client } = useApp();
  const { run, isRunning } = useCommand();
  const id = useId();
  return (
    <section aria-labelledby={id} className="agor-environment" data-environment="unusable">
      <div className="agor-row agor-section-head">
        <h3 id={id}>{texts.environment.title}</h3>
        <span className="agor-mark agor-tone-fail" aria-hidden="true">
          <Icon name="st-failed" size={14} />
        </span>
        <span>{texts.environment.unusable}</span>
        <span className="agor-grow" />
        <button type="button" className="agor-btn agor-sm" disabled={isRunning} onClick={() => void run(() => client.askEnvironment(worktreeId))}>
          <Icon name="refresh" size={14} />
          {words.lookAgain}
        </button>
      </div>
      <div className="agor-fail-strip" role="alert">
        {visible(problem)}
      </div>
    </section>
  );
}

/** Asked for when the panel opens, and again and again while something runs: what it uses is in no event. */
function useMeasured(worktreeId: string, environment: Environment | undefined): string | null {
  const { client } = useApp();
  const [problem, setProblem] = useState<string | null>(null);
  const isRunning = environment !== undefined && isUp(environment);
  useEffect(() => {
    let isGone = false;
    const ask = () => {
      if (document.visibilityState === 'hidden') return;
      client.askEnvironment(worktreeId).then(
        () => !isGone && setProblem(null),
        error => !isGone && setProblem(error instanceof Error ? error.message : String(error)),
      );
    };
    ask();
    const timer = isRunning ? setInterval(ask, MEASURED_EVERY_MS) : undefined;
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [client, worktreeId, isRunning]);
  return problem;
}

function Shown({ environment }: { environment: Environment }) {
  const { commands } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  const [variant, setVariant] = useState<string | null>(null);
  const [asksReset, setAsksReset] = useState(false);
  const id = useId();
  const mayRun = shared.me?.role === 'owner';
  const isBlocked = environment.needsTrust && !isUp(environment);
  const act = (what: EnvironmentDeed, services: string[] = []) =>
    void run(() =>
      commands.steerEnvironment(environment.worktreeId, what, { services, ...(what === 'start' && variant !== null ? { variant } : {}) }),
    );
  const look = lookOf(environment.state);
  return (
    <section aria-labelledby={id} className="agor-environment" data-environment={environment.state}>
      <div className="agor-row agor-section-head">
        <h3 id={id}>{texts.environment.title}</h3>
        <span className={`agor-mark agor-tone-${look.tone}`} aria-hidden="true">
          <Icon name={`st-${look.mark}`} size={14} />
        </span>
        <span>{texts.environment.states[environment.state]}</span>
        <span className="agor-xs agor-t3 agor-ell">{words.from(environment.source)}</span>
        <span className="agor-grow" />
        {mayRun && <Buttons environment={environment} isBlocked={isBlocked} isRunning={isRunning} act={act} onReset={() => setAsksReset(true)} />}
      </div>
      <Spoken environment={environment} />
      {environment.reason &&
        !isBlocked &&
        (environment.state === 'failed' ? (
          <Problem text={visible(environment.reason)} />
        ) : (
          <p className="agor-advice">{visible(environment.reason)}</p>
        ))}
      {isBlocked && <NeedsTrust environment={environment} />}
      {asksReset && (
        <div className="agor-conflict" role="alertdialog" aria-label={words.resetMore}>
          <p>{words.resetAsk}</p>
          <div className="agor-row">
            <button
              type="button"
              className="agor-btn agor-sm agor-danger"
              onClick={() => {
                setAsksReset(false);
                act('reset');
              }}
            >
              {words.reset}
            </button>
            {/* biome-ignore lint/a11y/noAutofocus: it asks, and what is safe has the focus */}
            <button type="button" className="agor-btn agor-sm" autoFocus onClick={() => setAsksReset(false)}>
              {texts.cancel}
            </button>
          </div>
        </div>
      )}
      {mayRun && environment.variants.length > 1 && !isUp(environment) && (
        <label className="agor-row agor-environment-variant">
          <span className="agor-t2">{words.variant}</span>
          <select className="agor-select agor-fit" value={variant ?? environment.variant} onChange={event => setVariant(event.target.value)}>
            {environment.variants.map(one => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </label>
      )}
      <LinkRow environment={environment} />
      <Services environment={environment} mayRun={mayRun && !isBlocked} isRunning={isRunning} act={act} />
      {!mayRun && <p className="agor-advice">{words.ownersOnly}</p>}
      {environment.notices.map(notice => (
        <p key={notice} className="agor-advice">
          {visible(notice)}
        </p>
      ))}
      <Problem text={problem} />
    </section>
  );
}

interface ButtonsProps {
  environment: Environment;
  isBlocked: boolean;
  isRunning: boolean;
  act: (what: EnvironmentDeed) => void;
  onReset: () => void;
}

function Buttons({ environment, isBlocked, isRunning, act, onReset }: ButtonsProps) {
  const isUpNow = isUp(environment);
  const isStopping = environment.state === 'stopping';
  return (
    <>
      {isUpNow || isBusy(environment) ? (
        <>
          <button type="button" className="agor-btn agor-sm" disabled={isRunning || isStopping} onClick={() => act('restart')}>
            {words.restart}
          </button>
          <button type="button" className="agor-btn agor-sm" disabled={isRunning || isStopping} onClick={() => act('stop')}>
            <Icon name="stop" size={14} />
            {words.stop}
          </button>
        </>
      ) : (
        <button type="button" className="agor-btn agor-sm agor-primary" disabled={isRunning || isBlocked} onClick={() => act('start')}>
          <Icon name="play" size={14} />
          {words.start}
        </button>
      )}
      <MenuButton
        className="agor-ib agor-sm"
        label={words.more}
        isDisabled={isRunning || isStopping || isBlocked}
        items={[{ id: 'reset', label: words.resetMore, icon: 'undo', run: onReset }]}
      >
        <Icon name="more" />
      </MenuButton>
    </>
  );
}

/** Said once when it changes, for those who do not see it. */
function Spoken({ environment }: { environment: Environment }) {
  const before = useRef(environment);
  const [text, setText] = useState('');
  useEffect(() => {
    const known = new Map(before.current.services.map(one => [one.name, one.state]));
    before.current = environment;
    const news = environment.services.filter(({ name, state }) => known.has(name) && known.get(name) !== state);
    if (news.length) setText(news.map(({ name, state }) => words.changed(visible(name), texts.environment.states[state])).join(', '));
  }, [environment]);
  return (
    <p className="agor-spoken" role="status">
      {text}
    </p>
  );
}

function NeedsTrust({ environment }: { environment: Environment }) {
  const { commands } = useApp();
  const shared = useShared();
  return (
    <div className="agor-conflict">
      <p>{visible(environment.reason ?? words.trustOwner)}</p>
      {shared.me?.role === 'owner' && (
        <div className="agor-row">
          <button type="button" className="agor-btn agor-sm" onClick={() => commands.openDialog('trust', { worktreeId: environment.worktreeId })}>
            {words.trust}
          </button>
        </div>
      )}
    </div>
  );
}

function LinkRow({ environment }: { environment: Environment }) {
  const { commands } = useApp();
  if (!environment.links.length) return null;
  return (
    <div className="agor-row agor-wrap">
      {environment.links.map(({ name, isOpen }) => (
        <span key={name} className="agor-row agor-environment-link">
          <button
            type="button"
            className="agor-btn agor-sm"
            disabled={!isOpen}
            title={isOpen ? undefined : words.notUp}
            onClick={() => commands.openLink(environment.worktreeId, name)}
          >
            {texts.environment.open(visible(name))}
          </button>
          <IconButton
            icon="external"
            label={words.outside(visible(name))}
            size={14}
            isDisabled={!isOpen}
            onClick={() => commands.openLink(environment.worktreeId, name, true)}
          />
        </span>
      ))}
    </div>
  );
}

interface ServicesProps {
  environment: Environment;
  mayRun: boolean;
  isRunning: boolean;
  act: (what: EnvironmentDeed, services: string[]) => void;
}

function Services({ environment, mayRun, isRunning, act }: ServicesProps) {
  const [open, setOpen] = useState<string | null>(null);
  if (!environment.services.length) return <p className="agor-advice">{words.noServices}</p>;
  return (
    <ul className="agor-plain-list" aria-label={words.services}>
      {environment.services.map(service => (
        <li key={service.name} data-service={service.name} data-state={service.state}>
          <ServiceRow
            service={service}
            mayRun={mayRun && environment.state !== 'stopping'}
            isRunning={isRunning}
            isLogOpen={open === service.name}
            act={act}
            onLog={() => setOpen(open === service.name ? null : service.name)}
          />
          {open === service.name && <LogView worktreeId={environment.worktreeId} service={service.name} onClose={() => setOpen(null)} />}
        </li>
      ))}
    </ul>
  );
}

interface RowProps {
  service: Service;
  mayRun: boolean;
  isRunning: boolean;
  isLogOpen: boolean;
  act: (what: EnvironmentDeed, services: string[]) => void;
  onLog: () => void;
}

function ServiceRow({ service, mayRun, isRunning, isLogOpen, act, onLog }: RowProps) {
  const now = useNow(1000);
  const { name, state, ports, restarts, reason, startedAt, memoryBytes, cpuPercent, exitCode } = service;
  const isDown = state === 'stopped' || state === 'failed';
  const look = lookOf(state);
  const facts = [
    ...Object.entries(ports).map(([port, number]) => words.port(port, number)),
    !isDown && startedAt ? words.up(clock(startedAt, now)) : '',
    !isDown && memoryBytes !== null ? size(memoryBytes) : '',
    !isDown && cpuPercent !== null ? words.cpu(cpuPercent) : '',
    restarts > 0 ? words.restarts(restarts) : '',
    isDown && exitCode !== null ? words.ended(exitCode) : '',
  ].filter(Boolean);
  return (
    <div className="agor-service">
      <div className="agor-row">
        <span className={`agor-mark agor-tone-${look.tone}`} role="img" aria-label={texts.environment.states[state]}>
          <Icon name={`st-${look.mark}`} size={14} />
        </span>
        <b className="agor-ell">{visible(name)}</b>
        <span className="agor-t2 agor-nowrap">{texts.environment.states[state]}</span>
        <span className="agor-grow" />
        {mayRun &&
          (isDown ? (
            <IconButton icon="play" label={words.startService(name)} size={14} isDisabled={isRunning} onClick={() => act('start', [name])} />
          ) : (
            <>
              <IconButton icon="refresh" label={words.restartService(name)} size={14} isDisabled={isRunning} onClick={() => act('restart', [name])} />
              <IconButton icon="stop" label={words.stopService(name)} size={14} isDisabled={isRunning} onClick={() => act('stop', [name])} />
            </>
          ))}
        <button
          type="button"
          className="agor-ib agor-sm"
          aria-expanded={isLogOpen}
          aria-label={words.log(name)}
          title={words.log(name)}
          onClick={onLog}
        >
          <Icon name="terminal" size={14} />
        </button>
      </div>
      {facts.length > 0 && (
        <div className="agor-service-facts">
          {facts.map(fact => (
            <span key={fact}>{fact}</span>
          ))}
        </div>
      )}
      {reason && <p className={state === 'failed' || state === 'unhealthy' ? 'agor-fail-text' : 'agor-advice'}>{visible(reason)}</p>}
    </div>
  );
}
