"""The service on Ray Serve: `serve run realtime.ray_serve:app`, with as many replicas as the talkers need.

A replica is the whole application with models of its own, because the state of a session has to be beside its decoder.
Ray starts and restarts replicas, on any number of machines, and passes connections on. The replica itself refuses what
does not fit, and drains before it is stopped: Ray's queues and limits are made for short requests (docs/scaling.md).
"""

import asyncio
import logging
import math
import os
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from prometheus_client.samples import Sample
from ray import serve
from ray.exceptions import RayError
from ray.serve import metrics as ray_metrics
from ray.serve.config import AutoscalingConfig, AutoscalingContext, AutoscalingPolicy
from ray.serve.exceptions import RayServeException
from starlette.applications import Starlette

from realtime import logs
from realtime.app import create_app
from realtime.edge.drain import Drain
from realtime.engines.registry import InstalledEngines, Registry
from realtime.environment import settings_from
from realtime.models.models import Models
from realtime.settings import Settings

logger = logging.getLogger("vivavoce")

NAME: Final = "vivavoce"
"""Name of the deployment."""

TAKEN_SHARE: Final = "taken_share"
"""Name of the figure by which Ray scales: which share of its capacity a replica has promised to sessions."""

TARGET_SHARE: Final = 0.7
"""Taken share of the replicas, on average, above which another one is started.

The rest serves the talkers who come until it is ready, and those of a replica that fails.
"""

LOOK_BACK_SECONDS: Final = 15.0
"""Seconds over which the taken share is averaged; replicas report it every 10 s."""

UPSCALE_SECONDS: Final = 5.0
"""Seconds for which more replicas must be needed before they are started."""

DOWNSCALE_SECONDS: Final = 300.0
"""Seconds for which fewer replicas must be needed before one is drained: longer than a pause between two meetings."""

HEALTH_CHECK_SECONDS: Final = 1.0
"""Seconds between two health checks of a replica. Ray checks only those that are not to stop."""

MISSED_CHECKS: Final = 3
"""Health checks that did not come, after which a replica asks whether it is to stop: nothing else tells it."""

MARGIN_SECONDS: Final = 15.0
"""Seconds that Ray waits for a replica beyond its drain: to notice its beginning, and for its end."""

PLACES_FOR_REQUESTS: Final = 200
"""Connections that Ray passes on to a replica beyond its sessions: requests, and sessions that it refuses itself."""


