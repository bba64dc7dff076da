"""Secrets at rest."""

import pytest

from talktime.operations.sealing import NotSealedHere, Seal

SECRET = "whsec_never in a log"


def test_a_sealed_secret_does_not_show_and_opens_again() -> None:
    seal = Seal(["the key of this installation"])
    sealed = seal.seal(SECRET)
    assert "never" not in sealed
    assert seal.opened(sealed) == SECRET
    assert seal.seal(SECRET) != sealed


def test_a_new_key_before_the_old_one_opens_what_the_old_one_sealed() -> None:
    sealed = Seal(["old"]).seal(SECRET)
    assert Seal(["new", "old"]).opened(sealed) == SECRET
    assert Seal(["new"]).opened(Seal(["new", "old"]).seal(SECRET)) == SECRET


@pytest.mark.parametrize("sealed", ["", "nonsense", Seal(["another"]).seal(SECRET)])
def test_what_was_sealed_elsewhere_is_refused_with_what_to_do(sealed: str) -> None:
    with pytest.raises(NotSealedHere, match="TALKTIME_SEAL_KEY"):
        Seal(["this"]).opened(sealed)
