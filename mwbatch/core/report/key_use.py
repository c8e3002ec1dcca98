"""What callback keys are used for, as plain values: the views turn them into words and JSON."""

from dataclasses import dataclass

from mwbatch.core.codec.ids import Kid


@dataclass(frozen=True, slots=True)
class Use:
    """A batch with addresses that a key signed; ``waiting`` of its rows may still be answered there."""

    batch: str
    waiting: int


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key as `mwbatch keys list` shows it, without its secret.

    ``use`` says whether it signs new addresses, only verifies those that it signed, or is retired.
    ``batches`` of the home have addresses signed with it, and ``waiting`` of their rows may still be answered
    there.
    """

    kid: Kid
    use: str
    made_at: str | None
    retired_at: str | None
    batches: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new key signs; ``verifying`` are those that only verify now."""

    kid: Kid
    made_at: str | None
    verifying: tuple[Kid, ...]
    key_file: str


@dataclass(frozen=True, slots=True)
class Retired:
    """A key is retired; ``uses`` are the batches that still wait for callbacks at its addresses.

    ``running`` are batches in use, each with who uses it: a run signs with the key that it began with until
    it ends.
    """

    kid: Kid
    retired_at: str | None
    uses: tuple[Use, ...]
    running: tuple[tuple[str, str], ...] = ()
