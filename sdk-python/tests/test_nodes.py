"""Which node is asked next, and when: pure decisions, with the time and the dice given."""

from __future__ import annotations

import random

import pytest

from insighthub.nodes import BACKOFF_SECS_MAX, LEARNED_FAILURES_MAX, Address, Nodes


def nodes(*urls: str) -> Nodes:
    return Nodes([Address.parse(url) for url in urls], random.Random(7))


def test_a_client_stays_with_a_node_that_answers() -> None:
    some = nodes("a:1", "b:1", "c:1")
    first = some.pick(0.0)
    assert first is not None
    for now in range(100):
        some.answered(first, 0.01)
        assert some.pick(now) is first


def test_a_node_that_fails_rests_longer_each_time_with_full_jitter() -> None:
    waits: list[list[float]] = [[] for _ in range(12)]
    for seed in range(300):
        some = Nodes([Address.parse("a:1")], random.Random(seed))
        now = 0.0
        for attempt in range(12):
            node = some.pick(now)
            assert node is not None
            some.failed(node, now, None)
            waits[attempt].append(some.secs_until_ready(now))
            now += waits[attempt][-1]
    for attempt, drawn in enumerate(waits):
        most = min(BACKOFF_SECS_MAX, 0.25 * 2**attempt)
        assert max(drawn) <= most
        assert max(drawn) > most * 0.9, "the whole range is drawn from"
        assert min(drawn) < most * 0.1, "from nothing on"


def test_retry_after_is_a_lower_bound_and_at_most_a_minute() -> None:
    some = nodes("a:1")
    for asked, least, most in ((7.0, 7.0, 7.25), (86_400.0, 60.0, 60.25), (-5.0, 0.0, 0.25)):
        now = 1e9
        node = some.pick(now)
        assert node is not None
        some.failed(node, now, asked)
        assert least <= some.secs_until_ready(now) <= most
        some.answered(node, 0.01)


def test_a_process_that_ends_waits_less_but_no_less_than_it_was_asked_to() -> None:
    some = nodes("a:1", "b:1")
    for asked in (None, 20.0):
        node = some.pick(0.0)
        assert node is not None
        for _ in range(9):
            some.failed(node, 0.0, asked)
    some.hurry(0.0, 0.25)
    first = some.pick(0.25)
    assert first is not None
    some.failed(first, 0.25, 30.0)
    some.hurry(0.25, 0.25)
    assert some.secs_until_ready(0.25) > 19.0


def test_quick_nodes_are_drawn_rather_than_slow_ones() -> None:
    drawn = {"quick": 0, "slow": 0}
    for seed in range(400):
        some = Nodes([Address.parse("quick:1"), Address.parse("slow:1")], random.Random(seed))
        for node in some._nodes:
            node.answer_secs = 0.01 if node.address.host == "quick" else 0.5
        picked = some.pick(0.0)
        assert picked is not None
        drawn[picked.address.host] += 1
    assert drawn["quick"] > 20 * drawn["slow"] > 0


def test_while_one_rests_another_is_asked_and_a_limit_of_all_rests_all() -> None:
    some = nodes("a:1", "b:1")
    first = some.pick(0.0)
    assert first is not None
    some.failed(first, 0.0, 5.0)
    second = some.pick(0.0)
    assert second is not None
    assert second is not first
    some.throttled(second, 0.0, 3.0)
    assert some.pick(2.9) is None
    assert some.pick(3.3) is second


def test_learned_nodes_come_and_go_and_configured_ones_stay() -> None:
    some = nodes("a:1")
    a, b, c = (Address.parse(url) for url in ("a:1", "b:1", "c:1"))
    some.learn([b, c])
    assert some.addresses() == [a, b, c]
    some.learn([c])
    assert some.addresses() == [a, c]
    learned = some._nodes[1]
    for _ in range(LEARNED_FAILURES_MAX):
        some.failed(learned, 0.0, None)
    assert some.addresses() == [a]


@pytest.mark.parametrize("url", ["ftp://a", "http://", "http://a:port", "://", "http://u:p@a"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Address.parse(url)