class Replica:
    """The application in one replica."""

    async def __init__(  # type: ignore[misc]  # Ray awaits it
        self, settings: Settings, engines: Callable[[Settings], Registry]
    ) -> None:
        """Load the models. Raises what ends the start of the replica."""
        logs.configure(settings)
        self._settings = settings
        self._drain = Drain()
        self._models = Models(settings, engines(settings))
        self._failure: BaseException | None = None
        self._app: Starlette | None = None
        self._checked_at = time.monotonic()
        self._watching: asyncio.Task[None] | None = None
        await self._models.open()

    def __serve_build_asgi_app__(self) -> Starlette:
        """Return the application."""
        self._app = create_app(self._models, self._settings, self._drain, self._fail)
        return self._app

    async def check_health(self) -> None:
        """Tell Ray that this replica works. Raises what makes Ray replace it."""
        self._checked_at = time.monotonic()
        if self._failure is not None:
            raise self._failure
        if self._drain.begun:
            raise RuntimeError("This replica has drained.")
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Return the figures by which Ray scales."""
        return {TAKEN_SHARE: taken_share(self._models, self._settings.max_sessions)}

    def _fail(self, failure: BaseException) -> None:
        self._failure = failure

    @property
    def _unchecked(self) -> bool:
        """Whether health checks did not come."""
        return time.monotonic() - self._checked_at > MISSED_CHECKS * HEALTH_CHECK_SECONDS

    async def _watch(self) -> None:
        """Export the metrics, and drain when Ray stops this replica."""
        exported = Exported()
        while True:
            await asyncio.sleep(HEALTH_CHECK_SECONDS)
            assert self._app is not None
            exported.set(self._app.state.metrics.samples())
            if not self._unchecked or self._drain.begun or not await asyncio.to_thread(_some_replica_stops):
                continue
            if self._unchecked:  # still: no check was only late
                logger.info("draining for at most %.0f seconds", self._settings.drain_timeout_seconds)
                self._drain.begin(self._settings.drain_timeout_seconds)


def _some_replica_stops() -> bool:
    """Ask Ray whether it is stopping a replica, or all of them because the deployment is deleted.

    While Ray's controller is started again, nothing checks or stops replicas.
    """
    try:
        applications = serve.status().applications.values()
    except (RayError, RayServeException) as error:
        logger.warning("asking Ray whether this replica is to stop failed: %s", error)
        return False
    deployments = [application.deployments[NAME] for application in applications if NAME in application.deployments]
    return not deployments or any(each.replica_states.get("STOPPING") for each in deployments)


class Exported:
    """Metrics of this replica as metrics of Ray, which adds the replica to their labels and exports those of all."""

    def __init__(self) -> None:
        self._gauges: dict[str, Any] = {}

    def set(self, samples: Iterable[Sample]) -> None:
        """Set the newest values."""
        for sample in samples:
            if sample.name not in self._gauges:
                self._gauges[sample.name] = ray_metrics.Gauge(sample.name, tag_keys=tuple(sample.labels))
            self._gauges[sample.name].set(sample.value, tags=sample.labels)


def taken_share(models: Models, max_sessions: int) -> float:
    """Return which share of its capacity a replica has promised: of the time of its engines, or of its places."""
    admissions = [scheduler.load.admission for scheduler in models.schedulers.values()]
    now = time.monotonic()
    of_places = sum(each.sessions for each in admissions) / max_sessions
    return max([of_places, *(each.taken_share(now) for each in admissions)])


def replicas_for_load(context: AutoscalingContext) -> tuple[int, dict[str, Any]]:
    """Return how many replicas the sessions need; the policy of Ray's autoscaler."""
    shares = (context.aggregated_metrics or {}).get(TAKEN_SHARE) or {}
    return max(1, math.ceil(sum(shares.values()) / TARGET_SHARE)), {}


def application(
    settings: Settings,
    *,
    min_replicas: int = 1,
    max_replicas: int = 1,
    num_cpus: float = 2.0,
    upscale_seconds: float = UPSCALE_SECONDS,
    downscale_seconds: float = DOWNSCALE_SECONDS,
    engines: Callable[[Settings], Registry] = InstalledEngines,
) -> serve.Application:
    """Return the application for Ray Serve: `min_replicas` to `max_replicas` replicas of `num_cpus` CPUs each."""
    deployment = serve.deployment(
        serve.ingress()(Replica),
        name=NAME,
        # Ray queues what is more, or answers it with 500; the replica refuses sessions before that, with a reason.
        max_ongoing_requests=settings.max_sessions + PLACES_FOR_REQUESTS,
        ray_actor_options={"num_cpus": num_cpus},
        health_check_period_s=HEALTH_CHECK_SECONDS,
        graceful_shutdown_wait_loop_s=0.5,
        graceful_shutdown_timeout_s=settings.drain_timeout_seconds + MARGIN_SECONDS,
        autoscaling_config=AutoscalingConfig(
            min_replicas=min_replicas,
            max_replicas=max_replicas,
            look_back_period_s=LOOK_BACK_SECONDS,
            upscale_delay_s=upscale_seconds,
            downscale_delay_s=downscale_seconds,
            policy=AutoscalingPolicy(policy_function=replicas_for_load),
        ),
    )
    return deployment.bind(settings, engines)


def app(arguments: dict[str, str]) -> serve.Application:
    """Return the application with the settings of the environment, for `serve run realtime.ray_serve:app NAME=VALUE`.

    `arguments` are `min_replicas`, `max_replicas` and `num_cpus`, of each replica.
    """
    return application(
        settings_from(os.environ),
        min_replicas=int(arguments.get("min_replicas", 1)),
        max_replicas=int(arguments.get("max_replicas", arguments.get("min_replicas", 1))),
        num_cpus=float(arguments.get("num_cpus", 2)),
    )
