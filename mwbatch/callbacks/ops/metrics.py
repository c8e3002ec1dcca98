"""The receiver's plain numbers as Prometheus reads them: built when asked for,
so that callbacks pay nothing for it.

No label but ``outcome``, whose values are a closed set: nothing that a stranger sends can make a new time
series.
"""

from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mwbatch.callbacks.common.counts import Counts
from mwbatch.callbacks.common.refusal import Reason
from mwbatch.callbacks.receiver import Receiver
from mwbatch.journal.interface.commit_times import Histogram

OUTCOMES: Final = ("stored", "repeated", "probe", *(reason.value for reason in Reason))
"""Everything that a request can come to."""


class Metrics(Collector):
    """The numbers of one receiver, in a registry of its own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, receiver: Receiver, connections: Callable[[], int]) -> None:
        self._receiver, self._connections = receiver, connections
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """The numbers of this moment in Prometheus' text format."""
        return generate_latest(self._registry)

    def describe(self) -> Iterator[Metric]:
        """Nothing: registering alone must not count anything."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Every number of this moment."""
        yield _outcomes(self._receiver.counts)
        yield from self._counters()
        yield from self._gauges()
        commits = self._receiver.commits
        yield _histogram("mwbatch_commit_seconds", "Time of one write and sync.", commits.seconds)
        yield _histogram("mwbatch_commit_bytes", "Size of one write and sync.", commits.bytes)

    def _counters(self) -> Iterator[Metric]:
        counts = self._receiver.counts
        for name, help_text, value in (
            ("mwbatch_inbox", "Callbacks answered 200 whose batch is not here.", counts.inbox),
            (
                "mwbatch_mismatched",
                "Callbacks answered 200 that name two tasks or addresses.",
                counts.mismatched,
            ),
            ("mwbatch_unrecorded", "New callbacks of another task than the one recorded.", counts.unrecorded),
            ("mwbatch_foreign", "Requests to addresses that other keys signed.", counts.foreign),
            ("mwbatch_rejects_kept", "Callbacks that did not fit, whose bytes are on disk.", counts.kept),
            ("mwbatch_rejects_unkept", "Callbacks that did not fit and were only counted.", counts.unkept),
            ("mwbatch_received_bytes", "Bodies of the callbacks answered 200.", counts.bytes),
            ("mwbatch_turned_away", "Connections above the cap, all others busy.", counts.turned_away),
            ("mwbatch_evicted", "Idle connections that made room for others.", counts.evicted),
            ("mwbatch_untaken", "Connections that did not take their answers.", counts.untaken),
        ):
            yield CounterMetricFamily(name, help_text, value=value)

    def _gauges(self) -> Iterator[Metric]:
        receiver = self._receiver
        for name, help_text, value in (
            ("mwbatch_queue_bytes", "Bytes that wait to become durable.", receiver.backlog),
            ("mwbatch_held_bytes", "Bodies in memory.", receiver.held),
            (
                "mwbatch_batches_aside",
                "Batches that cannot be used: their callbacks go to the inbox.",
                receiver.aside,
            ),
            ("mwbatch_open_connections", "Connections open now.", self._connections()),
            ("mwbatch_ready", "1 while callbacks can be taken.", receiver.hindrance is None),
        ):
            yield GaugeMetricFamily(name, help_text, value=value)
        if receiver.certificate is not None:
            left = receiver.certificate.seconds_left
            yield GaugeMetricFamily("mwbatch_certificate_seconds", "Until the certificate ends.", value=left)


def _outcomes(counts: Counts) -> Metric:
    found = {"stored": counts.stored, "repeated": counts.repeated, "probe": counts.probes}
    found |= {reason.value: counts.rejected[reason] for reason in Reason}
    family = CounterMetricFamily("mwbatch_callbacks", "Requests by what they came to.", labels=["outcome"])
    for outcome in OUTCOMES:
        family.add_metric([outcome], found[outcome])
    return family


def _histogram(name: str, help_text: str, histogram: Histogram) -> Metric:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    return HistogramMetricFamily(name, help_text, buckets=buckets, sum_value=histogram.total)
