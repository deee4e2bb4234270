"""How the records of environments are written: each change is one transaction, told of as it commits."""

from collections.abc import Callable, Mapping
from datetime import datetime

from agor_jupyter.domain.environments import Environment, Link, Phase, Plan, Service, ServiceRun, ServiceState, derive_state
from agor_jupyter.domain.events import EnvironmentChanged
from agor_jupyter.domain.ids import WorktreeId
from agor_jupyter.domain.worktrees import Worktree
from agor_jupyter.services.clock import Clock
from agor_jupyter.storage import environments
from agor_jupyter.storage.environments import Row
from agor_jupyter.storage.store import Store, Transaction

Step = Callable[[Row], Row]


class Register:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def read(self, worktree_id: WorktreeId) -> Row | None:
        return await self._store.read(environments.get, worktree_id)

    async def change(self, worktree_id: WorktreeId, step: Step) -> Row | None:
        """`None`: it is gone."""
        at = self._clock.now()

        def job(transaction: Transaction) -> Row | None:
            row = environments.get(transaction.connection, worktree_id)
            return None if row is None else save(transaction, step(row), at)

        return await self._store.write(job)


def save(transaction: Transaction, row: Row, at: datetime) -> Row:
    """With what follows from it: its state, and which links are open."""
    environment = row.environment
    healthy = {service.name for service in environment.services if service.state is ServiceState.HEALTHY}
    links = [link.replace(is_open=link.service in healthy) for link in environment.links]
    state = derive_state(row.phase, environment.services)
    row = row._replace(environment=environment.replace(state=state, links=links, updated_at=at))
    environments.save(transaction, row)
    transaction.append(at, EnvironmentChanged(environment=row.environment))
    return row


def planned(row: Row, plan: Plan, ports: Mapping[str, int]) -> Row:
    """With this plan and these ports. Services that are there keep what is known of them."""
    known = {service.name: service for service in row.environment.services}
    services = [
        known.get(spec.name, Service(name=spec.name, state=ServiceState.STOPPED)).replace(
            ports={name: ports[name] for name in spec.ports if name in ports}
        )
        for spec in plan.services
    ]
    environment = row.environment.replace(
        source=plan.source,
        variant=plan.variant,
        variants=plan.variants,
        services=services,
        ports=dict(ports),
        links=links_of(plan, ports),
        notices=plan.left_out,
    )
    return row._replace(environment=environment, plan=plan)


def links_of(plan: Plan, ports: Mapping[str, int]) -> list[Link]:
    """Where they are under the server's own login. Those without a port yet are not there."""
    of = {port: service.name for service in reversed(plan.services) for port in service.ports}
    return [
        Link(name=link.name, service=of[link.port], url=f"{proxied(ports[link.port], link.has_prefix)}{link.path}", is_open=False)
        for link in plan.links
        if link.port in of and link.port in ports
    ]


def proxied(port: int, has_prefix: bool) -> str:
    """How the server's proxy reaches a port. With a prefix it passes the path on as it is."""
    return f"/proxy/absolute/{port}" if has_prefix else f"/proxy/{port}"


def first(worktree: Worktree, plan: Plan, at: datetime) -> Row:
    """Of a worktree that never had one."""
    empty = Environment(
        worktree_id=worktree.id,
        worktree=worktree.name,
        source=plan.source,
        variant=plan.variant,
        variants=plan.variants,
        state=derive_state(Phase.REST, ()),
        services=[],
        updated_at=at,
    )
    return planned(Row(empty), plan, {})


def with_service(row: Row, name: str, run: ServiceRun | None, **changes: object) -> Row:
    """One service changed. `run` is what the next server has to look for, `None`: nothing."""
    services = [service.replace(**changes) if service.name == name else service for service in row.environment.services]
    runs = {other: one for other, one in row.runs.items() if other != name} | ({} if run is None else {name: run})
    return row._replace(environment=row.environment.replace(services=services), runs=runs)
