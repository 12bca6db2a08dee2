from realtime.retention import NEVER, Tenant, to_make_room, unused


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def tenants(clock: Clock, **sizes: int) -> list[Tenant]:
    """Models loaded a second after each other."""
    loaded = []
    for name, size in sizes.items():
        clock.now += 1
        loaded.append(Tenant(name, clock=clock))
        loaded[-1].weight_bytes = size
    return loaded


def names(going: list[Tenant] | None) -> list[str]:
    assert going is not None
    return [each.name for each in going]


def test_a_model_goes_when_nobody_has_used_it_for_long_enough() -> None:
    clock = Clock()
    loaded = tenants(clock, old=1, new=1)
    assert names(unused(loaded, 10.9, 10)) == []
    assert names(unused(loaded, 11.0, 10)) == ["old"]


def test_a_model_that_is_held_or_kept_does_not_go() -> None:
    clock = Clock()
    held, kept = tenants(clock, held=1, kept=1)
    kept.kept = True
    with held.held():
        assert names(unused([held, kept], 1000, 10)) == []
        assert to_make_room([held, kept], 1) is None
    assert names(unused([held, kept], 1000, 10)) == ["held"]


def test_the_time_of_a_model_begins_when_the_last_holder_lets_go() -> None:
    clock = Clock()
    (model,) = tenants(clock, model=1)
    with model.held(), model.held():
        clock.now = 100
    assert names(unused([model], 109, 10)) == []
    assert names(unused([model], 110, 10)) == ["model"]


def test_without_a_time_no_model_goes() -> None:
    assert names(unused(tenants(Clock(), model=1), 1e9, NEVER)) == []


def test_those_unused_for_longest_make_room_and_no_more_than_needed() -> None:
    clock = Clock()
    loaded = tenants(clock, first=4, second=4, third=4)
    clock.now += 1
    loaded[0].touch()
    assert names(to_make_room(loaded, 5)) == ["second", "third"]
    assert names(to_make_room(loaded, 4)) == ["second"]
    assert names(to_make_room(loaded, 0)) == []


def test_nobody_goes_where_it_would_not_be_enough() -> None:
    assert to_make_room(tenants(Clock(), first=4, second=4), 9) is None
