"""When in the day a database is backed up and mended, so that nothing of it overlaps; pure."""

from dataclasses import dataclass

from constructs_lib._checks import in_range, matches

_DAY = 24 * 60
_DAYS = ("sun", "mon")
# Source: Amazon RDS API reference, CreateDBInstance: both windows have at least 30 minutes and must not overlap.
_SHORTEST, _LONGEST = 30, 120
_PAUSE, _MAINTENANCE = 30, 60
# Source: AWS Backup developer guide, "Creating backups by resource type": not within an hour of either window.
_APART = 60


@dataclass(frozen=True)
class DailyWindows:
    """The window of automated backups, and what follows from it.

    Attributes:
        backup: "HH:MM-HH:MM", UTC, as RDS takes it.
        maintenance: An hour in the night to Monday or on Sunday, half an hour after the backups.
        plan_hour: A whole hour of the day that is an hour away from both.
    """

    backup: str
    maintenance: str
    plan_hour: int

    @classmethod
    def after(cls, prop: str, window: str) -> "DailyWindows":
        """Read the window.

        Raises:
            ValueError: It is no window, or shorter than 30 or longer than 120 minutes.
        """
        clock = r"([01]\d|2[0-3]):[0-5]\d"
        matches(prop, window, f"{clock}-{clock}", 'a time of day in UTC as "03:00-04:00"')
        begin, end = (int(one[:2]) * 60 + int(one[3:]) for one in window.split("-"))
        length = (end - begin) % _DAY
        in_range(f"{prop} (minutes)", length, _SHORTEST, _LONGEST)
        mended = begin + length + _PAUSE
        planned = -(-(mended + _MAINTENANCE + _APART) // 60)
        return cls(window, f"{_weekly(mended)}-{_weekly(mended + _MAINTENANCE)}", planned % 24)


def _weekly(minutes: int) -> str:
    day, rest = divmod(minutes, _DAY)
    return f"{_DAYS[day]}:{rest // 60:02}:{rest % 60:02}"
