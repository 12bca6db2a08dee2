"""The part of threadpoolctl that this project uses; the package has no types of its own."""

class threadpool_limits:
    def __init__(self, limits: int | None = ..., user_api: str | None = ...) -> None: ...
