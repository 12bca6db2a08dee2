from realtime.models.eviction import NEVER, LoadedModel, expired, lru_victims


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def models(clock: Clock, **sizes: int) -> list[LoadedModel]:
    """Return models that were loaded a second after each other."""
    loaded = []
    for name, size in sizes.items():
        clock.now += 1
        loaded.append(LoadedModel(name, clock=clock))
        loaded[-1].weight_bytes = size
    return loaded


def names(victims: list[LoadedModel] | None) -> list[str]:
    assert victims is not None
    return [each.name for each in victims]


def test_a_model_expires_after_its_idle_time() -> None:
    clock = Clock()
    loaded = models(clock, old=1, new=1)
    assert names(expired(loaded, 10.9, 10)) == []
    assert names(expired(loaded, 11.0, 10)) == ["old"]


def test_a_model_that_is_leased_or_pinned_is_not_evicted() -> None:
    clock = Clock()
    leased, pinned = models(clock, leased=1, pinned=1)
    pinned.pinned = True
    with leased.lease():
        assert names(expired([leased, pinned], 1000, 10)) == []
        assert lru_victims([leased, pinned], 1) is None
    assert names(expired([leased, pinned], 1000, 10)) == ["leased"]


def test_the_idle_time_begins_when_the_last_lease_ends() -> None:
    clock = Clock()
    (model,) = models(clock, model=1)
    with model.lease(), model.lease():
        clock.now = 100
    assert names(expired([model], 109, 10)) == []
    assert names(expired([model], 110, 10)) == ["model"]


def test_without_an_idle_time_no_model_expires() -> None:
    assert names(expired(models(Clock(), model=1), 1e9, NEVER)) == []


def test_the_least_recently_used_models_are_evicted_and_no_more_than_needed() -> None:
    clock = Clock()
    loaded = models(clock, first=4, second=4, third=4)
    clock.now += 1
    loaded[0].touch()
    assert names(lru_victims(loaded, 5)) == ["second", "third"]
    assert names(lru_victims(loaded, 4)) == ["second"]
    assert names(lru_victims(loaded, 0)) == []


def test_no_model_is_evicted_if_all_of_them_would_not_suffice() -> None:
    assert lru_victims(models(Clock(), first=4, second=4), 9) is None
